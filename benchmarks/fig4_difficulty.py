"""The paper's Figure 4: evolution against random search, on tasks of growing difficulty.

Counted are acceptable programs, those with a lower mean error than the hand-designed program on the same three tasks:
of random search every one among the programs drawn, of evolution at most one an experiment. The ratio of the two rates,
at equal numbers of individuals, is the advantage of evolution. See docs/experiments.md.

    python -m benchmarks.fig4_difficulty --scale hour --out runs/fig4
"""

from __future__ import annotations

import argparse
import functools
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from automl_zero import __version__
from automl_zero.provenance import usable_cores
from benchmarks import experiment, plots, report
from benchmarks.board import make_board
from benchmarks.difficulty import LEARNING_RATE, NEAR, ROWS, Counts, Searches
from benchmarks.ledger import Key, Ledger
from benchmarks.rates import Bounded, rate, rate_ratio
from benchmarks.workers import Tell, run

_SEARCHES = ("random", "evolution")
_MEASURES = ("acceptable", "near")


@dataclass(frozen=True)
class Scale:
    """How much is run. A search of a row ends with the first of its limits.

    Attributes:
        successes: acceptable programs, or experiments that found one, that are enough.
        cpu_seconds: limits on CPU time, by row and search.
        units: limit on the number of units of work.
        experiments: with evolution, in a unit.
        draws: random programs in a unit, on each of `task_sets` sets of tasks.
        task_sets: see there.
    """

    successes: int
    cpu_seconds: Mapping[str, Mapping[str, float]]
    units: int | None = None
    experiments: int = 50
    draws: int = 2_000_000
    task_sets: int = 5


def _limits(*seconds: tuple[float, float]) -> dict[str, dict[str, float]]:
    return {name: dict(zip(_SEARCHES, row, strict=True)) for name, row in zip(ROWS, seconds, strict=True)}


SCALES = {
    "smoke": Scale(10**6, _limits((60, 60), (60, 60), (60, 60)), units=2, experiments=2, draws=100_000, task_sets=1),
    "hour": Scale(100, _limits((300, 600), (1500, 1900), (900, 1200))),
    "full": Scale(200, _limits((3_000, 3_000), (40_000, 40_000), (100_000, 40_000))),
}


def plan(scale: Scale, ledger: Ledger) -> Iterator[Key]:
    """The units of work, until the ledger tells that there are enough."""
    for row in ROWS:
        for search in _SEARCHES:
            unit = 0
            while (scale.units is None or unit < scale.units) and not _is_done(row, search, scale, ledger):
                yield {"row": row, "search": search, "unit": unit}
                unit += 1


def _is_done(row: str, search: str, scale: Scale, ledger: Ledger) -> bool:
    results = [found["result"] for found in ledger.runs(row=row, search=search)]
    successes: int = sum(result["acceptable"] for result in results)
    seconds: float = sum(result["cpu_seconds"] for result in results)
    return successes >= scale.successes or seconds >= scale.cpu_seconds[row][search]


