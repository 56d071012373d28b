"""Memory of a long search: ``python -m benchmarks.memory PRESET [--minutes 20] [--json FILE] [--plot FILE]``.

Runs ``automl-zero evolve PRESET`` without a target in a process of its own, for that long, and samples its resident
size (VmRSS of /proc/PID/status, so Linux only). Reported are the peak, and the growth once the run has settled: the
compiled code is loaded, and the pages of populations and caches, which come as they are first written, are there.
Beside it stands what the arrays of each preset take by their sizes. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import plots, report
from benchmarks.array_sizes import array_sizes
from benchmarks.fits import slope
from benchmarks.processes import EVOLVE_STATUS

SETTLED_SECONDS = 120.0  # after this long the growth counts
_MIB_PER_KIB = 1 / 1024


@dataclass(frozen=True)
class Watched:
    """A process that has ended.

    Attributes:
        output: what it wrote to stdout.
        samples: seconds since its start and resident size in MiB, in order.
        peak_mib: largest resident size until the last sample, by the kernel's own account.
    """

    output: str
    samples: list[tuple[float, float]]
    peak_mib: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description="Measure a search's memory.")
    parser.add_argument("preset", help="name of a preset, or a configuration file (.toml)")
    parser.add_argument("--minutes", type=float, default=20.0, help="how long to search; default: %(default)g")
    parser.add_argument("--workers", type=int, default=1, help="threads; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--interval", type=float, default=5.0, help="seconds between samples; default: %(default)g")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the resident size over time there, as PNG")
    options = parser.parse_args(arguments)
    try:
        if options.plot is not None:
            plots.check_available()
        if not (options.minutes > 0 and options.interval > 0):
            raise RuntimeError("--minutes and --interval: expected more than 0")
        record = measure(options.preset, options.minutes, options.interval, options.workers, options.seed)
    except RuntimeError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(text(record))
    if options.json is not None:
        report.write(options.json, record)
    if options.plot is not None:
        _draw(options.plot, record)
    return 0


def measure(preset: str, minutes: float, interval: float, workers: int = 1, seed: int = 0) -> dict[str, Any]:
    """Search for some minutes; returns the report.

    Raises:
        RuntimeError: the process failed, or ended before it could be sampled.
    """
    header = {**report.header("memory"), "preset": preset, "minutes": minutes, "workers": workers, "seed": seed}
    source = ["--config", preset] if preset.endswith(".toml") else [preset]
    limits = ["max-individuals", "max-train-steps", "max-experiments", "target-fitness"]
    unlimited = [argument for name in limits for argument in (f"--{name}", "none")]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "automl_zero", "evolve", *source, *unlimited]
        command += ["--max-seconds", str(60 * minutes), "--workers", str(workers), "--seed", str(seed)]
        watched = watch([*command, "--json", "--out", os.path.join(folder, "run")], interval)
    result = json.loads(watched.output)
    return {
        **header,
        **growth(watched.samples, 60 * minutes),
        # The final score comes last and may fall between two samples.
        "peak_mib": max(watched.peak_mib, result["cost"]["peak_memory_mib"]),
        "individuals": result["individuals"],
        "experiments": len(result["experiments"]),
        "arrays": [array_sizes(name) for name in dict.fromkeys([preset, "linear", "digits"])],
        "samples": [(round(seconds, 1), round(size, 2)) for seconds, size in watched.samples],
    }


def watch(command: Sequence[str], interval: float) -> Watched:
    """Run a command and sample its resident size until it ends.

    Raises:
        RuntimeError: it failed; the message ends with what it wrote to stderr.
    """
    # Files instead of pipes, because nobody would empty a pipe meanwhile.
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=errors, stdin=subprocess.DEVNULL)
        samples, peak, running = [], 0.0, True
        try:
            while running:
                sizes = _sizes(process.pid)
                if "VmRSS" in sizes:
                    samples.append((time.perf_counter() - start, sizes["VmRSS"]))
                    peak = max(peak, *sizes.values())  # the kernel's account of the peak lags a little behind
                try:
                    process.wait(interval)
                    running = False
                except subprocess.TimeoutExpired:
                    pass
        except BaseException:
            process.kill()
            process.wait()
            raise
        output.seek(0)
        errors.seek(0)
        if process.returncode not in EVOLVE_STATUS:
            raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}\n{errors.read()[-2000:]}")
        return Watched(output.read(), samples, peak)


def _sizes(process: int) -> dict[str, float]:
    """Resident size (VmRSS) and its peak so far (VmHWM) in MiB; nothing of a process that has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        if not Path("/proc/self/status").exists():
            raise RuntimeError("resident sizes are read from /proc/PID/status, which this system has not") from None
        return {}
    fields = (line.partition(":") for line in lines)
    return {name: int(value.split()[0]) * _MIB_PER_KIB for name, _, value in fields if name in ("VmRSS", "VmHWM")}


