"""Times this program beside PyTorch on the CPU: `just bench`.

One measure after the other, and in each the two programs in turns. What is found is written whole to
`results/cpu.json` and quoted in the README; with `--quick` or `--only` it is only printed.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import loader
import plan_time
import report_time
import steps
import sweep_throughput
import table
import tracking
from machine import machine, versions
from workbench import HERE, Failed, ROUNDS, Workbench, cores

MEASURES = {
    "steps": steps.measure,
    "sweep": sweep_throughput.measure,
    "loader": loader.measure,
    "tracking": tracking.measure,
    "plan": plan_time.measure,
    "report": report_time.measure,
}
# Of minutes each on two cores, so not tried out.
SLOW = ["report"]
PACKAGES = ["torch", "torchvision", "pillow"]


def main():
    args = arguments()
    asked = args.only or [name for name in MEASURES if not (args.quick and name in SLOW)]
    with tempfile.TemporaryDirectory() as scratch:
        rounds = args.rounds or (1 if args.quick else ROUNDS)
        bench = Workbench(
            args.cyclelab.absolute(), args.just, cores(), rounds, args.quick, Path(scratch)
        )
        try:
            found = {
                "date": args.date,
                "command": "just bench",
                "machine": machine(),
                "versions": versions(bench.cyclelab, PACKAGES),
                "threads": bench.threads,
                "rounds": rounds,
                **{name: timed(name, bench) for name in asked},
            }
        except Failed as failure:
            print(f"error: {failure}", file=sys.stderr)
            return 1
    print(table.of_cpu(found))
    if args.quick or args.only or args.rounds:
        print("A trial: nothing was written.", file=sys.stderr)
        return 0
    path = HERE / "results" / "cpu.json"
    path.write_text(json.dumps(found, indent=1) + "\n")
    table.write()
    print(f"Written: benches/results/{path.name}, and the table in README.md.", file=sys.stderr)
    return 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cyclelab", type=Path, required=True, help="the built program")
    parser.add_argument("--just", default="just", help="the program that runs the justfile")
    parser.add_argument("--date", required=True, help="of today, for the record")
    parser.add_argument("--quick", action="store_true", help="a trial; nothing is written")
    parser.add_argument("--only", nargs="+", choices=MEASURES, help="likewise, these measures alone")
    parser.add_argument("--rounds", type=int, help=f"{ROUNDS} without it; another number writes nothing")
    return parser.parse_args()


def timed(name, bench):
    began = time.perf_counter()
    print(f"{name} …", file=sys.stderr, flush=True)
    found = MEASURES[name](bench)
    print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
