"""Instructions whose result is always zero, so that no constant among their operands has an effect."""

from __future__ import annotations

from automl_zero.explain.data_flow import DataFlow, Input, Operand, Site
from automl_zero.explain.values import DIFFERENCES, DIVISIONS, MAXIMA, MINIMA, MULTILINEAR, SUMS, Values

_ZERO_OF_ZEROS = SUMS | DIFFERENCES | MAXIMA | MINIMA


class Zeros:
    """What is zero at all times in training.

    Args:
        values: values of the program.
    """

    def __init__(self, values: Values) -> None:
        self._values = values
        self._sites = _sites(values)

    def is_zero(self, operand: Operand) -> bool:
        """Whether an operand is zero at all times."""
        return _is_zero(self._values, operand, self._sites)

    def is_idle(self, flow: DataFlow, operand: Operand) -> bool:
        """Whether an operand is read to no effect: the instruction that reads it yields zero all the same."""
        return operand.site in flow.live and operand.site in self._sites


def _sites(values: Values) -> frozenset[Site]:
    """Sites that yield zero in every example, if they have done so in all before, as memory is zero at first."""
    found = set(values.flow.live)
    while True:
        kept = {site for site in found if _yields_zero(values, site, found)}
        if kept == found:
            return frozenset(found)
        found = kept


def _yields_zero(values: Values, site: Site, zeros: set[Site]) -> bool:
    uses = values.flow.uses.get(site, ())
    if uses and all(map(values.timeline.is_zero, uses)):  # as for x - x
        return True
    operands = values.flow.operands[site]
    zero = [_is_zero(values, operand, zeros) for operand in operands]
    op = values.op(site)
    if not zero or op in DIVISIONS:
        return bool(zero) and zero[0]
    return any(zero) if op in MULTILINEAR else op in _ZERO_OF_ZEROS and all(zero)


def _is_zero(values: Values, operand: Operand, zeros: set[Site] | frozenset[Site]) -> bool:
    if values.timeline.is_zero(operand):
        return True
    return all(source is Input.ZERO or source in zeros for source in operand.sources)
