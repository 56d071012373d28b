"""What the benchmarks' reports have in common: where and when they were made, progress, statistics, files."""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automl_zero.provenance import machine, versions


def header(benchmark: str) -> dict[str, Any]:
    """The first entries of a report; the load average tells whether the machine was busy with something else."""
    return {
        "benchmark": benchmark,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "load_average": [round(load, 2) for load in os.getloadavg()]},
        "versions": versions(),
    }


def header_text(record: Mapping[str, Any]) -> str:
    """The same as two lines of text."""
    place, used = record["machine"], record["versions"]
    packages = ", ".join(f"{name} {used[name]}" for name in ("automl-zero", "python", "numba", "llvmlite", "numpy"))
    load = " ".join(map(str, place["load_average"]))
    return f"{record['date']}  {place['processor']}, {place['usable_cores']} cores, load {load}\n{packages}"


def parse_seeds(text: str) -> list[int]:
    """Seeds from a text like ``0-9`` or ``0,3,5-7``; ValueError when it is none."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        last = last if dash else first
        if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
            raise ValueError(f"{text!r}: expected seeds like 0-9 or 0,3,5-7")
        seeds += range(int(first), int(last) + 1)
    return seeds


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest of some values."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def say(message: str) -> None:
    """A line of progress, to stderr."""
    print(message, file=sys.stderr, flush=True)


def to_text(record: Mapping[str, Any]) -> str:
    """A report as JSON."""
    return json.dumps(record, indent=2, allow_nan=False)


def write(path: Path, record: Mapping[str, Any]) -> None:
    """Write a report as a JSON file, complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(to_text(record) + "\n", encoding="utf-8")
    temporary.replace(path)
