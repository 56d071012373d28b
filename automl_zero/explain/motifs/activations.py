"""Rectified linear units and their gradient."""

from __future__ import annotations

from collections.abc import Iterator

from automl_zero.explain.data_flow import Operand, Origin, Site
from automl_zero.explain.motifs.anatomy import Anatomy, names
from automl_zero.explain.motifs.motif import Motif
from automl_zero.explain.values import ELEMENTWISE_PRODUCTS, MAXIMA

_STEPS = frozenset({"scalar_heaviside", "vector_heaviside", "matrix_heaviside"})


def _relus(anatomy: Anatomy) -> Iterator[tuple[set[Site], Operand, Site]]:
    """Instructions of every ReLU, its input, and the instruction that yields its output."""
    values, flow = anatomy.values, anatomy.flow
    for site in values.sites(MAXIMA):
        for operand, other in _both_ways(flow.operands[site]):
            if values.timeline.is_zero(other) and anatomy.is_input(operand):
                yield {site}, operand, site
    for site in values.sites(ELEMENTWISE_PRODUCTS):
        for operand, gate in _both_ways(flow.operands[site]):
            step = _step(anatomy, gate)
            if step is not None and values.same(flow.operands[step][0], operand) and anatomy.is_input(operand):
                yield {step, site}, operand, site


def relu(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
    """max(x, 0), or x * heaviside(x), of something computed from features."""
    for sites, operand, _ in _relus(anatomy):
        yield sites, f"of {names(operand)}"


def relu_gradient(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
    """heaviside(x) * g, where x is the input or output of a ReLU and g depends on the label."""
    values, flow = anatomy.values, anatomy.flow
    relus = list(_relus(anatomy))
    for site in values.sites(ELEMENTWISE_PRODUCTS):
        for gradient, gate in _both_ways(flow.operands[site]):
            step = _step(anatomy, gate)
            if step is None or Origin.LABEL not in flow.origin(gradient):
                continue
            (gated,) = flow.operands[step]
            for _, operand, output in relus:
                if values.same(gated, operand) or flow.operands[step][0].sources == {output}:
                    yield {step, site}, f"of {names(operand)}, applied to {names(gradient)}"
                    break


def _step(anatomy: Anatomy, operand: Operand) -> Site | None:
    """The heaviside that made an operand in the same example."""
    operand = anatomy.values.copied(operand)
    site = anatomy.values.writer(operand)
    if site is None or len(operand.sources) > 1 or operand.carried(site) or anatomy.values.op(site) not in _STEPS:
        return None
    return site


def _both_ways(operands: tuple[Operand, ...]) -> tuple[tuple[Operand, Operand], tuple[Operand, Operand]]:
    first, second = operands
    return (first, second), (second, first)


RECORDS = (
    Motif("relu", "rectified linear unit: keeps what is positive, the rest becomes zero", relu),
    Motif("relu_gradient", "lets a gradient pass where a rectified linear unit was active", relu_gradient),
)
