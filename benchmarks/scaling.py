"""How costs grow with sizes: ``python -m benchmarks.scaling [--quick] [--json FILE] [--plots DIR]``.

Measured are: a full evaluation over the number of features F, tasks D, live instructions and examples N; single ops on
vectors over F; an individual over the population size P, with and without its evaluation; and individuals per second
over the number of threads. Exponents are slopes on log-log axes, by least squares over the upper half of the range of
sizes on the logarithmic axis (the points at and above the middle, sqrt(smallest * largest)). See README.md in this
folder. Progress goes to stderr, the report to stdout.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import evaluation_speed, plots, report, threads
from benchmarks.fits import PowerLaw, power_law
from benchmarks.scaling_series import Series, Sizes, all_series, sample

_PRESET = "linear-reference"


@dataclass(frozen=True)
class Effort:
    """How much to measure.

    Attributes:
        sizes: the sizes that are tried.
        rounds: samples of every point.
        alternations: of one thread and two.
        seconds: of each search on one thread or two.
    """

    sizes: Sizes = field(default_factory=Sizes)
    rounds: int = 15
    alternations: int = 7
    seconds: float = 1.0


QUICK = Effort(
    Sizes(
        features=(4, 8, 40),
        matrix_features=(4, 8),
        tasks=(1, 8, 10),
        extra=(0, 4, 16),
        examples=(10, 30, 100),
        populations=(100, 300),
        individuals=2000,
        sample_seconds=0.0005,
    ),
    rounds=2,
    alternations=1,
    seconds=0.05,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description="Measure how costs grow.")
    parser.add_argument("--quick", action="store_true", help="few, small sizes: to try it out, not to report")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw PNG files there")
    options = parser.parse_args(arguments)
    try:
        if options.plots is not None:
            plots.check_available()
        record = run(QUICK if options.quick else Effort(), options.quick)
    except RuntimeError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(text(record))
    if options.json is not None:
        report.write(options.json, record)
    if options.plots is not None:
        draw(options.plots, record)
    return 0


def run(effort: Effort, quick: bool = False) -> dict[str, Any]:
    """Measure everything; returns the report."""
    record = {**report.header("scaling"), "quick": quick, "rounds": effort.rounds, "clock": evaluation_speed.CLOCK}
    record["series"] = []
    for make in all_series(effort.sizes):
        series = make()
        report.say(f"{series.title} over {series.variable}")
        record["series"].append(series_record(series, sample(series, effort.rounds)))
    report.say("threads")
    config = threads.endless(_PRESET)
    contestants = threads.thread_contestants(config, 2, effort.seconds)
    threads.search_rate(config, 1, 0, effort.seconds)  # warms up
    rates = threads.alternate(contestants, effort.alternations)
    ratios = [two / one for two, one in zip(rates["all_threads"], rates["one_thread"], strict=True)]
    record["threads"] = {
        "preset": _PRESET,
        "individuals_per_second": {
            "1": report.spread(rates["one_thread"]),
            "2": report.spread(rates["all_threads"]),
        },
        "ratio": report.spread(ratios),
    }
    return record


def series_record(series: Series, samples: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Medians with their spread, and the exponent of the medians."""
    spreads = [report.spread(values) for values in samples]
    fit = power_law(series.x, [spread["median"] for spread in spreads])
    return {
        "name": series.name,
        "title": series.title,
        "variable": series.variable,
        "setting": series.setting,
        "points": [{"x": x, "seconds": spread} for x, spread in zip(series.x, spreads, strict=True)],
        "fit": None if fit is None else fit.to_dict(),
    }


def text(record: dict[str, Any]) -> str:
    """The report as text."""
    lines = [report.header_text(record), ""]
    if record["quick"]:
        lines += ["A quick run: the figures are rough.", ""]
    lines += [f"{record['clock']}; medians of {record['rounds']} rounds"]
    for series in record["series"]:
        variable = series["variable"]
        lines += ["", f"{series['title']} ({series['setting']})"]
        per_size = f"time / {variable}" if variable != "P" else ""  # an individual is one of P, whatever P is
        lines += [f"{variable:>18}{'time':>12}{'min':>12}{'max':>12}{per_size:>26}"]
        for point in series["points"]:
            seconds = point["seconds"]
            line = f"{point['x']:>18,}" + "".join(f"{_time(seconds[name]):>12}" for name in ("median", "min", "max"))
            if per_size:
                line += f"{_time(seconds['median'] / point['x']):>26}"
            lines += [line]
        if series["fit"] is not None:
            law = PowerLaw(**series["fit"])
            lines += [f"  grows as {variable} ** {law.exponent:.2f} from {law.low:g} to {law.high:g}"]
    rates, ratio = record["threads"]["individuals_per_second"], record["threads"]["ratio"]
    lines += ["", f"search of {record['threads']['preset']}, an island a thread, by wall clock"]
    lines += [f"{'threads':>18}{'individuals/s':>16}"]
    lines += [f"{count:>18}{rate['median']:>16,.0f}" for count, rate in rates.items()]
    lines += [f"  2 threads / 1: {ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})"]
    return "\n".join(lines)


def draw(folder: Path, record: dict[str, Any]) -> None:
    """One plot for each size that varies, as PNG files named scaling-SIZE.png."""
    by_variable: dict[str, list[dict[str, Any]]] = {}
    for series in record["series"]:
        by_variable.setdefault(series["variable"], []).append(series)
    for variable, group in by_variable.items():
        file = folder / f"scaling-{variable.replace(' ', '-')}.png"
        plots.draw(file, f"Time over {variable}", variable, "seconds", [_curve(s) for s in group], logarithmic=True)


def _curve(series: dict[str, Any]) -> plots.Curve:
    x = [point["x"] for point in series["points"]]
    y, low, high = ([point["seconds"][name] for point in series["points"]] for name in ("median", "min", "max"))
    fit = None if series["fit"] is None else PowerLaw(**series["fit"])
    return plots.Curve(series["title"], x, y, low, high, fit)


def _time(seconds: float) -> str:
    unit, factor = next(
        ((unit, factor) for unit, factor in (("ns", 1e9), ("µs", 1e6)) if abs(seconds) * factor < 1000), ("ms", 1e3)
    )
    return f"{seconds * factor:.4g} {unit}"


if __name__ == "__main__":
    sys.exit(main())
