"""Gain from threads: ``python -m benchmarks.threads [--alternations 20] [--json FILE]``.

A search with the preset's islands on one thread takes turns with one with twice the islands on two threads. Counted are
the individuals that a whole search makes in a second of wall-clock time, barriers included, from its first barrier on.
Beside it stands what the machine itself gives: one process with a search on one thread, in turns with two such
processes side by side, which share nothing. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from automl_zero.evolution.config import ExperimentConfig, load_config
from automl_zero.evolution.progress import Progress
from automl_zero.evolution.search import evolve
from automl_zero.provenance import usable_cores
from benchmarks import report

_UNLIMITED = (
    "target_fitness",
    "max_individuals",
    "max_train_steps",
    "max_seconds",
    "max_experiments",
    "experiment_individuals",
    "experiment_train_steps",
)
_START_SECONDS = 120.0  # within which all processes must have started
_gate: Barrier | None = None  # in the processes side by side: where they wait for each other


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.threads", description="Measure the gain from threads.")
    parser.add_argument("--preset", default="linear-reference", help="or a .toml file; default: %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="compared with one; default: %(default)s")
    parser.add_argument("--alternations", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each search; default: %(default)g")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
    options = parser.parse_args(arguments)
    try:
        if options.threads < 2 or options.alternations < 1 or not options.seconds > 0:
            raise ValueError("expected --threads of 2 or more, --alternations of 1 or more, --seconds above 0")
        record = measure(options.preset, options.threads, options.alternations, options.seconds)
    except (RuntimeError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(text(record))
    if options.json is not None:
        report.write(options.json, record)
    return 0


def measure(preset: str, threads: int, alternations: int, seconds: float) -> dict[str, Any]:
    """Threads, then processes, one against many, in alternation; returns the report."""
    one = endless(preset)
    header = {**report.header("threads"), "preset": preset, "threads": threads, "seconds": seconds}
    header["islands_per_thread"] = one.islands
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(threads)
    with ProcessPoolExecutor(threads, context, _set_gate, (gate,)) as pool:

        def processes(count: int, number: int) -> float:
            jobs = [pool.submit(_in_process, one, number + 1000 * k, seconds, count > 1) for k in range(count)]
            return sum(job.result() for job in jobs)

        report.say("warming up")
        processes(threads, 0)
        contestants = thread_contestants(one, threads, seconds)
        contestants["one_process"] = lambda number: processes(1, number)
        contestants["all_processes"] = lambda number: processes(threads, number)
        rates = alternate(contestants, alternations)
    return {**header, "individuals_per_second": rates, "ratios": ratios(rates)}


def endless(preset: str | ExperimentConfig) -> ExperimentConfig:
    """A preset without targets or limits, so that its first experiment goes on until it is stopped."""
    return load_config(preset, [f"{name}=none" for name in _UNLIMITED])


def thread_contestants(config: ExperimentConfig, threads: int, seconds: float) -> dict[str, Callable[[int], float]]:
    """One thread, and many with as many times the islands: from the number of an alternation to a rate."""
    many = load_config(config, [f"islands={threads * config.islands}"])
    return {
        "one_thread": lambda number: search_rate(config, 1, number, seconds),
        "all_threads": lambda number: search_rate(many, threads, number, seconds),
    }


def alternate(contestants: Mapping[str, Callable[[int], float]], alternations: int) -> dict[str, list[float]]:
    """Let contestants take turns; returns what each gave, in order."""
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(alternations):
        for name, contestant in contestants.items():
            rates[name].append(contestant(number))
        shown = ", ".join(f"{name} {values[-1]:,.0f}" for name, values in rates.items())
        report.say(f"alternation {number + 1} of {alternations}, individuals/s: {shown}")
    return rates


def ratios(rates: Mapping[str, Sequence[float]]) -> dict[str, dict[str, Any]]:
    """Ratios within each alternation, and their spread.

    Returns:
        "threads" and "processes", many against one; "threads_of_processes" is how much of the machine's own gain the
        threads had.
    """
    found = {
        kind: [many / one for many, one in zip(rates[f"all_{kind}"], rates[single], strict=True)]
        for kind, single in (("threads", "one_thread"), ("processes", "one_process"))
    }
    found["threads_of_processes"] = [a / b for a, b in zip(found["threads"], found["processes"], strict=True)]
    return {kind: {**report.spread(values), "alternations": values} for kind, values in found.items()}


def search_rate(config: ExperimentConfig, threads: int, seed: int, seconds: float) -> float:
    """Individuals per second of wall-clock time of a search, from its first barrier on, for about that long."""
    barriers: list[tuple[float, int]] = []

    def watch(progress: Progress) -> bool:
        if progress.phase == "search" and (not barriers or progress.individuals > barriers[-1][1]):
            barriers.append((progress.seconds, progress.individuals))
        return not barriers or barriers[-1][0] - barriers[0][0] < seconds

    evolve(config, seed=seed, workers=threads, callback=watch)
    (start, before), (end, after) = barriers[0], barriers[-1]
    if after == before:
        raise RuntimeError(f"{seconds:g} s are too short: there were not two barriers")
    return (after - before) / (end - start)


def _set_gate(gate: Barrier) -> None:
    global _gate
    _gate = gate


def _in_process(config: ExperimentConfig, seed: int, seconds: float, together: bool) -> float:
    """Rate of a search in this process; together: all processes begin at once."""
    if together:
        assert _gate is not None
        _gate.wait(_START_SECONDS)
    return search_rate(config, 1, seed, seconds)


def text(record: dict[str, Any]) -> str:
    """The report as text."""
    threads, rates, found = record["threads"], record["individuals_per_second"], record["ratios"]
    lines = [report.header_text(record), ""]
    lines += [f"{record['preset']}, islands a thread: {record['islands_per_thread']}; individuals/s by wall clock"]
    lines += [f"{len(rates['one_thread'])} alternations of {record['seconds']:g} s each"]
    lines += [f"{'':26}{'median':>12}{'min':>12}{'max':>12}"]
    rows = {"all_threads": f"{threads} threads", "one_thread": "1 thread"}
    rows |= {"all_processes": f"{threads} processes", "one_process": "1 process"}
    for name, label in rows.items():
        spread = report.spread(rates[name])
        lines += [f"{label:26}" + "".join(f"{spread[key]:>12,.0f}" for key in ("median", "min", "max"))]
    rows = {"threads": f"{threads} threads / 1", "processes": f"{threads} processes / 1"}
    for name, label in {**rows, "threads_of_processes": "threads / processes"}.items():
        lines += [f"{label:26}" + "".join(f"{found[name][key]:>12.3f}" for key in ("median", "min", "max"))]
    if threads > usable_cores():
        lines += [f"There are only {usable_cores()} cores for {threads} threads."]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
