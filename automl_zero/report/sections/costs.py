"""The cost of the run, beside that of well-known models."""

from __future__ import annotations

from automl_zero.report import numbers
from automl_zero.report.cost import WELL_KNOWN, Assumptions, Cost
from automl_zero.report.markup import Child, Markup, definitions, element, paragraph, table
from automl_zero.report.report import Report


def costs(report: Report) -> Markup:
    """The estimate, what it assumes, and others for scale."""
    if report.cost is None:
        return paragraph("The CPU time of the run is not known, so its cost cannot be estimated.")
    cost, assumed = report.cost, report.assumptions
    figures = [
        ("CPU core-hours", numbers.quantity(cost.cpu_hours)),
        ("GPU-hours", numbers.quantity(cost.gpu_hours)),
        ("energy", numbers.energy(cost.kwh)),
        ("emissions", f"{numbers.mass(cost.kilograms)} CO₂e"),
        ("price", numbers.price(cost.price, assumed.currency)),
    ]
    return Markup(
        definitions(figures, class_="tiles")
        + _until_when(report)
        + _assumptions(assumed)
        + _scale(cost)
        + paragraph(
            "This is the cost of one search, from its CPU time; other runs, failed attempts and the making of the "
            "computer are not part of it. The published figures rest on other assumptions: they give an order of "
            "magnitude.",
            class_="remark",
        )
    )


def _until_when(report: Report) -> Markup:
    """What the figures leave out when there is no result."""
    facts = report.facts
    if facts.state in ("finished", "interrupted"):
        return Markup()
    on_device = facts.config is not None and facts.config.backend == "jax"
    missing = "Memory and time on a GPU are" if on_device else "Memory is"
    recorded = numbers.duration(facts.figures.seconds)
    return paragraph(
        f"This is for the first {recorded} of the run, as far as they were recorded. {missing} known only from a "
        "result, and not included."
    )


def _assumptions(assumed: Assumptions) -> Markup:
    rows = [
        ("watts_per_core", "power of a busy core", f"{assumed.watts_per_core:g} W", "Lannelongue et al. 2021"),
        ("watts_per_gib", "power of memory", f"{assumed.watts_per_gib:g} W/GiB", "Lannelongue et al. 2021"),
        ("gpu_watts", "power of a busy GPU", f"{assumed.gpu_watts:g} W", "an H100 SXM at its limit"),
        ("pue", "overhead of the data centre (PUE)", f"{assumed.pue:g}", "Uptime Institute 2023"),
        ("carbon_intensity", "carbon intensity", f"{assumed.carbon_intensity:,.0f} g CO₂e/kWh", assumed.carbon_source),
        ("price_per_cpu_hour", "price of a core-hour", _money(assumed, assumed.price_per_cpu_hour), "assumed"),
        ("price_per_gpu_hour", "price of a GPU-hour", _money(assumed, assumed.price_per_gpu_hour), "assumed"),
    ]
    cells = [(name, value, "given" if key in assumed.given else source) for key, name, value, source in rows]
    return table("What the estimate assumes", ("assumption", "value", "source"), cells, numbers=(1,))


def _money(assumed: Assumptions, amount: float) -> str:
    return f"{assumed.currency} {amount:g}"


def _scale(cost: Cost) -> Markup:
    own = element("strong", "this run")
    rows: list[tuple[Child, ...]] = [
        (own, numbers.energy(cost.kwh), numbers.mass(cost.kilograms), "1", "this estimate")
    ]
    for known in WELL_KNOWN:
        ratio = known.kwh / cost.kwh if cost.kwh else 0.0
        rows.append(
            (
                known.model,
                numbers.energy(known.kwh),
                numbers.mass(known.kilograms),
                numbers.times(ratio) if ratio else "\N{EN DASH}",
                element("a", known.source, href=known.address),
            )
        )
    headers = ("what", "energy", "CO₂e", "times this run", "source")
    return table("For scale: published estimates of single training runs", headers, rows, numbers=(1, 2, 3))
