"""Separation of hyper-parameters: from each other, and from the data that evolution has tied them to.

Three kinds of steps, each of which gives the search for constants a constant that it can move on its own:

1. A constant that is read in several places becomes several constants.
2. An update of a parameter that has no constant of its own among its factors is multiplied by 1.
3. A scalar that is computed from data and multiplies an update, such as a norm, becomes a constant, if that loses no
   fitness beyond the error of measurement.

The first two keep every prediction as it was, to the bit. Where the result is always zero, there is nothing to tune.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from automl_zero.explain.changes import PairedScores, paired_change
from automl_zero.explain.data_flow import KEPT, SETUP, DataFlow, Operand, Origin, Site, register_name
from automl_zero.explain.motifs import Anatomy
from automl_zero.explain.motifs.anatomy import Update
from automl_zero.explain.values import DIVISIONS, SCALINGS, Values
from automl_zero.instruction import Instruction
from automl_zero.ops import RegisterType
from automl_zero.program import Program
from automl_zero.tuning.edits import Draft
from automl_zero.tuning.zeros import Zeros

_CONSTANT = "scalar_const_set"
_ADDED = "new for "
_SCALING = {
    RegisterType.SCALAR: "scalar_product",
    RegisterType.VECTOR: "scalar_vector_product",
    RegisterType.MATRIX: "scalar_matrix_product",
}
#: Values tried in place of a scalar that is computed from data.
_SUBSTITUTES = tuple(sign * 10.0 ** (k / 2) for k in range(-8, 5) for sign in (1.0, -1.0))


@dataclass(frozen=True)
class Separation:
    """A program whose constants can be tuned one by one.

    Attributes:
        program: the program; dead instructions are gone.
        steps: what was done, one sentence a step; places are those in the program as it was given.
        places: for every instruction of every component function, its place in the program as it was given; for one
            that was added, what it was added for.
    """

    program: Program
    steps: tuple[str, ...]
    places: tuple[tuple[str, ...], ...]


def separate(program: Program, scores: PairedScores | None = None, vector_label: bool = False) -> Separation:
    """Separate the hyper-parameters of a program.

    Args:
        program: the program.
        scores: scores on fresh tasks, by which the third kind of steps is judged; without them there is none.
        vector_label: whether labels are vectors, as in tasks with several classes.
    """
    draft = Draft.of(program).live(DataFlow(program, vector_label))
    steps: list[str] = []
    for separator in (_split_constant, _add_rate):
        while (found := separator(draft, DataFlow(draft.program, vector_label))) is not None:
            draft = found[0]
            steps.append(found[1])
    if scores is not None:
        draft = _untie(draft, scores, vector_label, steps)
    return Separation(draft.program, tuple(steps), draft.places)


def _split_constant(draft: Draft, flow: DataFlow) -> tuple[Draft, str] | None:
    """Give one reading of a constant that is read elsewhere, too, a constant of its own."""
    zeros = Zeros(Values(flow))
    for site, instruction in flow.live.items():
        if instruction.op != _CONSTANT:
            continue
        readings = [o for o in flow.reads() if site in o.all_sources and o.name != KEPT and not zeros.is_idle(flow, o)]
        alone = [o for o in readings if o.all_sources == {site} and o is not flow.prediction]
        if len(readings) < 2 or not alone:
            continue
        operand = alone[-1]
        new = _with_constant(draft, flow, operand, site, instruction.constants[0])
        if new is not None:
            name = register_name(operand.register)
            return new, f"{draft.place(operand.site)} reads a constant of its own instead of {name}"
    return None


def _add_rate(draft: Draft, flow: DataFlow) -> tuple[Draft, str] | None:
    """Multiply an update by a new constant, 1, that no other update has."""
    anatomy = Anatomy(flow)
    zeros = Zeros(anatomy.values)
    updates = [update for update in anatomy.updates if not zeros.is_zero(update.term.operand)]
    for update in updates:
        others = {s for u in updates if u is not update for s in _rates(anatomy, u)}
        if _rates(anatomy, update) - others or update.term.operand.site.component == SETUP:
            continue
        operand = update.term.operand
        kind, address = operand.register
        scaled = draft.unused_register(kind, flow.vector_label)
        if scaled is None:
            continue
        new, product = scaled
        new = new.with_operand(operand.site, operand.name, (kind, product))
        rate = new.unused_register(RegisterType.SCALAR, flow.vector_label)
        if rate is None or (kind == RegisterType.SCALAR and rate[1] == product):
            continue
        place = draft.place(operand.site)
        new = rate[0].insert(operand.site, Instruction(_SCALING[kind], rate[1], address, product), _added(place))
        new = new.insert(Site(SETUP, 0), Instruction(_CONSTANT, out=rate[1], constants=(1.0,)), _added(place))
        return new, f"the update of {update.accumulator.name} in {place} has a rate of its own"
    return None


def _rates(anatomy: Anatomy, update: Update) -> set[Site]:
    """The constants among the factors of an update."""
    return {
        site
        for factor in update.product.factors
        for site in factor.operand.source_sites
        if anatomy.values.op(site) == _CONSTANT
    }


def _untie(draft: Draft, scores: PairedScores, vector_label: bool, steps: list[str]) -> Draft:
    """Replace scalars that are computed from data by constants, as long as fitness stays within its error."""
    refused: set[str] = set()
    while True:
        flow = DataFlow(draft.program, vector_label)
        operand = next((o for o in _tied(Anatomy(flow)) if _describe(flow, o) not in refused), None)
        if operand is None:
            return draft
        before = scores.fitness(draft.program)
        variants = [_with_constant(draft, flow, operand, Site(SETUP, 0), value) for value in _SUBSTITUTES]
        known = [variant for variant in variants if variant is not None]
        best = max(known, key=lambda variant: float(scores.fitness(variant.program).mean()), default=None)
        if best is None or paired_change(scores.fitness(best.program), before).is_loss():
            refused.add(_describe(flow, operand))
            continue
        change = paired_change(scores.fitness(best.program), before)
        steps.append(f"{_describe(flow, operand)} is a constant instead of computed from data ({change})")
        draft = best.live(DataFlow(best.program, vector_label))


def _describe(flow: DataFlow, operand: Operand) -> str:
    """The operand in words that stay the same while other instructions move."""
    ops = ", ".join(flow.live[site].op for site in operand.source_sites)
    return f"the rate {register_name(operand.register)} ({ops}) of {flow.live[operand.site].op}"


def _tied(anatomy: Anatomy) -> Iterator[Operand]:
    """Scalars that multiply an update and depend on data, but not on the label of the example."""
    flow = anatomy.flow
    zeros = Zeros(anatomy.values)
    for update in anatomy.updates:
        if update.error is None or zeros.is_zero(update.term.operand):
            continue
        for operand in (part.operand for part in update.product.parts):
            is_factor = operand.site in flow.live and anatomy.values.op(operand.site) in SCALINGS | DIVISIONS
            if operand.register[0] != RegisterType.SCALAR or not is_factor or anatomy.holder(operand) is not None:
                continue
            if Origin.LABEL in anatomy.made_of(operand) or anatomy.values.timeline.is_data_free(operand):
                continue
            yield operand


def _with_constant(draft: Draft, flow: DataFlow, operand: Operand, before: Site, value: float) -> Draft | None:
    """The program with a new constant, set before an instruction, in place of an operand."""
    room = draft.unused_register(RegisterType.SCALAR, flow.vector_label)
    if room is None:
        return None
    new = room[0].with_operand(operand.site, operand.name, (RegisterType.SCALAR, room[1]))
    place = _added(draft.place(operand.site))
    return new.insert(before, Instruction(_CONSTANT, out=room[1], constants=(value,)), place)


def _added(place: str) -> str:
    """Place of an instruction that was added for one at a place."""
    return place if place.startswith(_ADDED) else f"{_ADDED}{place}"
