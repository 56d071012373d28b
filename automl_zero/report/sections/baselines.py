"""The program beside well-known models on the same unseen tasks."""

from __future__ import annotations

from automl_zero.explain.changes import paired_change
from automl_zero.report import numbers
from automl_zero.report.charts import figure, ticks
from automl_zero.report.markup import Markup, element, paragraph, table
from automl_zero.report.reading import CORE, PROGRAM
from automl_zero.report.report import Report
from automl_zero.score import Score, summarize

_WIDTH, _ROW, _TOP, _LEFT, _RIGHT, _BOTTOM = 400, 38, 4, 6, 14, 20
_OWN = (PROGRAM, CORE)
_CONSTANT = ("majority class", "mean")  # models that say the same of every example; they would squeeze the chart


def baselines(report: Report) -> Markup:
    """A chart and a table of fitness, or a sentence that says why there is none."""
    reading = report.reading
    if reading is None:
        return paragraph("There is no program to show.")
    if reading.fitness is None:
        return paragraph(f"Nothing was measured: {reading.problem.rstrip('.')}.")
    scores = {name: summarize(values) for name, values in reading.fitness.items()}
    order = sorted(scores, key=lambda name: -scores[name].mean)
    own = reading.fitness[PROGRAM]
    rows = []
    for name in order:
        change = paired_change(own, reading.fitness[name])
        rows.append(
            (
                element("strong", name) if name in _OWN else name,
                numbers.fitness(scores[name].mean) + numbers.error(scores[name].standard_error),
                "" if name in _OWN else numbers.change(change.mean, change.standard_error),
                "" if name in _OWN else _verdict(change.mean, change.within_error),
            )
        )
    scale = (
        "Fitness is accuracy."
        if reading.is_accuracy
        else "Fitness is 1 \N{MINUS SIGN} (2/π)·atan(RMSE): 1 is perfect, 0 the worst there is."
    )
    if reading.same_rows:
        scale += (
            " All tasks are scored on the same rows: the errors tell how training varies, not how other rows would do."
        )
    caption = "Mean fitness ± standard error, and by how much the program is ahead"
    return Markup(
        paragraph(f"All were trained on the same data and scored on {reading.unseen}, which had no part in the search.")
        + element(
            "div",
            _chart(scores, [name for name in order if name not in _CONSTANT]),
            table(caption, ("model", "mean fitness", "ahead by", "verdict"), rows, numbers=(1, 2)),
            class_="columns chart-and-table",
        )
        + paragraph(
            f"{scale} The hand-designed programs are trained like this one; the other models are scikit-learn's and "
            "stop by their own rules. Differences are paired over tasks; less than two standard errors may be chance.",
            class_="remark",
        )
    )


def _verdict(mean: float, within_error: bool) -> str:
    if within_error:
        return "perhaps chance"
    return "better" if mean > 0 else "worse"


def _chart(scores: dict[str, Score], order: list[str]) -> Markup:
    """Means with bars of one standard error, a row a model, its name above the bar."""
    errors = {name: scores[name].standard_error or 0.0 for name in order}
    low = min(scores[name].mean - error for name, error in errors.items())
    high = max(scores[name].mean + error for name, error in errors.items())
    margin = 0.06 * (high - low) or 0.05
    low, high = low - margin, high + margin
    base = _TOP + len(order) * _ROW

    def place(value: float) -> float:
        return round(_LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT), 1)

    drawn = [
        element("title", "Mean fitness of the program and of other models", id="models-chart-title"),
        element(
            "desc",
            f"{PROGRAM.capitalize()} {numbers.fitness(scores[PROGRAM].mean)}; the best of {len(order)} is {order[0]} "
            f"with {numbers.fitness(scores[order[0]].mean)}. The table has all numbers.",
            id="models-chart-desc",
        ),
    ]
    for value in ticks(low, high):
        x = place(value)
        drawn.append(element("line", class_="grid", x1=x, x2=x, y1=_TOP, y2=base))
        drawn.append(element("text", f"{value:.4g}", x=x, y=base + 14, text_anchor="middle"))
    for row, name in enumerate(order):
        score, y = scores[name], _TOP + row * _ROW
        ends = place(score.mean - errors[name]), place(score.mean + errors[name])
        own = " own" if name in _OWN else ""
        drawn.append(element("text", name, class_=f"name{own}", x=_LEFT, y=y + 13))
        drawn.append(element("line", class_="track", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y + 25, y2=y + 25))
        drawn.append(element("line", class_=f"error{own}", x1=ends[0], x2=ends[1], y1=y + 25, y2=y + 25))
        drawn.append(element("circle", class_=f"mean{own}", cx=place(score.mean), cy=y + 25, r=4.5))
    left_out = [name for name in scores if name in _CONSTANT]
    subtitle = "mean ± standard error" + (f"; {left_out[0]} left out" if left_out else "")
    return figure("models-chart", "Fitness on unseen tasks", _WIDTH, base + _BOTTOM, drawn, subtitle, Markup())
