"""Weights that `cyclelab export weights` wrote, loaded into PyTorch; its translations compared.

    cyclelab export weights RUN --format safetensors --out WEIGHTS
    cyclelab translate --weights RUN --direction ab --input IMAGES --output TRANSLATED
    python round_trip.py WEIGHTS config.toml --input IMAGES --translated TRANSLATED

Every network must load with `strict=True`; every translation must be within one level of 255 of
PyTorch's. CONFIG is a run's config.toml, or JSON of the leaves that differ from `reference`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from pictures import levels_of, read_image
from run_config import read_run_config
from torch_cyclegan import NETWORKS, networks_of

# Rounding of nearly equal values can fall on either side of half a level.
LEVELS = 1
# The side of an image that no padding is needed for.
MULTIPLE = {"resnet": 4, "unet-128": 128, "unet-256": 256}


def main():
    args = arguments()
    torch.set_num_threads(1)
    config = read_run_config(args.config)
    try:
        networks = load_networks(config, args.weights)
        generator = networks[f"gen_{args.direction}"]
        count, worst = compare(generator, args, MULTIPLE[config["model"]["generator"]])
    except Difference as difference:
        print(f"error: {difference}", file=sys.stderr)
        return 1
    print(f"4 networks loaded, {count} translations within {worst} of 255 levels")
    return 0


class Difference(Exception):
    """What is not as it should be."""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, help="folder with gen_ab.safetensors, …")
    parser.add_argument("config", type=Path, help="the run's config.toml, or JSON")
    parser.add_argument("--input", type=Path, required=True, help="folder of PNG images")
    parser.add_argument("--translated", type=Path, required=True, help="their translations")
    parser.add_argument("--direction", choices=["ab", "ba"], default="ab")
    return parser.parse_args()


def load_networks(config, folder):
    networks = networks_of(config)
    for name in NETWORKS:
        path = folder / f"{name}.safetensors"
        if not path.is_file():
            raise Difference(f"`{path}` is missing")
        try:
            networks[name].load_state_dict(load_file(path), strict=True)
        except RuntimeError as error:
            raise Difference(f"`{path}`: {error}") from error
        # Only dropout changes: batch norm has no running statistics here.
        networks[name].eval()
    return networks


def compare(generator, args, multiple):
    paths = sorted(args.input.rglob("*.png"))
    if not paths:
        raise Difference(f"no PNG image in `{args.input}`")
    worst = max(difference(generator, path, args, multiple) for path in paths)
    return len(paths), worst


def difference(generator, path, args, multiple):
    image = read_image(path)
    if any(side % multiple for side in image.shape[1:]):
        raise Difference(f"`{path}`: sides must be multiples of {multiple} to be compared")
    translated = args.translated / path.relative_to(args.input)
    if not translated.is_file():
        raise Difference(f"`{translated}` is missing")
    found = levels_of(read_image(translated))
    with torch.no_grad():
        expected = levels_of(generator(image[None])[0])
    if found.shape != expected.shape:
        raise Difference(f"`{translated}` is {found.shape}, expected {expected.shape}")
    levels = int(np.abs(found.astype(int) - expected.astype(int)).max())
    if levels > LEVELS:
        raise Difference(f"`{translated}` is {levels} levels of 255 from PyTorch's translation")
    return levels


if __name__ == "__main__":
    sys.exit(main())
