#!/usr/bin/env python3
"""Reads metric parts with pandas, DuckDB and, if installed, polars.

Usage: read_parquet.py GLOB

Prints JSON: per reader the number of rows and the last value of each metric.
Exits 1 if the readers disagree or a column has not the documented type, 2 if
the glob matches nothing.
"""

import glob
import json
import sys

import duckdb
import pandas as pd
import pyarrow.parquet as pq

COLUMNS = {
    "run": "string", "attempt": "uint32", "seq": "uint64", "step": "uint64", "epoch": "float",
    "images": "uint64", "split": "string", "name": "string", "value": "double",
    "count": "uint32", "min": "double", "max": "double", "elapsed_s": "double",
    "ts": "timestamp[us, tz=UTC]",
}
ORDER = ["step", "attempt", "seq"]


def last_values(frame):
    """Per metric, as text: JSON has no NaN, and NaN does not equal itself."""
    last = frame.sort_values(ORDER).groupby("name").tail(1)
    return {name: repr(float(value)) for name, value in sorted(zip(last["name"], last["value"]))}


def schema_complaints(path):
    file = pq.ParquetFile(path)
    short = {"large_string": "string", "string_view": "string"}
    types = {field.name: str(field.type) for field in file.schema_arrow}
    types = {name: short.get(kind, kind) for name, kind in types.items()}
    if types != COLUMNS:
        yield f"{path}: columns are {types}"
    if file.read(["value"])["value"].null_count:
        yield f"{path}: `value` has nulls"
    if b"cyclelab.schema_rev" not in (file.metadata.metadata or {}):
        yield f"{path}: no cyclelab.schema_rev in the footer"


def with_pandas(pattern, paths):
    return pd.concat([pd.read_parquet(path) for path in paths])


def with_duckdb(pattern, paths):
    columns = "name, value, " + ", ".join(ORDER)
    # The time is read as well, though not compared: a type DuckDB lacks would fail here.
    query = f"select {columns}, epoch_us(ts) as us from read_parquet(?) where value is not null"
    return duckdb.execute(query, [pattern]).df()


def with_polars(pattern, paths):
    import polars

    frame = polars.read_parquet(pattern)
    return pd.DataFrame({name: frame[name].to_list() for name in ["name", "value", *ORDER]})


def main():
    pattern = sys.argv[1]
    paths = sorted(glob.glob(pattern, recursive=True))
    if not paths:
        print(f"nothing matches {pattern}", file=sys.stderr)
        return 2
    complaints = [complaint for path in paths for complaint in schema_complaints(path)]
    readers = {}
    for name, read in [("pandas", with_pandas), ("duckdb", with_duckdb), ("polars", with_polars)]:
        try:
            frame = read(pattern, paths)
        except ModuleNotFoundError:
            if name != "polars":
                raise
            continue
        readers[name] = {"rows": len(frame), "last": last_values(frame)}
    for name, found in readers.items():
        if found != readers["pandas"]:
            complaints.append(f"{name} and pandas disagree")
    print(json.dumps({"files": len(paths), "readers": readers, "complaints": complaints}, indent=1))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
