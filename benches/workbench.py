"""What all benchmarks share: the two programs, the machine's cores, rounds that alternate."""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
# Of a measure whose results are written.
ROUNDS = 3


@dataclass
class Workbench:
    cyclelab: Path
    just: str
    threads: int
    rounds: int
    quick: bool
    scratch: Path

    def ours(self, *arguments):
        return [str(self.cyclelab), *map(str, arguments)]

    def pytorch(self, script, *arguments):
        return [sys.executable, "-B", str(HERE / script), *map(str, arguments)]

    def folder(self, name):
        """An empty one."""
        taken = len(list(self.scratch.glob(f"{name}-*")))
        folder = self.scratch / f"{name}-{taken + 1}"
        folder.mkdir(parents=True)
        return folder

    def alternate(self, measures, times=1):
        """Calls each of `measures` once a round, every other round in the opposite order; `times` as
        many rounds as others have.

        Returns what they answered, one list for each name.
        """
        answers = {name: [] for name in measures}
        for turn in range(self.rounds * times):
            names = list(measures)
            for name in names if turn % 2 == 0 else reversed(names):
                print(f"    round {turn + 1}: {name}", file=sys.stderr, flush=True)
                answers[name].append(measures[name]())
        return answers

    def answers(self, command, copies=1, threads=None):
        """The JSON that each of some processes, started together, prints."""
        environment = one_thread_pool(threads or self.threads)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started = [subprocess.Popen(command, env=environment, **pipes) for _ in range(copies)]
        said = [process.communicate() for process in started]
        for process, (_, complaint) in zip(started, said):
            if process.returncode != 0:
                raise Failed(command, process.returncode, complaint)
        return [json.loads(answer) for answer, _ in said]

    def wall_s(self, command):
        """Seconds from start to end of a process, by the clock on the wall."""
        began = time.perf_counter()
        environment = one_thread_pool(self.threads)
        finished = subprocess.run(command, env=environment, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        if finished.returncode != 0:
            raise Failed(command, finished.returncode, finished.stderr)
        return seconds


class Failed(Exception):
    def __init__(self, command, code, complaint):
        name = Path(command[2] if command[0] == sys.executable else command[0]).name
        super().__init__(f"`{name}` ended with {code}:\n{complaint.strip()[-2000:]}")


def one_thread_pool(threads):
    """The environment in which every library counts as many threads."""
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"]
    return {**os.environ, **{name: str(threads) for name in names}}


def cores():
    """That this process may use."""
    return len(os.sched_getaffinity(0))


def median(values):
    return statistics.median(values)


def compared(ours, theirs):
    """By how much ours is faster, round by round: `theirs` over `ours`, in seconds both."""
    ratios = [there / here for here, there in zip(ours, theirs)]
    return {"median": median(ratios), "lowest": min(ratios), "highest": max(ratios)}
