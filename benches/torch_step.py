"""Times training steps in PyTorch, on noise, as `cyclelab bench` times ours; prints JSON.

    python torch_step.py --set data.crop_size=32 --set model.ngf=16 --threads 2

The networks, the losses and the step are those that `tests/reference` tests ours against.
"""

import argparse
import contextlib
import json
import random
import time
from pathlib import Path

import torch

from reference import Trainer, networks_of, run_config
from sizes import sections

def main():
    args = arguments()
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    allow_tf32(args.tf32)
    torch.backends.cudnn.benchmark = True
    before = peak_memory()
    config = run_config(sections(args.settings))
    device = torch.device(args.device)
    layout = torch.channels_last if args.channels_last else torch.contiguous_format
    networks = networks_of(config)
    networks = {name: net.to(device, memory_format=layout) for name, net in networks.items()}
    if args.compile:
        networks = {name: torch.compile(net) for name, net in networks.items()}
    trainer = BenchTrainer(config, networks, bf16=args.bf16)
    images = [noise(config["data"], device).to(memory_format=layout) for _ in "ab"]
    steps = list(timed_steps(trainer, images, 1 + args.warm_up + args.steps))
    print(json.dumps({
        "version": torch.__version__,
        "device": args.device,
        "threads": torch.get_num_threads(),
        "first_s": steps[0],
        "warm_up_s": [steps[1:1 + args.warm_up]],
        "steps_s": [steps[1 + args.warm_up:]],
        "memory_before_bytes": before,
        "peak_memory_bytes": peak_memory(),
    }))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="LEAF=VALUE")
    parser.add_argument("--device", default="cpu", help="`cpu` or `cuda:N`")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--warm-up", type=int, default=2, help="uncounted, besides the first")
    parser.add_argument("--steps", type=int, default=10)
    cuda = parser.add_argument_group("on CUDA only")
    cuda.add_argument("--channels-last", action="store_true")
    cuda.add_argument("--tf32", action="store_true", help="without it float32 is float32")
    cuda.add_argument("--bf16", action="store_true", help="autocast of the forward passes")
    cuda.add_argument("--compile", action="store_true", help="torch.compile of each network")
    args = parser.parse_args()
    if args.device == "cpu" and (args.channels_last or args.tf32 or args.bf16 or args.compile):
        parser.error("the CPU is timed as PyTorch comes, in its default layout")
    return args


def allow_tf32(allowed):
    """cuDNN's convolutions would use it unasked."""
    precision = "tf32" if allowed else "ieee"
    torch.backends.cuda.matmul.fp32_precision = precision
    torch.backends.cudnn.conv.fp32_precision = precision


class BenchTrainer(Trainer):
    """The reference's, with its forward passes under autocast where that is asked for."""

    def __init__(self, config, networks, bf16=False):
        slots = random.Random(0)
        pool = config["pool"]["size"]
        super().__init__(config, networks, lambda: (slots.random(), slots.randrange(pool)))
        self.bf16 = bf16

    def step(self, a, b, lr_factor=1.0):
        with torch.autocast("cuda", torch.bfloat16) if self.bf16 else contextlib.nullcontext():
            return super().step(a, b, lr_factor)

    def update(self, adam, terms, lr):
        # Backward takes each operation's precision from its forward pass.
        with torch.autocast("cuda", enabled=False) if self.bf16 else contextlib.nullcontext():
            super().update(adam, terms, lr)


def noise(data, device):
    n, side = data["batch_size"], data["crop_size"]
    return torch.rand(n, 3, side, side, device=device) * 2 - 1


def timed_steps(trainer, images, count):
    """Seconds of each. Reading its losses waits for the device, but not for the last Adam."""
    for _ in range(count):
        began = time.perf_counter()
        trainer.step(*images)
        if images[0].is_cuda:
            torch.cuda.synchronize()
        yield time.perf_counter() - began


def peak_memory():
    """The most bytes that this process ever held at once; its libraries are among them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
