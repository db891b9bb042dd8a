"""Trains some runs in PyTorch, one after another, and prints how long that took as JSON.

The images are in memory before the clock starts.
"""

import argparse
import json
import random
import time
from pathlib import Path

import torch

from reference import networks_of, read_image, run_config
from sizes import sections
from torch_step import BenchTrainer


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    images = {domain: read_folder(args.images / f"train{domain}") for domain in "AB"}
    task = json.loads(args.task)
    began = time.perf_counter()
    for run in task["runs"]:
        config = run_config(sections([*task["settings"], f"loss.lambda_cycle={run['lambda']}"]))
        train(config, run["seed"], task["steps"], images)
    print(json.dumps({"wall_s": time.perf_counter() - began}))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="folder with trainA and trainB")
    parser.add_argument("--task", required=True, help='{"runs": …, "settings": …, "steps": …}')
    parser.add_argument("--threads", type=int, required=True)
    return parser.parse_args()


def read_folder(folder):
    return torch.stack([read_image(path) for path in sorted(folder.iterdir())])


def train(config, seed, steps, images):
    torch.manual_seed(seed)
    draw = random.Random(seed)
    trainer = BenchTrainer(config, networks_of(config))
    for _ in range(steps):
        a, b = (batch(draw, images[domain], config["data"]["batch_size"]) for domain in "AB")
        trainer.step(a, b)


def batch(draw, images, size):
    return images[[draw.randrange(len(images)) for _ in range(size)]]


if __name__ == "__main__":
    main()
