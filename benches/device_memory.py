"""The GPU by `nvidia-smi`: which it is, and how much of its memory is taken."""

import subprocess
import threading


def gpu():
    """Name, memory and driver of the first; `None` where there is none."""
    fields = ask("name,memory.total,driver_version")
    if fields is None:
        return None
    return {"name": fields[0], "memory_mib": int(fields[1]), "driver": fields[2]}


def ask(query):
    command = ["nvidia-smi", "--id=0", f"--query-gpu={query}", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    answered = said.returncode == 0 and said.stdout.strip()
    return [field.strip() for field in said.stdout.split(",")] if answered else None


class MemoryWatch:
    """The most that was taken meanwhile, over what was taken before: contexts and caches included."""

    def __enter__(self):
        self.before = self.most = taken_bytes()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def watch(self):
        while not self.over.wait(0.2):
            self.most = max(self.most, taken_bytes())

    def peak_bytes(self):
        return self.most - self.before


def taken_bytes():
    fields = ask("memory.used")
    return int(fields[0]) * 2**20 if fields else 0
