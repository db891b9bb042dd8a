"""The machine and the programs in words: what a number needs to be compared, and no names or paths."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path

from workbench import cores

# Of instruction sets, the one that decides how fast a matrix product can be.
WIDEST = [("avx512f", "AVX-512"), ("avx2", "AVX2")]


def machine():
    return {
        "cpu": cpu(),
        "cores": cores(),
        "memory_gb": round(memory_bytes() / 1e9),
        "system": f"{platform.system()}, {platform.machine()}",
    }


def versions(cyclelab, packages):
    said = subprocess.run([cyclelab, "--version"], capture_output=True, text=True, check=True)
    found = {"cyclelab": said.stdout.removeprefix("cyclelab ").strip()}
    found["python"] = platform.python_version()
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def cpu():
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    flags = fields.get("flags", "").split()
    widest = next((name for flag, name in WIDEST if flag in flags), None)
    name = fields.get("model name", platform.processor() or "unknown")
    return f"{name}, {widest}" if widest else name


def memory_bytes():
    lines = Path("/proc/meminfo").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("MemTotal"))
    return int(line.split()[1]) * 1024
