"""What recording costs: a run's own loop against the same steps with nothing around them.

Twice, since they fail in different ways. `outside_steps` is exact and blind to what other threads do:
of a run's rows, the part of the time between two of them that is no step's. `against_bare` compares
the whole loop with `cyclelab bench --images`, in turns, and sees all, through the machine's noise.
"""

from made_pictures import write_folder
from sizes import CPU
from workbench import median

# The shortest steps, around which anything weighs most.
SIZE = CPU[0]
# As a run has it unless its file says otherwise.
LOG_EVERY = 50
COUNTS = {"trainA": 64, "trainB": 64, "testA": 1, "testB": 1}


def measure(bench):
    windows = 2 if bench.quick else 6
    images = bench.folder("tracking-images")
    write_folder(images, COUNTS, SIZE.px, SIZE.px, lambda _: ".png")
    file = bench.folder("tracking-file") / "tracking.toml"
    file.write_text(sweep_file(images, LOG_EVERY * windows))
    cache = bench.folder("cache")

    def bare():
        steps = ["--warm-up", LOG_EVERY - 1, "--steps", LOG_EVERY * (windows - 1)]
        options = ["--images", "--threads", bench.threads, "--cache", cache, "--json"]
        command = bench.ours("bench", file, "--device", "cpu", *steps, *options)
        (answer,) = bench.answers(command)
        seconds = answer["steps_s"][0]
        return {"step_s": sum(seconds) / len(seconds), "reading": answer["reading"]}

    def tracked():
        runs = bench.folder("tracking-runs")
        places = ["--runs", runs, "--cache", cache, "--reports", runs]
        options = ["--device", "cpu", "--slots", 1, "--no-report"]
        bench.wall_s(bench.ours("sweep", file, *places, *options))
        return of_rows(runs)

    # What is looked for is smaller than what the machine adds to a round.
    times = 1 if bench.quick else 4
    answers = bench.alternate({"bare": bare, "tracked": tracked}, times)
    pairs = list(zip(answers["bare"], answers["tracked"]))
    against = [tracked["step_s"] / bare["step_s"] - 1 for bare, tracked in pairs]
    outside = [tracked["outside_steps"] for tracked in answers["tracked"]]
    reading = [bare["reading"]["median_s"] / bare["step_s"] for bare in answers["bare"]]
    return {
        "size": str(SIZE),
        "steps": LOG_EVERY * (windows - 1),
        "bare_step_s": median(bare["step_s"] for bare in answers["bare"]),
        "tracked_step_s": median(tracked["step_s"] for tracked in answers["tracked"]),
        "outside_steps": {"median": median(outside), "rounds": outside},
        "against_bare": {"median": median(against), "rounds": against},
        "waiting_for_data": {"median": median(reading), "rounds": reading},
    }


def of_rows(runs):
    """From the first log window to the last: seconds a step by the clock, and the part outside."""
    import pyarrow.parquet as parquet

    rows = []
    for path in runs.glob("*/*/metrics/*.parquet"):
        rows += parquet.ParquetFile(path).read(["step", "name", "ts", "elapsed_s"]).to_pylist()
    rows = sorted((row for row in rows if row["name"] == "perf/step_s"), key=lambda it: it["step"])
    first, last = rows[0], rows[-1]
    wall_s = (last["ts"] - first["ts"]).total_seconds()
    in_steps_s = last["elapsed_s"] - first["elapsed_s"]
    return {
        "step_s": wall_s / (last["step"] - first["step"]),
        "outside_steps": wall_s / in_steps_s - 1,
    }


def sweep_file(images, steps):
    leaves = "\n".join(f"{leaf} = {value}" for leaf, value in SIZE.settings().items())
    return f"""
[sweep]
name = "tracking"
question = "What does recording cost?"
seeds = [1]
[sweep.metric]
name = "eval/cycle_a"
[set]
data.path = "{images}"
{leaves}
train.steps = {steps}
"""
