"""How the search went: fitness, caches and speed over the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby, pairwise

from automl_zero.report import numbers
from automl_zero.report.charts import Axis, Line, Point, line_chart, thinned
from automl_zero.report.markup import Markup, element, folded, paragraph, table
from automl_zero.report.report import Report
from automl_zero.report.run_facts import Metric

_RATES = {
    "canonical_hit_rate": "canonical cache",
    "fec_hit_rate": "functional cache",
    "hurdle_stop_rate": "stopped at a hurdle",
    "over_budget_rate": "over the budget",
}

_MAX_LISTED = 200  # experiments


def search(report: Report) -> Markup:
    """Charts, and a table of the experiments."""
    metrics = report.facts.metrics
    if not metrics:
        return paragraph("The run has not reported any progress yet.")
    individuals = Axis("individuals", numbers.short_count, low=0.0)
    longest = metrics[-1].seconds
    unit, factor = ("hours", 3600.0) if longest > 7200 else ("minutes", 60.0) if longest > 300 else ("seconds", 1.0)
    time = Axis(unit, lambda value: f"{value:g}", low=0.0)
    charts = [
        _fitness("individuals-chart", "Fitness against individuals", metrics, lambda m: m.individuals, individuals),
        _fitness("time-chart", "Fitness against time", metrics, lambda m: m.seconds / factor, time),
        _caches(metrics, individuals),
        _speed(metrics, time, factor),
    ]
    remark = "Vertical lines are the starts of experiments: each begins anew, with a new population."
    several = metrics[-1].experiment > 1
    return Markup(
        element("div", *charts, class_="charts")
        + (paragraph(remark, class_="remark") if several else "")
        + _experiments(report)
    )


def _fitness(ident: str, title: str, metrics: tuple[Metric, ...], x: Callable[[Metric], float], axis: Axis) -> Markup:
    lines = [
        Line("best", 1, _parts(metrics, x, lambda m: m.best)),
        Line("mean of the populations", 2, _parts(metrics, x, lambda m: m.mean)),
    ]
    best = [m.best for m in metrics if m.best is not None]
    text = "No fitness was reported."
    if best:
        text = (
            f"The best search fitness is {numbers.fitness(best[0])} at the first report, {numbers.fitness(max(best))} "
            f"at its highest and {numbers.fitness(best[-1])} at the last of {numbers.plural(len(metrics), 'report')}."
        )
    return line_chart(ident, title, text, lines, axis, Axis("search fitness", _short), _starts(metrics, x))


def _caches(metrics: tuple[Metric, ...], axis: Axis) -> Markup:
    lines = []
    for style, (key, name) in enumerate(_RATES.items(), start=1):
        values = [m.rates.get(key, 0.0) for m in metrics]
        if any(values) or key.endswith("hit_rate"):
            lines.append(Line(name, style, _parts(metrics, lambda m: m.individuals, lambda m, k=key: m.rates.get(k))))  # type: ignore[misc]
    title = "Cache hits" if len(lines) <= 2 else "Caches, hurdles and budget"
    last = metrics[-1].rates
    text = "At the last report: " + ", ".join(f"{name} {last.get(key, 0.0):.0%}" for key, name in _RATES.items()) + "."
    y = Axis("share of the programs that came to each", lambda value: f"{value:.0%}", low=0.0, high=1.0)
    return line_chart("caches-chart", title, text, lines, axis, y, _starts(metrics, lambda m: m.individuals))


def _speed(metrics: tuple[Metric, ...], axis: Axis, factor: float) -> Markup:
    def at(metric: Metric) -> float:
        return metric.seconds / factor

    line = Line("individuals a second", 1, _parts(metrics, at, lambda m: m.speed))
    speeds = [m.speed for m in metrics if m.speed is not None]
    text = f"{numbers.short_count(speeds[-1])} individuals a second on average at the end." if speeds else ""
    y = Axis("individuals a second, mean so far", numbers.short_count, low=0.0)
    return line_chart("speed-chart", "Speed", text, [line], axis, y, _starts(metrics, at))


def _short(value: float) -> str:
    return f"{value:.4g}"


def _parts(
    metrics: Iterable[Metric], x: Callable[[Metric], float], y: Callable[[Metric], float | None]
) -> tuple[tuple[Point, ...], ...]:
    """Points of a line, in one part for each experiment."""
    groups = [list(group) for _, group in groupby(metrics, key=lambda m: m.experiment)]
    limit = max(2, 300 // len(groups))
    found = []
    for group in groups:
        points = [(x(metric), value) for metric in group if (value := y(metric)) is not None]
        found.append(thinned(points, limit))
    return tuple(found)


def _starts(metrics: tuple[Metric, ...], x: Callable[[Metric], float]) -> list[float]:
    """Where experiments after the first start: where the one before ended."""
    return [x(before) for before, after in pairwise(metrics) if after.experiment != before.experiment]


def _experiments(report: Report) -> Markup:
    experiments = report.facts.experiments
    if not experiments:
        return Markup()
    rows = [
        (
            str(number),
            numbers.count(figures.individuals),
            numbers.count(figures.evaluated),
            numbers.duration(figures.seconds),
            numbers.fitness(figures.search_fitness),
            numbers.fitness(figures.select_fitness),
            "yes" if figures.solved else "no",
        )
        for number, figures in list(enumerate(experiments, start=1))[-_MAX_LISTED:]
    ]
    headers = ("experiment", "individuals", "full evaluations", "time", "search fitness", "select fitness", "solved")
    listed = "" if len(rows) == len(experiments) else f", the last {len(rows)}"
    return folded(
        f"{numbers.plural(len(experiments), 'experiment')}, number by number{listed}",
        table("Experiments that have ended", headers, rows, numbers=(1, 2, 3, 4, 5)),
    )
