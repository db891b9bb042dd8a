"""Time and memory of one training step, ours and PyTorch's."""

from sizes import CPU
from workbench import compared, median

# Counted steps of a round, so that the slower program takes some seconds.
STEPS = {32: 40, 64: 15, 128: 5}


def measure(bench):
    sizes = CPU[:2] if bench.quick else CPU
    return [measure_size(bench, size) for size in sizes]


def measure_size(bench, size):
    steps = 3 if bench.quick else max(5, STEPS[size.px] // size.batch)
    alone = side_by_side(bench, size, steps, copies=1)
    row = {"size": str(size), "settings": size.settings(), "alone": alone}
    if bench.threads > 1 and not bench.quick:
        row["side_by_side"] = side_by_side(bench, size, steps, copies=bench.threads)
    return row


def side_by_side(bench, size, steps, copies):
    """As many processes of a program at once as `copies`, the cores shared out among them."""
    threads = bench.threads // copies
    options = [*size.arguments(), "--device", "cpu", "--threads", threads]
    options += ["--warm-up", 2, "--steps", steps]
    programs = {
        "cyclelab": bench.ours("bench", *options, "--json"),
        "pytorch": bench.pytorch("torch_step.py", *options),
    }
    answers = bench.alternate({
        name: lambda command=command: bench.answers(command, copies, threads)
        for name, command in programs.items()
    })
    summary = {name: summarised(rounds) for name, rounds in answers.items()}
    ours, theirs = (summary[name]["rounds_s"] for name in ("cyclelab", "pytorch"))
    return {"copies": copies, "threads": threads, **summary, "faster": compared(ours, theirs)}


def summarised(rounds):
    """Of the answers of each round: the median of medians; the largest memory of one process."""
    processes = [process for answers in rounds for process in answers]
    medians = [median(step_times(answers)) for answers in rounds]
    return {
        "median_s": median(medians),
        "rounds_s": medians,
        "first_s": median(process["first_s"] for process in processes),
        "peak_memory_bytes": max(process["peak_memory_bytes"] for process in processes),
        "memory_before_bytes": max(process["memory_before_bytes"] for process in processes),
    }


def step_times(answers):
    return [seconds for answer in answers for copy in answer["steps_s"] for seconds in copy]
