"""How long the report of 500 runs takes: what `just scale` prints, which makes up such a store.

Reading 2,000,000 rows and writing the page; the first time apart, then four more.
"""

import re
import subprocess

from workbench import Failed, median


def measure(bench):
    finished = subprocess.run([bench.just, "scale"], capture_output=True, text=True)
    if finished.returncode != 0:
        raise Failed([bench.just], finished.returncode, finished.stderr)
    return of_words(finished.stdout + finished.stderr)


def of_words(said):
    line = r"(\d+) runs, (\d+) rows: read in \S+, reported in ([\d.]+)(m?s), (\d+) bytes"
    runs, rows, first, unit, size = re.search(line, said).groups()
    again = [float(it) for it in re.search(r"again: \[([^\]]*)\] s", said).group(1).split(",")]
    return {
        "runs": int(runs),
        "rows": int(rows),
        "first_s": float(first) / (1000 if unit == "ms" else 1),
        "median_s": median(again),
        "rounds_s": again,
        "page_bytes": int(size),
    }
