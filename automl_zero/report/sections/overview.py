"""The head of the page: what was found, how good it is, and the figures that matter most."""

from __future__ import annotations

from collections.abc import Iterator

from automl_zero.explain.changes import paired_change
from automl_zero.report import numbers
from automl_zero.report.markup import Markup, definitions, element, paragraph
from automl_zero.report.reading import CORE, PROGRAM, Reading
from automl_zero.report.report import Report
from automl_zero.report.sections.program import size
from automl_zero.score import summarize

_STATES = {
    "running": "The run is still going on; this report shows what its directory held at the time.",
    "unfinished": "The run has no result.json, which is written when a run ends; this report shows what there is.",
    "damaged": "The result.json of the run cannot be used; this report shows what the other files hold.",
    "interrupted": "The run was interrupted; its result is that of the moment when it stopped.",
}
_REFERENCES = ("linear regression", "logistic regression", "two-layer network")


def overview(report: Report) -> Markup:
    """Title, verdict and figures."""
    facts = report.facts
    seed = "" if facts.seed is None else f" · seed {facts.seed}"
    parts = [
        paragraph(f"AutoML-Zero · report of a run{seed}", class_="eyebrow"),
        element("h1", facts.name),
        paragraph(" ".join(_verdict(report)), class_="lead"),
    ]
    if facts.state in _STATES:
        parts.append(paragraph(_STATES[facts.state], class_="notice"))
    if facts.notes:
        parts.append(element("ul", *(element("li", note) for note in facts.notes), class_="notice"))
    parts.append(definitions(_figures(report), class_="tiles"))
    return element("header", *parts)


def _verdict(report: Report) -> Iterator[str]:
    facts, reading = report.facts, report.reading
    target = None if facts.config is None else facts.config.target_fitness
    if facts.figures.solved and facts.figures.select_fitness is None:
        yield "Solved: a program exceeded the target select fitness" + (f", {target}." if target is not None else ".")
    elif facts.figures.solved:
        select = numbers.fitness(facts.figures.select_fitness)
        yield f"Solved: select fitness {select} exceeds the target" + (f", {target}." if target is not None else ".")
    elif target is not None and facts.state in ("finished", "interrupted"):
        yield f"Not solved: no program exceeded the target select fitness, {target}."
    if reading is None:
        yield facts.no_program
        return
    if reading.fitness is None:
        yield f"The best program has {size(reading.simplest.program)} when simplified."
        final = facts.figures.final_fitness
        if final is not None:
            yield f"Its mean fitness on unseen tasks is {numbers.fitness(final)}."
        return
    score = summarize(reading.fitness[PROGRAM])
    measure = "mean accuracy" if reading.is_accuracy else "mean fitness"
    reached = f"{measure} {numbers.fitness(score.mean)} on {reading.unseen}"
    yield f"The best program reaches {reached}, {_comparison(reading)}."
    if reading.core is None:
        yield f"Simplified, it has {size(reading.exact.program)}."
    else:
        core = numbers.fitness(float(reading.fitness[CORE].mean()))
        yield f"Its core of {size(reading.core.program)} reaches {core}."


def _comparison(reading: Reading) -> str:
    """How the program compares with a linear model and a network."""
    assert reading.fitness is not None
    phrases = []
    for name in _REFERENCES:
        if name in reading.fitness:
            change = paired_change(reading.fitness[PROGRAM], reading.fitness[name])
            article = "the " if name.endswith("network") else ""
            if change.within_error:
                phrases.append(f"on a par with {article}{name}")
            else:
                side = "above" if change.mean > 0 else "below"
                phrases.append(f"{numbers.fitness(abs(change.mean))} {side} {article}{name}")
    return " and ".join(phrases)


def _figures(report: Report) -> Iterator[tuple[str, str]]:
    figures, cost, money = report.facts.figures, report.cost, report.assumptions.currency
    if figures.final_fitness is not None:
        yield "final fitness", numbers.fitness(figures.final_fitness)
    elif figures.select_fitness is not None:
        yield "select fitness", numbers.fitness(figures.select_fitness)
    elif figures.search_fitness is not None:
        name = "search fitness" if report.reading is not None else "highest search fitness"
        yield name, numbers.fitness(figures.search_fitness)
    if figures.individuals is not None:
        yield "individuals", numbers.count(figures.individuals)
    if figures.seconds is not None:
        yield "time", numbers.duration(figures.seconds)
    if cost is None:
        yield "CPU time and cost", numbers.UNKNOWN
    else:
        yield "CPU time", numbers.duration(cost.cpu_hours * 3600)
        if cost.gpu_hours:
            yield "GPU time", numbers.duration(cost.gpu_hours * 3600)
        yield "energy, estimated", numbers.energy(cost.kwh)
        yield "price, estimated", f"< {money} 0.01" if 0 < cost.price < 0.01 else numbers.price(cost.price, money)
