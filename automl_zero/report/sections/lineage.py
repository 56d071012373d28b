"""The sequence of discoveries that led to the best program, and what each mutation changed (paper, Fig. 6)."""

from __future__ import annotations

from collections.abc import Sequence

from automl_zero.analysis.differences import differences
from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.evolution.run_directory import LINEAGE
from automl_zero.explain.discoveries import Discovery
from automl_zero.report import numbers
from automl_zero.report.charts import Axis, Line, line_chart
from automl_zero.report.code import difference, highlighted
from automl_zero.report.markup import Markup, code_block, element, folded, paragraph, table
from automl_zero.report.report import Report

_MAX_SHOWN = 40  # steps with their code
_MAX_OPEN = 5  # of those, unfolded


def lineage(report: Report) -> Markup:
    """A chart of the steps, the code that each one changed, and those that gained least in a table."""
    recorded, config = report.facts.lineage, report.facts.config
    if config is not None and config.search == "random":
        return paragraph("Random search has no lineage: each program is drawn anew, and none descends from another.")
    if recorded is None:
        return paragraph("This run recorded no lineage.")
    if not recorded:
        return paragraph(f"{LINEAGE} holds no step that can be read.")
    steps = [step for step in recorded if step.parent is not None]
    if not steps:
        return paragraph(
            "The best program was not reached by clear steps: in its line no mutation made a program clearly fitter "
            "than all its ancestors."
        )
    num_classes = 0 if report.reading is None else report.reading.num_classes
    num_features = None if report.reading is None else report.reading.num_features
    by_gain = sorted(range(len(steps)), key=lambda at: -_gain(steps[at]))
    shown, unfolded = sorted(by_gain[:_MAX_SHOWN]), set(by_gain[:_MAX_OPEN])
    items = (_step(at + 1, steps[at], num_features, num_classes, at in unfolded) for at in shown)
    parts = [
        paragraph(
            f"{numbers.plural(len(steps), 'step')} led from an initial program to {_goal(report, recorded[-1])}. A "
            "step is a mutation that made a program clearly fitter than all its ancestors; what happened in between "
            "changed little. The code is that of parent and child, without instructions that cannot influence a "
            "prediction" + ("; the steps that gained most are unfolded." if len(steps) > _MAX_OPEN else ".")
        ),
        element("div", _chart(steps), class_="charts"),
        _start(recorded[0], num_features, num_classes) if recorded[0].parent is None else Markup(),
        element("ol", *items, class_="discoveries"),
    ]
    if len(shown) < len(steps):
        others = [step for at, step in enumerate(steps) if at not in set(shown)]
        title = f"The {len(others)} other steps, which" if len(others) > 1 else "The other step, which"
        parts.append(folded(f"{title} gained less", _table(others)))
    return Markup("".join(parts))


def _goal(report: Report, last: Discovery) -> str:
    """Where the steps lead, in words."""
    if report.facts.program is None:
        return f"one with search fitness {numbers.fitness(last.fitness)}"
    if report.facts.program == last.program:
        return "the best one"
    return f"one with search fitness {numbers.fitness(last.fitness)}, which is not the one above"


def _gain(step: Discovery) -> float:
    return step.fitness - (step.parent_fitness or 0.0)


def _chart(steps: Sequence[Discovery]) -> Markup:
    points = [(float(number), step.fitness) for number, step in enumerate(steps, start=1)]
    marks = [(point, str(number)) for number, point in enumerate(points, start=1)]
    first, last = steps[0], steps[-1]
    text = (
        f"Search fitness rises from {numbers.fitness(first.fitness)} at the first step, individual "
        f"{numbers.count(first.individual)}, to {numbers.fitness(last.fitness)} at the last, individual "
        f"{numbers.count(last.individual)}."
    )
    line = Line("fitness", 1, (tuple(points),), steps=True)
    x, y = Axis("step", lambda value: f"{value:g}"), Axis("search fitness", lambda value: f"{value:.4g}")
    return line_chart("lineage-chart", "Fitness step by step", text, [line], x, y, marks=marks)


def _start(start: Discovery, num_features: int | None, num_classes: int) -> Markup:
    live = remove_dead_code(start.program, num_classes)
    code = code_block("Where it began: code", highlighted(live.pseudocode(num_features, num_classes)))
    return folded(f"Where it began: an ancestor with fitness {numbers.fitness(start.fitness)}", code)


def _step(number: int, step: Discovery, num_features: int | None, num_classes: int, is_open: bool) -> Markup:
    assert step.parent is not None
    heading = (
        f"Fitness {numbers.fitness(step.parent_fitness)} → {numbers.fitness(step.fitness)} ",
        element("span", _where(step), class_="subtitle"),
    )
    old, new = (remove_dead_code(program, num_classes) for program in (step.parent, step.program))
    code = difference(differences(old, new, num_features))
    block = code_block(f"What led to fitness {numbers.fitness(step.fitness)}: difference", code)
    body = element("div", block if code else paragraph("The same code."), class_="folded")
    folded_step = element("details", element("summary", heading), body, open="" if is_open else None)
    return element("li", folded_step, value=number)


def _where(step: Discovery) -> str:
    mutation = step.mutation.replace("_", " ").replace("+", " and ")
    return f"{mutation}, individual {numbers.count(step.individual)} of island {numbers.count(step.island)}"


def _table(steps: Sequence[Discovery]) -> Markup:
    rows = [
        (
            numbers.count(step.individual),
            numbers.count(step.island),
            step.mutation.replace("_", " "),
            numbers.fitness(step.parent_fitness),
            numbers.fitness(step.fitness),
        )
        for step in steps
    ]
    headers = ("individual", "island", "mutation", "fitness of the parent", "fitness")
    return table("Steps that gained less", headers, rows, numbers=(0, 1, 3, 4))
