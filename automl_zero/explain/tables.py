"""An explanation as tables of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from automl_zero.explain.constants import FACTORS, Sensitivity
from automl_zero.explain.data_flow import Site, register_name, sites
from automl_zero.explain.discoveries import Discovery, changes
from automl_zero.explain.explanation import Effects, Explanation
from automl_zero.explain.knock_outs import KnockOut
from automl_zero.explain.motifs import MOTIFS
from automl_zero.explain.registers import ROLES
from automl_zero.pseudocode import render_instruction


@dataclass(frozen=True)
class Section:
    """A part of the text: a heading, a table, and remarks below it."""

    heading: str
    headers: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    remarks: tuple[str, ...] = ()


def sections(explanation: Explanation) -> Iterator[Section]:
    """The parts of an explanation, in order of reading."""
    yield _instructions(explanation)
    yield _registers(explanation)
    yield _motifs(explanation)
    if explanation.effects is not None:
        yield _knock_outs(explanation, explanation.effects)
        yield _groups(explanation.effects)
        yield _constants(explanation.effects)


def discoveries_section(discoveries: Sequence[Discovery], num_features: int | None, num_classes: int = 0) -> Section:
    """The way to the best program of a run: a row for each line that a discovery changed."""
    rows: list[tuple[str, ...]] = []
    for one, changed in zip(discoveries, changes(discoveries, num_features, num_classes), strict=True):
        where = "" if one.individual is None else f"{one.individual:,}"
        island = "" if one.island is None else str(one.island)
        facts = (f"{one.fitness:.6f}", where, island, one.mutation.replace("_", " "))
        lines = [f"{line.sign} {line.text.strip()}" for line in changed] or ["nothing that matters"]
        rows += [(*(facts if number == 0 else ("",) * 4), line) for number, line in enumerate(lines)]
    remark = "A step is an individual that gained at least 1 % of what its line lacked to a fitness of 1."
    return Section("Discoveries", ("fitness", "individual", "island", "mutation", "changes"), tuple(rows), (remark,))


def _instructions(explanation: Explanation) -> Section:
    flow = explanation.flow
    rows = [(str(site), _text(explanation, site), ", ".join(flow.fresh[site].words) or "-") for site in flow.live]
    total = sum(1 for _ in sites(explanation.program))
    remarks = [f"{len(rows)} of {total} instructions can influence a prediction."]
    if not flow.live:
        remarks.append("The prediction is always 0.")
    for operand in flow.different_in_validation:
        left = _places(site for site in operand.validation if isinstance(site, Site))
        remarks.append(
            f"In validation, {operand.site} may find in {register_name(operand.register)} what {left} left there."
        )
    return Section("Data flow", ("place", "instruction", "depends on"), tuple(rows), tuple(remarks))


def _registers(explanation: Explanation) -> Section:
    grouped: dict[tuple[str, tuple[str, ...]], tuple[dict[str, None], dict[str, None]]] = {}
    for web in explanation.webs:
        written, read = grouped.setdefault((web.name, web.roles), ({}, {}))
        written.update(dict.fromkeys(map(str, web.writes)))
        read.update(dict.fromkeys(str(o.site) for o in web.reads if o is not explanation.flow.prediction))
    rows = [
        (name, ", ".join(roles), ", ".join(written) or "-", ", ".join(read) or "-")
        for (name, roles), (written, read) in grouped.items()
    ]
    used = {role for web in explanation.webs for role in web.roles}
    remarks = [f"{role}: {meaning}" for role, meaning in ROLES.items() if role in used]
    return Section("Registers", ("register", "role", "written by", "read by"), tuple(rows), tuple(remarks))


def _motifs(explanation: Explanation) -> Section:
    rows = [(match.motif, _places(match.sites), match.detail) for match in explanation.motifs]
    found = dict.fromkeys(match.motif for match in explanation.motifs)
    remarks = [f"{name}: {MOTIFS[name].explanation}" for name in found] or ["None that is known."]
    return Section("Motifs", ("motif", "instructions", "parts"), tuple(rows), tuple(remarks))


def _knock_outs(explanation: Explanation, effects: Effects) -> Section:
    live = [knock_out for knock_out in effects.instructions if not knock_out.dead]
    rows = [(*_change(k), str(k.sites[0]), _text(explanation, k.sites[0]), _places(k.dies) or "-") for k in live]
    remarks = [
        f"Fitness of the whole program: {effects.fitness}, on {effects.fitness.num_tasks} tasks: {effects.tasks}.",
        "Change: mean over the same tasks ± its standard error; = marks what may be chance.",
    ]
    dead = [knock_out.sites[0] for knock_out in effects.instructions if knock_out.dead]
    if dead:
        remarks.append(f"Dead, so without effect: {_places(dead)}.")
    headers = ("change of fitness", "", "removed", "instruction", "dies with it")
    return Section("Knock-outs: instructions", headers, tuple(rows), tuple(remarks))


def _groups(effects: Effects) -> Section:
    rows = [(*_change(k), f"{k.kind}: {k.name}", _places(k.sites)) for k in effects.groups]
    remarks = () if rows else ("There are no groups.",)
    return Section("Knock-outs: groups", ("change of fitness", "", "group", "removed"), tuple(rows), remarks)


def _constants(effects: Effects) -> Section:
    factors = tuple(factor for factor in FACTORS if factor != 1.0)
    headers = ("place", "constant", *(f"x{factor:g}" for factor in factors), "flat")
    rows = []
    for constant in effects.constants:
        changes = {point.factor: f"{point.change.mean:+.3f}" for point in constant.curve}
        cells = (changes.get(factor, "-") for factor in factors)
        rows.append((str(constant.site), f"{constant.name} {constant.value:.4g}", *cells, _flat(constant)))
    remarks = [
        "Change of fitness when a constant is multiplied; flat: the range of factors without a loss that matters."
    ]
    if any(constant.value == 0 for constant in effects.constants):
        remarks.append("A constant that is 0 is set to these numbers instead.")
    if not rows:
        remarks = ["There are no constants."]
    return Section("Constants", headers if rows else (), tuple(rows), tuple(remarks))


def _flat(constant: Sensitivity) -> str:
    low, high = constant.flat
    return "everywhere" if not constant.matters else f"{low:g} to {high:g}"


def _change(knock_out: KnockOut) -> tuple[str, str]:
    return str(knock_out.change), "=" if knock_out.change.within_error else ""


def _text(explanation: Explanation, site: Site) -> str:
    instruction = explanation.program.components[site.component][site.position]
    return render_instruction(instruction, explanation.num_features)


def _places(found: Iterable[Site]) -> str:
    return ", ".join(map(str, found))
