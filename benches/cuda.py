"""Times this program beside PyTorch on an NVIDIA GPU: `just bench-cuda`.

Every size has a file of its own under `results/`, so that one size can be measured at a time
(`--size 256/1`). Without a GPU there is nothing to do.
"""

import argparse
import json
import sys
import tempfile
import tomllib
from pathlib import Path

import table
from device_memory import MemoryWatch, gpu
from machine import machine, versions
from sizes import CUDA
from workbench import HERE, Failed, ROUNDS, Workbench, cores, median

# By name: the options of PyTorch or the settings of ours, and the ceiling that it stands under.
# Our float32 may use tf32 where PyTorch's must be told to, so both are held against that.
PYTORCH = {
    "PyTorch float32, eager": ([], "f32"),
    "PyTorch tf32, eager": (["--tf32"], "tf32"),
    "PyTorch tf32, channels last": (["--tf32", "--channels-last"], "tf32"),
    "PyTorch bf16 autocast, channels last": (["--tf32", "--bf16", "--channels-last"], "bf16"),
    "PyTorch tf32, compiled": (["--tf32", "--channels-last", "--compile"], "tf32"),
    "PyTorch bf16 autocast, compiled": (
        ["--tf32", "--bf16", "--channels-last", "--compile"], "bf16",
    ),
}
OURS = {
    "cyclelab float32": ([], "tf32"),
    "cyclelab bf16": (["--set", "train.precision=bf16"], "bf16"),
}


def main():
    args = arguments()
    device = gpu()
    if device is None:
        print("There is no NVIDIA GPU here: nothing was measured, and nothing written.")
        return 0
    sizes = [it for it in CUDA if args.size in (None, f"{it.px}/{it.batch}")]
    with tempfile.TemporaryDirectory() as scratch:
        rounds = args.rounds or (1 if args.quick else ROUNDS)
        bench = Workbench(args.cyclelab.absolute(), "", cores(), rounds, args.quick, Path(scratch))
        results = [measured(bench, size, device, args) for size in sizes]
    print(table.of_cuda(results))
    if args.quick or args.rounds:
        print("A trial: nothing was written.", file=sys.stderr)
        return 0
    for size, result in zip(sizes, results):
        path = HERE / "results" / f"cuda-{size.px}px-batch{size.batch}.json"
        path.write_text(json.dumps(result, indent=1) + "\n")
    table.write()
    return 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cyclelab", type=Path, required=True, help="the built program")
    parser.add_argument("--date", required=True, help="of today, for the record")
    parser.add_argument("--size", choices=[f"{it.px}/{it.batch}" for it in CUDA], help="pixels/batch")
    parser.add_argument("--quick", action="store_true", help="a trial; nothing is written")
    parser.add_argument("--rounds", type=int, help=f"{ROUNDS} without it; another number writes nothing")
    return parser.parse_args()


def measured(bench, size, device, args):
    from work import multiply_accumulates

    work = multiply_accumulates(size)
    ceiling = ceiling_of(device["name"])
    ways = {**{name: "ours" for name in OURS}, **{name: "pytorch" for name in PYTORCH}}
    answers = bench.alternate({name: lambda name=name: tried(bench, size, name) for name in ways})
    return {
        "date": args.date,
        "command": "just bench-cuda",
        "machine": machine(),
        "gpu": device,
        "versions": versions(bench.cyclelab, ["torch", "triton"]),
        "rounds": bench.rounds,
        "size": str(size),
        "settings": size.settings(),
        "multiply_accumulates": work,
        "ceiling": ceiling,
        "ways": {name: summarised(rounds, name, work, ceiling) for name, rounds in answers.items()},
    }


def tried(bench, size, name):
    """The program's answer and the memory of the device; or why there is none."""
    warm_up, steps = (2, 3) if bench.quick else (10, 30)
    options = [*size.arguments(), "--device", "cuda:0", "--warm-up", warm_up, "--steps", steps]
    if name in OURS:
        command = bench.ours("bench", *options, *OURS[name][0], "--json")
    else:
        command = bench.pytorch("torch_step.py", *options, *PYTORCH[name][0])
    try:
        with MemoryWatch() as watch:
            (answer,) = bench.answers(command)
    except Failed as failure:
        print(f"    {name}: {failure}", file=sys.stderr)
        return {"absent": "not available here"}
    return {**answer, "device_memory_bytes": watch.peak_bytes()}


def summarised(rounds, name, work, ceiling):
    answered = [answer for answer in rounds if "absent" not in answer]
    if not answered:
        return rounds[0]
    medians = [median(answer["steps_s"][0]) for answer in answered]
    step_s = median(medians)
    unit = {**OURS, **PYTORCH}[name][1]
    return {
        "median_s": step_s,
        "rounds_s": medians,
        "share_of_ceiling": 2 * work / step_s / (ceiling[unit] * 1e12) if ceiling else None,
        "ceiling": unit,
        # Of the first round: later ones may find on disk what it has tuned.
        "first_s": answered[0]["first_s"],
        "tuning_s": tuning_s(answered[0], step_s),
        "device_memory_bytes": max(answer["device_memory_bytes"] for answer in answered),
        "peak_memory_bytes": max(answer["peak_memory_bytes"] for answer in answered),
    }


def tuning_s(answer, step_s):
    """What the first and the uncounted steps took beyond what as many steps take."""
    before = [answer["first_s"], *answer["warm_up_s"][0]]
    return max(0.0, sum(before) - len(before) * step_s)


def ceiling_of(name):
    known = tomllib.loads((HERE / "ceilings.toml").read_text())["device"]
    return next((it for it in known if it["name"] in name), None)


if __name__ == "__main__":
    sys.exit(main())
