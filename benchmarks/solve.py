"""Cost of solving a preset: ``python -m benchmarks.solve PRESET [--seeds 0-9] [--max-seconds S] [--json]``.

Every seed is a fresh process of ``automl-zero evolve`` with one thread. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import processes, report

_FIGURES = (
    "counted_cpu_seconds",
    "cpu_seconds",
    "seconds",
    "individuals",
    "individuals_per_second",
    "evaluated",
    "evaluated_per_second",
    "experiments",
    "select_fitness",
    "final_fitness",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.solve", description="Measure the cost of solving.")
    parser.add_argument("preset", help="name of a preset, or a configuration file (.toml)")
    parser.add_argument("--seeds", default="0-9", help="such as 0-9 or 0,3,5-7; default: %(default)s")
    parser.add_argument("--max-seconds", type=float, default=600.0, help="limit of each run; default: %(default)s")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as for automl-zero evolve")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the report there, after every seed")
    options = parser.parse_args(arguments)
    try:
        seeds = report.parse_seeds(options.seeds)
        if not options.max_seconds > 0:
            raise ValueError(f"--max-seconds is {options.max_seconds}: expected more than 0")
        record = measure(options.preset, seeds, options.max_seconds, options.set, options.out)
    except (RuntimeError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    print(report.to_text(record) if options.json else text(record))
    return 0


def measure(
    preset: str, seeds: Sequence[int], max_seconds: float, settings: Sequence[str] = (), out: Path | None = None
) -> dict[str, Any]:
    """Run every seed; returns the report and keeps a file up to date with it.

    Raises:
        RuntimeError: a run failed.
    """
    source = ["--config", preset] if preset.endswith(".toml") else [preset]
    source += [argument for setting in settings for argument in ("--set", setting)]
    header = {**report.header("solve"), "preset": preset, "settings": list(settings), "max_seconds": max_seconds}
    report.say("warming up")
    warm_up = processes.evolve([*source, "--max-individuals", "1"])
    header["warm_up_seconds"] = round(warm_up.seconds, 3)
    runs: list[dict[str, Any]] = []
    record: dict[str, Any] = header
    for seed in seeds:
        limits = ["--seed", str(seed), "--max-seconds", str(max_seconds)]
        runs.append(_run_record(seed, processes.evolve([*source, *limits]), max_seconds))
        report.say(_line(runs[-1]))
        record = {**header, "summary": _summary(runs), "runs": runs}
        if out is not None:
            report.write(out, record)
    return record


def _run_record(seed: int, finished: processes.Finished, max_seconds: float) -> dict[str, Any]:
    result = finished.result
    search_seconds = max(sum(experiment["seconds"] for experiment in result["experiments"]), 1e-3)
    return {
        "seed": seed,
        "solved": result["solved"],
        "counted_cpu_seconds": finished.cpu_seconds if result["solved"] else max_seconds,
        "cpu_seconds": finished.cpu_seconds,
        "seconds": finished.seconds,
        "search_seconds": search_seconds,
        "individuals": result["individuals"],
        "individuals_per_second": result["individuals"] / search_seconds,
        "evaluated": result["evaluated"],
        "evaluated_per_second": result["evaluated"] / search_seconds,
        "train_steps": result["train_steps"],
        "experiments": len(result["experiments"]),
        "select_tests": sum(experiment["select_tests"] for experiment in result["experiments"]),
        "search_fitness": result["search_fitness"],
        "select_fitness": result["select_fitness"],
        "final_fitness": result["final_fitness"],
        "peak_memory_mib": finished.peak_memory_mib,
    }


def _summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Number of seeds solved; median, smallest and largest of the figures."""
    figures = {name: report.spread([run[name] for run in runs]) for name in _FIGURES}
    return {"seeds": len(runs), "solved": sum(run["solved"] for run in runs), **figures}


def text(record: dict[str, Any]) -> str:
    """The report as text."""
    found = record["summary"]
    settings = "".join(f", {setting}" for setting in record["settings"])
    lines = [report.header_text(record), ""]
    lines += [f"{record['preset']}{settings}: at most {record['max_seconds']:g} s a seed; unsolved counts as that"]
    lines += [_HEADING, *(_line(run) for run in record["runs"])]
    medians = {name: found[name]["median"] for name in _FIGURES}
    lines += [_line({**medians, "seed": "median", "solved": f"{found['solved']}/{found['seeds']}"})]
    cost = found["counted_cpu_seconds"]
    lines += ["", f"CPU seconds to solve: median {cost['median']:.1f} ({cost['min']:.1f} to {cost['max']:.1f})"]
    return "\n".join(lines)


_HEADING = (
    f"{'seed':>8}{'solved':>8}{'CPU s':>9}{'s':>9}{'individuals':>13}{'/s':>10}{'evaluated/s':>12}"
    f"{'experiments':>12}{'select':>10}{'final':>10}"
)


def _line(run: dict[str, Any]) -> str:
    solved = run["solved"] if isinstance(run["solved"], str) else ("yes" if run["solved"] else "no")
    return (
        f"{run['seed']:>8}{solved:>8}{run['cpu_seconds']:>9.1f}{run['seconds']:>9.1f}{run['individuals']:>13,.0f}"
        f"{run['individuals_per_second']:>10,.0f}{run['evaluated_per_second']:>12,.0f}{run['experiments']:>12g}"
        f"{run['select_fitness']:>10.6f}{run['final_fitness']:>10.6f}"
    )


if __name__ == "__main__":
    sys.exit(main())
