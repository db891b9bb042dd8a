"""The tables that quote `results/`: for the README, between its two marker comments.

    python table.py            prints them
    python table.py --write    puts them into the README
    python table.py --check    ends with 1 where the README says something else

Needs nothing but Python itself.
"""

import argparse
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
BEGIN, END = "<!-- speed: made by `benches/table.py --write` -->", "<!-- /speed -->"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--write", action="store_true")
    choice.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if args.write:
        write()
    elif args.check and with_tables(README.read_text()) != README.read_text():
        complaint = "README.md does not quote benches/results: `python benches/table.py --write`"
        print(complaint, file=sys.stderr)
        return 1
    elif not args.check:
        print(tables())
    return 0


def write():
    README.write_text(with_tables(README.read_text()))


def with_tables(readme):
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def tables():
    found = [json.loads(path.read_text()) for path in sorted((HERE / "results").glob("*.json"))]
    of_gpu = [it for it in found if "gpu" in it]
    parts = [of_cpu(it) for it in found if "gpu" not in it] + ([of_cuda(of_gpu)] if of_gpu else [])
    return "\n\n".join(parts) or "Not measured yet."


def of_cpu(found):
    """One row a measure; what was not measured has none."""
    rows = [row for name, of in ROWS.items() if name in found for row in of(found[name])]
    machine = found["machine"]
    return "\n".join([
        f"{machine['cores']} cores ({machine['cpu']}), PyTorch {found['versions']['torch']}, "
        f"medians of {found['rounds']} rounds in turns, {found['date']}. Memory is the whole "
        "process's, libraries included.",
        "",
        "| | cyclelab | PyTorch | faster by |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ])


def step_rows(sizes):
    for size in sizes:
        yield step_row(f"step, {size['size']}", size["alone"])
        if "side_by_side" in size:
            copies = size["side_by_side"]["copies"]
            yield step_row(f"… {copies} runs at once, 1 thread each", size["side_by_side"])


def step_row(name, programs):
    def cell(program):
        measured = programs[program]
        return f"{time(measured['median_s'])}, {memory(measured['peak_memory_bytes'])}"

    return [name, cell("cyclelab"), cell("pytorch"), factor(programs["faster"])]


def sweep_rows(sweep):
    name = f"{sweep['runs']} runs of {sweep['steps']} steps, {sweep['size']}"
    cells = (time(sweep[program]["median_s"]) for program in ("cyclelab", "pytorch"))
    yield [name, *cells, factor(sweep["faster"])]


def loader_rows(loader):
    ours = {name: rate["median"] for name, rate in loader["cyclelab"].items()}
    by_workers = loader["torchvision"]["by_workers"]
    workers, best = max(by_workers.items(), key=lambda it: it[1]["median"])
    theirs = f"{best['median']:.0f} images/s ({workers} workers)"
    names = {"prepare": "images decoded and resized", "read": "… read in every later epoch"}
    for name, words in names.items():
        faster = f"{ours[name] / best['median']:.1f} ×"
        yield [words, f"{ours[name]:.0f} images/s", theirs, faster]


def tracking_rows(tracking):
    def part(name):
        return f"{100 * tracking[name]['median']:.2f} %"

    rounds = [100 * it for it in tracking["against_bare"]["rounds"]]
    spread = f"{min(rounds):.1f} to {max(rounds):.1f} % in {len(rounds)} rounds"
    against = f"{part('against_bare')} ({spread}) against the bare loop"
    recording = f"{part('outside_steps')}; {against}"
    yield ["recording a run", recording, "", ""]
    yield ["waiting for data", f"{part('waiting_for_data')} of a step", "", ""]


def plan_rows(plan):
    yield [f"plan of {plan['cells']:,} cells", time(plan["plan"]["median_s"]), "", ""]


def report_rows(report):
    yield [f"report of {report['runs']} runs", time(report["median_s"]), "", ""]


ROWS = {
    "steps": step_rows,
    "sweep": sweep_rows,
    "loader": loader_rows,
    "tracking": tracking_rows,
    "plan": plan_rows,
    "report": report_rows,
}


def of_cuda(sizes):
    """One row a size and a way to compute."""
    newest = max(sizes, key=lambda it: it["date"])
    lines = [
        f"{newest['gpu']['name']}, PyTorch {newest['versions']['torch']}, {newest['date']}:",
        "",
        "| | step | of the ceiling | memory | compiled and tuned in |",
        "|---|---|---|---|---|",
    ]
    for size in sizes:
        for name, way in size["ways"].items():
            lines.append(f"| {size['size']}: {name} | {' | '.join(cuda_cells(way))} |")
    return "\n".join(lines)


def cuda_cells(way):
    if "absent" in way:
        return [way["absent"], "", "", ""]
    share = way["share_of_ceiling"]
    part = "" if share is None else f"{100 * share:.0f} %"
    return [time(way["median_s"]), part, memory(way["device_memory_bytes"]), time(way["tuning_s"])]


def time(seconds):
    """Three digits."""
    if seconds >= 100:
        return f"{seconds:.0f} s"
    if seconds >= 1:
        return f"{seconds:#.3g} s"
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.0995 else f"{1000 * seconds:#.3g} ms"


def memory(size):
    if size is None:
        return ""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def factor(faster):
    return f"{faster['median']:.2f} × ({faster['lowest']:.2f} to {faster['highest']:.2f})"


if __name__ == "__main__":
    sys.exit(main())
