"""How long a plan of 10,000 cells takes, from the command to its last line."""

from workbench import median

SIDE = 100


def measure(bench):
    side = 10 if bench.quick else SIDE
    file = bench.folder("plan-file") / "plan.toml"
    file.write_text(sweep_file(side))
    cache, runs = bench.folder("cache"), bench.folder("plan-runs")
    places = ["--runs", runs, "--cache", cache]
    answers = bench.alternate({
        "check": lambda: bench.wall_s(bench.ours("check", file, *places)),
        "plan": lambda: bench.wall_s(bench.ours("plan", file, "--no-estimate", "--json", *places)),
    })
    summary = {name: {"median_s": median(it), "rounds_s": it} for name, it in answers.items()}
    return {"cells": side * side, **summary}


def sweep_file(side):
    """One seed: it is the cells that cost."""
    return f"""
[sweep]
name = "plan"
question = "How long does a large plan take?"
seeds = [1]
[sweep.metric]
name = "eval/cycle_a"
[set]
data.dataset = "synthetic"
data.load_size = 32
data.crop_size = 32
[axes]
pool.size = {list(range(side))}
train.steps = {list(range(100, 100 + side))}
[limits]
max_runs = {side * side}
"""
