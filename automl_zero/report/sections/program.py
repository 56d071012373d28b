"""The best program: its core, simplified exactly, as it evolved, and exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from automl_zero.analysis.simplify import Step
from automl_zero.explain.changes import paired_change
from automl_zero.program import Program
from automl_zero.report import numbers
from automl_zero.report.code import highlighted
from automl_zero.report.markup import Markup, code_block, element, folded, paragraph, table
from automl_zero.report.reading import CORE, PROGRAM, Reading
from automl_zero.report.report import Report


def program(report: Report) -> Markup:
    """The forms of the program, what was changed, and the exports."""
    reading = report.reading
    if reading is None:
        return paragraph("There is no program to show.")
    raw, features, classes = reading.simplification.original, reading.num_features, reading.num_classes
    exact = reading.exact
    blocks = [
        _listing(
            "Simplified exactly",
            exact.program.pseudocode(features, classes, exact.names),
            exact.program,
            "The fitness on every task is the same, to the last bit.",
        ),
        _listing("As it evolved", raw.pseudocode(features, classes), raw, "Dead and redundant instructions included."),
    ]
    parts = [
        paragraph(
            "Setup runs once. Then Predict and Learn run for every training example, and Predict alone for every "
            "example to be predicted; memory is kept in between."
        )
    ]
    if reading.core is not None:
        core = reading.core
        text = core.program.pseudocode(features, classes, core.names)
        parts.append(_listing("The core", text, core.program, _remark(reading)))
    parts.append(element("div", *blocks, class_="columns"))
    parts.append(_steps(reading.simplification.steps))
    parts.extend(_exports(reading))
    return Markup("".join(parts))


def size(program: Program) -> str:
    """How many instructions a program has, in words."""
    return numbers.plural(sum(i.op != "no_op" for component in program.components for i in component), "instruction")


def _remark(reading: Reading) -> str:
    """What the core is worth beside the program."""
    text = "What is left without the parts that hardly matter."
    if reading.fitness is None:
        return text
    change = paired_change(reading.fitness[CORE], reading.fitness[PROGRAM])
    return f"{text} Mean fitness on {reading.unseen} changes by {numbers.change(change.mean, change.standard_error)}."


def _listing(title: str, text: str, program: Program, remark: str) -> Markup:
    heading = element("h3", title, " ", element("span", size(program), class_="subtitle"))
    return element(
        "div", heading, paragraph(remark, class_="remark above"), code_block(f"{title}: code", highlighted(text))
    )


def _steps(steps: tuple[Step, ...]) -> Markup:
    if not steps:
        return Markup()
    rows = [
        (
            str(number),
            step.rule,
            step.component if step.index is None else f"{step.component} {step.index}",
            step.text,
            "yes" if step.exact else "no",
        )
        for number, step in enumerate(steps, start=1)
    ]
    listed = table("What was changed, in order", ("step", "rule", "where", "what", "exact"), rows)
    return folded(f"{numbers.plural(len(steps), 'step')} of simplification", listed)


def _exports(reading: Reading) -> Iterator[Markup]:
    from automl_zero import export

    features, classes, simplest = reading.num_features, reading.num_classes, reading.simplest.program
    evaluation = "accuracy" if reading.is_accuracy else "rmse"

    def numpy() -> str:
        return export.to_numpy_source(simplest, num_features=features, evaluation=evaluation, num_classes=classes)

    def latex() -> str:
        return export.to_latex(simplest, num_features=features, num_classes=classes)

    exports: tuple[tuple[str, Callable[[], str]], ...] = (
        ("NumPy source, which needs numpy alone", numpy),
        ("LaTeX", latex),
        ("program file (JSON)", simplest.to_json),
    )
    for title, make in exports:
        try:
            block = code_block(f"Export: {title}", make())
        except ValueError as error:  # a user's own op that has no translation
            block = paragraph(str(error))
        yield folded(f"Export of the simplest form: {title}", block)
