"""Learning rates that change."""

from __future__ import annotations

from collections.abc import Iterator

from automl_zero.explain.data_flow import Site
from automl_zero.explain.motifs.anatomy import Anatomy, names
from automl_zero.explain.motifs.motif import Motif
from automl_zero.ops import RegisterType


def learning_rate_decay(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
    """A factor of an update that nothing but time changes, and that shrinks from example to example."""
    for update in anatomy.updates:
        if update.error is None:
            continue
        for factor in update.others:
            scalar = factor.operand.register[0] == RegisterType.SCALAR
            if scalar and anatomy.values.timeline.decays(factor.operand, factor.power):
                writers = {site for site in factor.operand.source_sites if site.component}
                yield writers, f"{names(factor.operand)}, in the update of {update.accumulator.name}"


def rate_from_weights(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
    """A scalar factor of an update that is computed from the learned weights."""
    for update in anatomy.updates:
        if update.error is None:
            continue
        for operand in (part.operand for part in update.product.parts):
            scalar = operand.register[0] == RegisterType.SCALAR
            learned = scalar and anatomy.is_learned(operand) and anatomy.holder(operand) is None
            if learned and all(map(anatomy.is_weights, anatomy.memories_of(operand))):
                yield set(operand.source_sites), f"{names(operand)}, in the update of {update.accumulator.name}"
                break


RECORDS = (
    Motif("learning_rate_decay", "takes smaller and smaller learning steps as time goes by", learning_rate_decay),
    Motif("rate_from_weights", "takes its learning rate from the learned weights", rate_from_weights),
)
