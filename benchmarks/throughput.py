"""Speed of evaluation and search: ``python -m benchmarks.throughput [--json] [--quick] [--out FILE]``.

See README.md in this folder for what is measured, and how. Progress goes to stderr, the report to stdout.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import evaluation_speed, processes, report, search_speed


@dataclass(frozen=True)
class Effort:
    """How much to measure.

    Attributes:
        rounds: samples of every evaluation time.
        sample_seconds: least CPU time of a sample.
        seeds: of the searches.
        individuals: made with each seed.
        memory_individuals: made in the processes whose memory is measured.
        starts: processes whose start is timed, besides the first with an empty cache; 0 for neither.
    """

    rounds: int = 31
    sample_seconds: float = 0.02
    seeds: tuple[int, ...] = tuple(range(10))
    individuals: int = 1_000_000
    memory_individuals: int = 200_000
    starts: int = 5


QUICK = Effort(rounds=3, sample_seconds=0.001, seeds=(0,), individuals=20_000, memory_individuals=5_000, starts=0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description="Measure speed.")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--quick", action="store_true", help="few repetitions: to try it out, not to report")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the report there, as JSON")
    options = parser.parse_args(arguments)
    try:
        record = run(QUICK if options.quick else Effort(), options.quick)
    except RuntimeError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(report.to_text(record) if options.json else text(record))
    if options.out is not None:
        report.write(options.out, record)
    return 0


def run(effort: Effort, quick: bool = False) -> dict[str, Any]:
    """Measure everything; returns the report."""
    record = {**report.header("throughput"), "quick": quick, "clock": evaluation_speed.CLOCK}
    # First, because Linux counts what this process holds when it starts another one as that one's peak memory.
    record["processes"] = [_process(preset, effort) for preset in search_speed.PRESETS]
    record["evaluations"] = []
    for case in evaluation_speed.CASES:
        report.say(f"evaluation: {case.name}")
        record["evaluations"].append(evaluation_speed.measure(case, effort.rounds, effort.sample_seconds))
    record["searches"] = _searches(effort)
    return record


def _searches(effort: Effort) -> list[dict[str, Any]]:
    presets = search_speed.PRESETS
    report.say("search: warming up")
    warm_up = {preset: search_speed.warm_up(preset) for preset in presets}
    seeds: dict[str, list[dict[str, Any]]] = {preset: [] for preset in presets}
    for seed in effort.seeds:  # the presets in turn, so that a slow spell of the machine meets both
        for preset in presets:
            seeds[preset].append(search_speed.measure_seed(preset, seed, effort.individuals))
            rate = seeds[preset][-1]["individuals_per_second"]
            report.say(f"search: {preset}, seed {seed}: {rate:,.0f} individuals/s")
    return [
        {**search_speed.summary(preset, seeds[preset]), "warm_up_seconds": round(warm_up[preset], 3)}
        for preset in presets
    ]


def _process(preset: str, effort: Effort) -> dict[str, Any]:
    """Peak memory and start-up time of ``automl-zero evolve``, in processes of their own."""
    report.say(f"process: {preset}")
    one = [preset, "--max-individuals", "1"]
    processes.evolve(one)  # compiles, if need be: compilers take memory
    searched = processes.evolve([preset, "--max-individuals", str(effort.memory_individuals)])
    record: dict[str, Any] = {"preset": preset, "peak_memory_mib": round(searched.peak_memory_mib, 1)}
    if effort.starts:
        with tempfile.TemporaryDirectory() as cache:
            record["first_start_seconds"] = processes.evolve(one, {"AUTOML_ZERO_CACHE": cache}).seconds
        record["later_start_seconds"] = statistics.median(processes.evolve(one).seconds for _ in range(effort.starts))
    return record


def text(record: dict[str, Any]) -> str:
    """The report as text."""
    lines = [report.header_text(record), ""]
    if record["quick"]:
        lines += ["A quick run: the figures are rough.", ""]
    lines += [f"Full evaluation, 10 tasks; {record['clock']}, medians"]
    lines += [
        "Speedup over the stand-in (see benchmarks/README.md): ratio of the medians, median of the rounds' ratios"
    ]
    lines += [f"{'':36}{'time':>10}{'train steps/s':>16}{'speedup':>10}{'':>10}"]
    for case in record["evaluations"]:
        sizes = f"{case['name']} {case['num_train']}/{case['num_valid']}"
        for name in ("stand_in_float64", "float32", "float64"):
            entry = case[name]
            line = f"{sizes:27}{_LABELS[name]:9}{_time(entry['seconds']):>10}{entry['train_steps_per_second']:>16,.0f}"
            if name != "stand_in_float64":
                line += f"{entry['speedup_ratio_of_medians']:>9.1f}x{entry['speedup_median_of_ratios']:>9.1f}x"
            lines.append(line)
            sizes = ""
    lines += ["", "Search, one thread, caches on; medians over the seeds"]
    lines += [f"{'':20}{'individuals/s':>16}{'evaluated/s':>16}{'train steps/s':>16}{'seeds':>8}{'individuals':>14}"]
    for entry in record["searches"]:
        rates = (entry[f"{name}_per_second"]["median"] for name in ("individuals", "evaluated", "train_steps"))
        made = entry["seeds"][0]["individuals"]
        lines.append(f"{entry['preset']:20}" + "".join(f"{rate:>16,.0f}" for rate in rates))
        lines[-1] += f"{len(entry['seeds']):>8}{made:>14,}"
    lines += ["", "Processes: automl-zero evolve"]
    for entry in record["processes"]:
        line = f"{entry['preset']:20}peak memory {entry['peak_memory_mib']:.0f} MiB"
        if "first_start_seconds" in entry:
            line += f"; a run of one individual takes {entry['first_start_seconds']:.1f} s with an empty cache, "
            line += f"{entry['later_start_seconds']:.1f} s later"
        lines.append(line)
    return "\n".join(lines)


_LABELS = {"stand_in_float64": "stand-in", "float32": "float32", "float64": "float64"}


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


if __name__ == "__main__":
    sys.exit(main())
