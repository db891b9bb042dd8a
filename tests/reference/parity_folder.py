"""What both programs of a parity run start from: images, initial weights, a sweep file."""

import numpy as np
import torch
from PIL import Image

from noise import noise
from run_config import REFERENCE
from torch_cyclegan import NETWORKS, networks_of

# Unequal, so that the smaller domain wraps; odd, so that a batch is cut short at an epoch's end.
COUNTS = {"trainA": 5, "trainB": 7, "testA": 2, "testB": 3}


def write_images(root, size):
    for folder, count in COUNTS.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            # Of the training's own size, so that no resizing is needed.
            Image.fromarray(picture(f"parity/{folder}/{i}", size)).save(root / folder / f"{i:03}.png")


def picture(name, size):
    """Large soft spots, smaller ones on them, a little grain: like an image, not like noise."""
    total = np.zeros((size, size, 3), np.float32)
    for spots, strength in [(3, 0.8), (8, 0.35), (size, 0.05)]:
        field = noise(f"{name}/{spots}", (3, spots, spots), strength)
        planes = [Image.fromarray(plane).resize((size, size), Image.Resampling.BICUBIC) for plane in field]
        total += np.stack([np.asarray(plane) for plane in planes], axis=-1)
    return ((total.clip(-1, 1) + 1) * 127.5).round().astype(np.uint8)


def write_weights(root, config, gain):
    """As upstream draws them, N(0, gain) and biases of 0, in the format of its published files."""
    torch.manual_seed(0)
    root.mkdir(parents=True, exist_ok=True)
    networks = networks_of(config)
    for name in NETWORKS:
        with torch.no_grad():
            for key, parameter in networks[name].named_parameters():
                is_bias, is_norm = key.endswith("bias"), parameter.dim() == 1
                parameter.zero_() if is_bias else parameter.normal_(1.0 if is_norm else 0.0, gain)
        path = root / f"{name}.pth"
        torch.save(networks[name].state_dict(), path, _use_new_zipfile_serialization=False)


def load_weights(root, config):
    networks = networks_of(config)
    for name in NETWORKS:
        networks[name].load_state_dict(torch.load(root / f"{name}.pth", weights_only=True))
    return networks


def sweep_file(images, weights, args):
    """TOML: the reference preset, brought to parity mode."""
    leaves = {
        "data.path": str(images), "data.load_size": args.size, "data.crop_size": args.size,
        "data.order": "serial", "data.flip": False, "data.batch_size": args.batch_size,
        "model.ngf": args.ngf, "model.ndf": args.ndf, "model.n_blocks": args.n_blocks,
        "model.n_layers": args.n_layers, "loss.gan_mode": args.gan_mode, "pool.size": 0,
        "optim.schedule": "constant", "train.steps": args.steps, "train.log_every": 1,
        **{f"init.{name}": str(weights / f"{name}.pth") for name in NETWORKS},
    }
    if args.lr != REFERENCE["optim"]["lr_g"]:
        leaves |= {"optim.lr_g": args.lr, "optim.lr_d": args.lr}
    lines = [f'"{leaf}" = {toml(value)}' for leaf, value in leaves.items()]
    return "\n".join([
        "[sweep]", 'name = "parity"', 'question = "the same losses as PyTorch?"', "seeds = [1]",
        "[set]", *lines, "",
    ])


def toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