def growth(samples: Sequence[tuple[float, float]], search_seconds: float) -> dict[str, Any]:
    """How the resident size grew from minute 2 on, or in the second half of a run of less than four minutes.

    Args:
        samples: seconds and MiB.
        search_seconds: what comes later is the final score, not the search, and does not count.

    Raises:
        RuntimeError: fewer than two samples are left.
    """
    settled = min(SETTLED_SECONDS, search_seconds / 2)
    counted = [(seconds, size) for seconds, size in samples if settled <= seconds <= search_seconds]
    if len(counted) < 2:
        raise RuntimeError(f"{len(counted)} samples of the settled search: expected at least 2; sample more often")
    seconds, sizes = zip(*counted, strict=True)
    return {
        "growth_from_seconds": seconds[0],
        "growth_to_seconds": seconds[-1],
        "settled_mib": sizes[0],
        "end_mib": sizes[-1],
        "growth_mib": sizes[-1] - sizes[0],
        "growth_mib_per_hour": 3600 * slope(seconds, sizes),
    }


def text(record: dict[str, Any]) -> str:
    """The report as text."""
    first, last = (record[f"growth_{end}_seconds"] / 60 for end in ("from", "to"))
    lines = [report.header_text(record), ""]
    lines += [f"{record['preset']}, {record['minutes']:g} minutes, workers: {record['workers']}"]
    lines += [f"{record['individuals']:,} individuals in {record['experiments']:,} experiments"]
    lines += [f"peak resident size  {record['peak_mib']:.1f} MiB"]
    lines += [f"settled, end        {record['settled_mib']:.1f} MiB, {record['end_mib']:.1f} MiB"]
    lines += [
        (
            f"growth              {record['growth_mib']:.1f} MiB from minute {first:.1f} to {last:.1f}; "
            f"{record['growth_mib_per_hour']:.1f} MiB an hour by least squares"
        )
    ]
    lines += ["", "Arrays by their sizes: bytes of an individual; MiB of all islands and of task sets in lanes"]
    columns = (
        "slots",
        "code",
        "constants",
        "sizes",
        "fitness",
        "hash",
        "total",
        "islands",
        "pop.",
        "lineage",
        "caches",
        "tasks",
    )
    lines += [f"{'':18}" + "".join(f"{column:>10}" for column in columns)]
    for entry in record["arrays"]:
        part = entry["bytes_per_individual"]
        numbers = [entry["slots"], *(part[name] for name in ("code", "constants", "sizes", "fitness", "hashes"))]
        numbers += [sum(part.values()), entry["islands"]]
        sizes = (entry[f"{name}_mib"] for name in ("populations", "lineage", "caches", "tasks"))
        lines += [
            f"{entry['preset']:18}" + "".join(f"{n:>10}" for n in numbers) + "".join(f"{s:>10.2f}" for s in sizes)
        ]
    return "\n".join(lines)


def _draw(path: Path, record: dict[str, Any]) -> None:
    seconds, sizes = zip(*record["samples"], strict=True)
    settled = record["growth_from_seconds"] / 60
    title = f"{record['preset']}: {record['growth_mib_per_hour']:.1f} MiB an hour after minute {settled:.1f}"
    curve = plots.Curve("resident size", [s / 60 for s in seconds], sizes)
    plots.draw(path, title, "minutes", "MiB", [curve], logarithmic=False)


if __name__ == "__main__":
    sys.exit(main())