def work(key: Key, settings: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """A unit of work: the counts, and the CPU time they took."""
    searches, start = _searches(key["row"]), time.process_time()
    parts = settings["experiments"] if key["search"] == "evolution" else settings["task_sets"]
    counts = Counts()
    for part in range(parts):
        seed = settings["seed"] * 1_000_000 + key["unit"] * parts + part
        counts += searches.evolve(seed) if key["search"] == "evolution" else searches.draw(seed, settings["draws"])
        tell((part + 1) / parts, "")
    return {**asdict(counts), "cpu_seconds": time.process_time() - start}


@functools.cache
def _searches(row: str) -> Searches:
    """Searches for which everything has been compiled."""
    searches = Searches(ROWS[row])
    searches.draw(0, 1)
    searches.evolve(0)
    return searches


def summarize(ledger: Ledger) -> dict[str, Any]:
    """For every row: what either search has found, and the ratio of their rates, by either measure."""
    return {row: _summary(row, ledger) for row in ROWS if ledger.runs(row=row)}


def _summary(row: str, ledger: Ledger) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for search in _SEARCHES:
        results = [one["result"] for one in ledger.runs(row=row, search=search)]
        names = ("individuals", "trials", *_MEASURES, "cpu_seconds")
        found[search] = {name: sum(result[name] for result in results) for name in names}
    summary: dict[str, Any] = {**found, "paper_ratio": ROWS[row].paper_ratio}
    summary["paper_difficulty"] = ROWS[row].paper_difficulty
    if not all(found[search]["individuals"] for search in _SEARCHES):
        return summary
    evolution, drawn = found["evolution"], found["random"]
    for measure in _MEASURES:
        advantage = rate_ratio(
            evolution[measure], evolution["individuals"], drawn[measure], drawn["individuals"]
        ).to_dict()
        summary[measure] = {
            "ratio": advantage,
            "difficulty": _difficulty(rate(drawn[measure], drawn["individuals"])).to_dict(),
            "contains_paper": _contains(advantage, ROWS[row].paper_ratio),
        }
    return summary


def _difficulty(found: Bounded) -> Bounded:
    """log10 of the random programs for a success, from successes a program."""
    value, low, high = (-math.log10(part) if part else None for part in (found.value, found.low, found.high))
    return Bounded(value, high, low)


def _contains(interval: Mapping[str, float | None], value: float) -> bool:
    low, high = interval["low"], interval["high"]
    return low is not None and low <= value and (high is None or value <= high)


def text(record: Mapping[str, Any]) -> str:
    """The report as text."""
    lines = [report.header_text(record), ""]
    lines += [f"acceptable: a lower mean error than the hand-designed program, learning rate {LEARNING_RATE:g}"]
    lines += [f"near: at most {NEAR:g} times its error; difficulty: log10 of the random programs for a success", ""]
    for row, found in record["summary"].items():
        lines.append(f"{row} (paper: ratio {found['paper_ratio']:g}, difficulty {found['paper_difficulty']:g})")
        for search in _SEARCHES:
            one = found[search]
            lines.append(
                f"  {search:10}{one['individuals']:.3g} individuals, {one['trials']:.3g} trials: "
                f"{one['acceptable']} acceptable, {one['near']} near; {one['cpu_seconds']:.0f} CPU s"
            )
        for measure in _MEASURES:
            if measure in found:
                ratio, difficulty = found[measure]["ratio"], found[measure]["difficulty"]
                lines.append(f"  {measure:12}ratio {_shown(ratio)}; difficulty {_shown(difficulty)}")
    lines += ["", "affine, all three (paper: ratio 23,000, difficulty 12.1): out of reach of random search here"]
    return "\n".join(lines)


def _shown(bounded: Mapping[str, float | None]) -> str:
    value, low, high = (("none" if part is None else f"{part:.3g}") for part in bounded.values())
    return f"{value} (95 %: {low} to {high})"


def plot(record: Mapping[str, Any], path: Path) -> None:
    """Ratio against difficulty, beside the paper's points."""
    rows = record["summary"].values()
    paper = plots.Points(
        "paper", [row["paper_difficulty"] for row in rows], [row["paper_ratio"] for row in rows], marker="x"
    )
    series = [paper]
    for measure, marker in zip(_MEASURES, "os", strict=True):
        whole = [row[measure] for row in rows if measure in row and _is_whole(row[measure])]
        if whole:
            x = [found["difficulty"]["value"] for found in whole]
            y, low, high = ([found["ratio"][part] for found in whole] for part in ("value", "low", "high"))
            series.append(plots.Points(f"{measure}, 95 % interval", x, y, low, high, marker))
    x_label = "difficulty: log10 of random programs for a success"
    plots.draw_points(path, "Evolution against random search", x_label, "ratio of success", series, logarithmic=True)


def _is_whole(found: Mapping[str, Any]) -> bool:
    ratio = found["ratio"]
    return None not in ratio.values() and ratio["low"] > 0.0


def measure(scale: str, seed: int, out: Path, workers: int) -> dict[str, Any]:
    """Do what is left of the work; returns the report, which is written with its plot when the work ends or stops."""
    plots.check_available()
    chosen = SCALES[scale]
    settings = {"benchmark": "fig4_difficulty", "version": __version__, "scale": scale, "seed": seed}
    settings |= {"experiments": chosen.experiments, "draws": chosen.draws, "task_sets": chosen.task_sets}
    settings["learning_rate"] = LEARNING_RATE
    with Ledger(out / "units.jsonl", settings) as ledger:
        board = make_board(f"fig4_difficulty, scale {scale}", len(ledger.results), None, _describe)
        try:
            with board:
                run(work, settings, plan(chosen, ledger), ledger, workers, board)
        finally:
            record = {**report.header("fig4_difficulty"), **settings, "summary": summarize(ledger)}
            record["units"] = ledger.runs()
            report.write(out / "fig4-difficulty.json", record)
            if record["summary"]:
                plot(record, out / "fig4-difficulty.png")
    return record


def _describe(key: Key, result: Mapping[str, Any]) -> str:
    return f"{result['acceptable']} acceptable, {result['near']} near, {result['cpu_seconds']:.1f} CPU s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fig4_difficulty", description="Compare evolution with random search (Figure 4)."
    )
    parser.add_argument("--scale", choices=SCALES, default="hour", help="hour: within an hour on two cores (default)")
    parser.add_argument("--seed", type=int, default=0, help="of the whole; default: %(default)s")
    parser.add_argument("--out", type=Path, metavar="DIR", help="for units.jsonl, the report and the plot")
    parser.add_argument("--workers", type=int, metavar="N", help="processes at a time; default: all cores")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments)
    out = options.out or Path("runs") / f"fig4-{options.scale}"

    def work_and_print() -> str:
        if options.seed < 0 or (options.workers is not None and options.workers < 1):
            raise ValueError("expected a --seed of 0 or more, and --workers of 1 or more")
        record = measure(options.scale, options.seed, out, options.workers or usable_cores())
        return report.to_text(record) if options.json else text(record)

    return experiment.main(work_and_print, parser.prog)


if __name__ == "__main__":
    sys.exit(main())
