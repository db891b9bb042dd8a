"""Trains the same steps with cyclelab and with PyTorch, and compares every number.

    python parity.py --cyclelab target/release/cyclelab
    python parity.py --dry-run

Both start from the same images and weights and take the images in the same order. Rounding alone
drives two right programs apart: a ReLU or an absolute value that stands at 0 sends one gradient the
other way, Adam makes whole steps of it, and the next step starts from there. So PyTorch also trains
in float64 and from weights that differ in their last bit, and cyclelab may be `ROOM` times as far
from PyTorch as the farthest of these. From upstream's N(0, 0.02), at its learning rate, they are
soon some 1e-2 apart, hence the larger `--init-gain` here; `--lr 2e-5` tests more sharply still.
`--dry-run` puts one more PyTorch in cyclelab's place.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from parity_folder import COUNTS, load_weights, sweep_file, write_images, write_weights
from parity_table import compare_losses, compare_weights
from pictures import read_image
from run_config import run_config
from torch_cyclegan import NETWORKS, Trainer, weight


def main():
    args = arguments()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    with tempfile.TemporaryDirectory() as scratch:
        complaints = parity(args, (args.work or Path(scratch)).absolute())
    for complaint in complaints:
        print(f"error: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    program = parser.add_mutually_exclusive_group(required=True)
    program.add_argument("--cyclelab", type=Path, help="the built program")
    program.add_argument("--dry-run", action="store_true", help="PyTorch in its place")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--size", type=int, default=64, help="side of the images in pixels")
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--ngf", type=int, default=8)
    parser.add_argument("--ndf", type=int, default=12)
    parser.add_argument("--n-blocks", type=int, default=3)
    parser.add_argument("--n-layers", type=int, default=2)
    parser.add_argument("--gan-mode", choices=["lsgan", "vanilla", "hinge"], default="lsgan")
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--init-gain", type=float, default=0.1, help="upstream's is 0.02")
    parser.add_argument("--device", default="cpu", help="cyclelab's; PyTorch always uses the CPU")
    parser.add_argument("--work", type=Path, help="an empty folder to keep everything in")
    args = parser.parse_args()
    if args.cyclelab and not shutil.which(args.cyclelab):
        parser.error(f"there is no program `{args.cyclelab}`")
    return args


def parity(args, work):
    """What is wrong, a line each."""
    shape = ["ngf", "ndf", "n_blocks", "n_layers"]
    config = run_config({
        "model": {leaf: getattr(args, leaf) for leaf in shape},
        "loss": {"gan_mode": args.gan_mode},
        "pool": {"size": 0},
        "optim": {"lr_g": args.lr, "lr_d": args.lr},
    })
    images, weights = work / "images", work / "weights"
    write_images(images, args.size)
    write_weights(weights, config, args.init_gain)

    losses, networks = train(args, config, images, load_weights(weights, config))
    rivals = [train(args, config, images, start) for start in other_starts(weights, config)]
    if args.dry_run:
        found = train(args, config, images, nudged(load_weights(weights, config), seed=0))
        found = found[0], states(found[1])
    else:
        file = work / "parity.toml"
        file.write_text(sweep_file(images, weights, args))
        found = run_cyclelab(args, work, file)
    complaints = compare_losses(losses, [series for series, _ in rivals], found[0])
    rivals = [states(trained) for _, trained in rivals]
    return complaints + compare_weights(networks, rivals, found[1], args.lr * args.steps)


def other_starts(weights, config):
    """The same networks, but for rounding."""
    yield {name: network.double() for name, network in load_weights(weights, config).items()}
    for seed in (1, 2, 3):
        yield nudged(load_weights(weights, config), seed)


def nudged(networks, seed):
    """Every weight moved by about its last bit."""
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for network in networks.values():
            for parameter in network.parameters():
                parameter.mul_(1 + 6e-8 * torch.randn(parameter.shape, generator=source))
    return networks


def states(networks):
    return {name: network.state_dict() for name, network in networks.items()}


def train(args, config, images, networks):
    """Losses by name, one value a step, and the networks as trained."""
    dtype = next(networks["gen_ab"].parameters()).dtype
    folders = {"a": "trainA", "b": "trainB"}
    paths = {domain: sorted((images / folder).iterdir()) for domain, folder in folders.items()}
    trainer = Trainer(config, networks)
    series = {}
    for step in range(1, args.steps + 1):
        indices = batch(step, args.batch_size)
        a, b = (
            torch.stack([read_image(paths[d][i % len(paths[d])]) for i in indices]).to(dtype)
            for d in "ab"
        )
        for term, value in trainer.step(a, b).items():
            series.setdefault(f"loss/{term}", []).append(value)
            series.setdefault(f"weighted/{term}", []).append(weight(term, config["loss"]) * value)
    return series, networks


def batch(step, size):
    """Positions in the epoch; the last batch of an epoch takes what is left."""
    length = max(COUNTS["trainA"], COUNTS["trainB"])
    steps_per_epoch = -(-length // size)
    start = (step - 1) % steps_per_epoch * size
    return range(start, min(start + size, length))


def run_cyclelab(args, work, file):
    """The same as `train`, of the program: losses, state dicts."""
    runs = work / "runs"
    places = ["--runs", runs, "--reports", work / "reports", "--cache", work / "cache"]
    call(args.cyclelab, "sweep", file, *places, "--device", args.device, "--no-report")
    (run,) = (path.parent for path in (runs / "parity").glob("*/run.json"))
    exported = work / "exported"
    form = ["--format", "safetensors", "--out", exported]
    call(args.cyclelab, "export", "weights", run, *form, *places)
    return read_losses(run), read_weights(exported)


def call(program, *arguments):
    finished = subprocess.run([program, *arguments], check=False)
    if finished.returncode != 0:
        sys.exit(f"error: `{program.name} {arguments[0]}` ended with {finished.returncode}")


def read_losses(run):
    """From the run's Parquet files."""
    import pyarrow.parquet as parquet

    rows = []
    for path in (run / "metrics").glob("*.parquet"):
        table = parquet.ParquetFile(path).read(columns=["step", "name", "value"])
        rows += table.to_pylist()
    series = {}
    for row in sorted(rows, key=lambda row: row["step"]):
        if row["name"].split("/")[0] in ("loss", "weighted"):
            series.setdefault(row["name"], []).append(row["value"])
    return series


def read_weights(folder):
    from safetensors.torch import load_file

    return {name: load_file(folder / f"{name}.safetensors") for name in NETWORKS}


if __name__ == "__main__":
    sys.exit(main())
