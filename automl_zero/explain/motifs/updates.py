"""How parameters are learned."""

from __future__ import annotations

from collections.abc import Iterator

from automl_zero.explain.accumulators import Accumulator
from automl_zero.explain.data_flow import Operand, Origin, Site
from automl_zero.explain.motifs.anatomy import Anatomy, Update, names
from automl_zero.explain.motifs.motif import Motif
from automl_zero.explain.values import DIFFERENCES, Factor, Values

_NORMS = frozenset({"vector_norm", "matrix_norm"})


def gradient_step(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
    """Parameters += rate * error * inputs, with a sign that lowers the error; biases have no inputs."""
    for update in anatomy.updates:
        if update.error is None or update.sign <= 0:
            continue
        operands = [factor.operand for factor in update.others]
        features = [factor for factor in update.others if anatomy.carries_features(factor.operand)]
        if any(anatomy.values.age(factor) != anatomy.values.age(update.error) for factor in features):
            continue  # the error of one example times the features of another
        inputs = [factor.operand for factor in features]
        rates = [operand for operand in operands if anatomy.values.timeline.is_data_free(operand)]
        parts = [f"parameters {update.accumulator.name}", f"error {names(update.error.operand)}"]
        parts.append(f"inputs {names(*inputs)}" if inputs else "a bias")
        parts.append(f"rate {names(*rates)}" if rates else "no rate")
        yield update.sites, ", ".join(parts)


def normalised_gradient(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
    """A gradient divided by its own norm before it is added to the parameters."""
    for update in anatomy.updates:
        for factor in update.product.factors:
            norm = _norm(anatomy, factor)
            if norm is None:
                continue
            (measured,) = anatomy.flow.operands[norm]
            before = anatomy.values.age(factor)
            if _is_part(anatomy, update, Factor(measured, 1, before)) and Origin.LABEL in anatomy.made_of(measured):
                yield {*update.sites, norm}, f"{names(measured)} divided by its norm {names(factor.operand)}"


def _norm(anatomy: Anatomy, factor: Factor) -> Site | None:
    """The norm that a factor divides by."""
    site = anatomy.values.writer(factor.operand) if factor.power == -1 else None
    return site if site is not None and anatomy.values.op(site) in _NORMS else None


def _is_part(anatomy: Anatomy, update: Update, measured: Factor) -> bool:
    """Whether an update is a multiple of what was measured, the same example's, that is no parameter itself."""
    return anatomy.holder(measured.operand) is None and any(
        part.power == 1 and _is_same(anatomy.values, part, measured) for part in update.product.parts
    )


def _is_same(values: Values, one: Factor, other: Factor) -> bool:
    """Whether two values are equal, be it that one is read in the example in which it was made and one in the next."""
    if one.lag == other.lag and values.same(one.operand, other.operand):
        return True
    site = values.writer(one.operand)
    return site is not None and site == values.writer(other.operand) and values.age(one) == values.age(other)


def weight_averaging(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
    """A += W, or A = rate * W + (1 - rate) * A, where W are parameters that are learned themselves."""
    for update, inner in _nested(anatomy):
        if not _is_momentum(anatomy, inner):
            yield {*update.sites, *update.accumulator.sites}, f"{update.accumulator.name} adds up {inner.name}"


def momentum(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
    """W += M, where M = decay * M + gradient takes no part in the prediction."""
    for update, inner in _nested(anatomy):
        if _is_momentum(anatomy, inner):
            yield {*update.sites, *inner.sites}, f"{inner.name} of the steps of {update.accumulator.name}"


def _nested(anatomy: Anatomy) -> Iterator[tuple[Update, Accumulator]]:
    """Updates that add another accumulator of gradients, and that accumulator."""
    for update in anatomy.updates:
        rest = []
        inner = []
        for factor in update.product.factors:
            if not anatomy.values.timeline.is_data_free(factor.operand):
                rest.append(factor)
                inner += _inner(anatomy, update, factor.operand)
        if len(rest) == 1 and rest[0].power == 1 and len(inner) == 1 and Origin.LABEL in inner[0].ever:
            yield update, inner[0]


def _inner(anatomy: Anatomy, update: Update, operand: Operand) -> list[Accumulator]:
    """The other accumulator W whose value an operand is, be it as W or as W - A."""
    site = anatomy.values.writer(operand)
    if site is not None and anatomy.values.op(site) in DIFFERENCES and anatomy.holder(operand) is None:
        new, old = anatomy.flow.operands[site]
        if not update.accumulator.holds(anatomy.values.copied(old)):
            return []
        operand = new
    holder = anatomy.holder(operand)
    return [holder] if holder is not None and holder is not update.accumulator else []


def _is_momentum(anatomy: Anatomy, inner: Accumulator) -> bool:
    """Whether an accumulator forgets, and is not what predictions are made from."""
    in_use = any(inner.holds(operand) for site in anatomy.forward for operand in anatomy.flow.operands[site])
    return bool(inner.decay) and not in_use


RECORDS = (
    Motif("gradient_step", "moves parameters along rate x error x inputs, so that the error falls", gradient_step),
    Motif("normalised_gradient", "divides a gradient by its norm", normalised_gradient),
    Motif("weight_averaging", "adds up or averages the successive values of learned weights", weight_averaging),
    Motif("momentum", "moves parameters along a fading sum of past gradients", momentum),
)
