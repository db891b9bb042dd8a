"""Twelve runs of a sweep: `cyclelab sweep` against the same runs in PyTorch, one after another.

Ours is the whole command, with processes, log, checkpoints, the evaluation that ends every run and
samples. PyTorch's is the bare loop in one process, once it has started: no files, no evaluation.
"""

import json

from sizes import CPU
from made_pictures import write_folder
from workbench import compared, median

LAMBDAS = [1, 5, 10, 50]
SEEDS = [1, 2, 3]
SIZE = CPU[0]
COUNTS = {"trainA": 64, "trainB": 64, "testA": 4, "testB": 4}


def measure(bench):
    steps = 5 if bench.quick else 200
    images = bench.folder("sweep-images")
    write_folder(images, COUNTS, SIZE.px, SIZE.px, lambda _: ".png")
    file = bench.folder("sweep-file") / "throughput.toml"
    file.write_text(sweep_file(images, steps))
    cache = bench.folder("cache")

    def ours():
        folder = bench.folder("sweep-runs")
        places = ["--runs", folder, "--cache", cache, "--reports", folder]
        return bench.wall_s(bench.ours("sweep", file, *places, "--device", "cpu", "--no-report"))

    runs = [{"lambda": value, "seed": seed} for value in LAMBDAS for seed in SEEDS]
    settings = [word for word in SIZE.arguments() if word != "--set"]
    task = {"runs": runs, "settings": settings, "steps": steps}
    options = ["--images", images, "--task", json.dumps(task), "--threads", bench.threads]

    def pytorch():
        (answer,) = bench.answers(bench.pytorch("torch_sweep.py", *options))
        return answer["wall_s"]

    walls = bench.alternate({"cyclelab": ours, "pytorch": pytorch})
    return {
        "size": str(SIZE),
        "runs": len(runs),
        "steps": steps,
        "cyclelab": {"median_s": median(walls["cyclelab"]), "rounds_s": walls["cyclelab"]},
        "pytorch": {"median_s": median(walls["pytorch"]), "rounds_s": walls["pytorch"]},
        "faster": compared(walls["cyclelab"], walls["pytorch"]),
    }


def sweep_file(images, steps):
    leaves = "\n".join(f"{leaf} = {value}" for leaf, value in SIZE.settings().items())
    return f"""
[sweep]
name = "throughput"
question = "How many runs an hour?"
seeds = {SEEDS}
[sweep.metric]
name = "eval/cycle_a"
[sweep.baseline]
loss.lambda_cycle = 10
[set]
data.path = "{images}"
data.flip = false
{leaves}
train.steps = {steps}
[axes]
loss.lambda_cycle = {LAMBDAS}
[exec]
slots_per_device = "auto"
"""
