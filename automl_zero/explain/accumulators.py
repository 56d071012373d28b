"""Accumulators: registers that are their own old value plus something, example after example."""

from __future__ import annotations

from dataclasses import dataclass

from automl_zero.explain.data_flow import SETUP, Operand, Origin, Site, register_name
from automl_zero.explain.values import DIFFERENCES, SCALINGS, SUMS, Term, Values


@dataclass(frozen=True)
class Accumulator:
    """A cycle of additions through memory.

    Attributes:
        sites: the instructions on the cycle.
        registers: names of the registers that carry it from example to example.
        increments: what is added at each example, as terms of a sum.
        decay: operands that the old value is multiplied by on its way, if any.
        ever: what it depends on.
    """

    sites: frozenset[Site]
    registers: tuple[str, ...]
    increments: tuple[Term, ...]
    decay: tuple[Operand, ...]
    ever: Origin

    @property
    def name(self) -> str:
        """Its registers."""
        return "/".join(self.registers)

    def holds(self, operand: Operand) -> bool:
        """Whether an operand is this accumulator's value."""
        return any(source in self.sites for source in operand.sources)


def find_accumulators(values: Values) -> tuple[Accumulator, ...]:
    """The accumulators of a program, in order."""
    flow = values.flow
    edges = {site: _passing(values, site) for site in flow.live}
    groups = cycles({site: {s for o in operands for s in o.source_sites} for site, operands in edges.items()})
    cyclic = frozenset[Site]().union(*groups)

    def is_accumulated(operand: Operand) -> bool:
        return bool(cyclic & operand.sources)

    found = []
    for group in groups:
        read = [operand for site in sorted(group) for operand in flow.operands[site]]
        carriers = [o.register for o in read if any(o.carried(source) and source in group for source in o.sources)]
        adding = sorted(site for site in group if values.op(site) in SUMS | DIFFERENCES)
        if not carriers or not adding:
            continue
        increments: list[Term] = []
        for site in adding:
            sign = -1 if values.op(site) in DIFFERENCES else 1
            for operand, its_sign in zip(flow.operands[site], (1, sign), strict=True):
                if not group & operand.sources:
                    increments += values.terms(operand, its_sign, (site,), is_accumulated)
        decay = [o for o in read if values.op(o.site) in SCALINGS and not group & o.sources]
        names = tuple(dict.fromkeys(map(register_name, carriers)))
        ever = Origin.NOTHING
        for site in group:
            ever |= flow.ever[site]
        found.append(Accumulator(frozenset(group), names, tuple(increments), tuple(decay), ever))
    return tuple(sorted(found, key=lambda accumulator: min(accumulator.sites)))


def _passing(values: Values, site: Site) -> list[Operand]:
    """Operands whose value a site in the loop passes on with its sign: those of sums, and of scalings."""
    op, operands = values.op(site), values.flow.operands[site]
    if site.component == SETUP:
        return []
    if op in SUMS:
        return list(operands)
    if op in DIFFERENCES:
        return [operands[0]]
    if op in SCALINGS:
        # Of the two factors, the one that no data reach is the decay.
        free = [values.timeline.is_data_free(operand) for operand in operands]
        return [o for o, other in zip(operands, reversed(free), strict=True) if other]
    copied = values.original(site)
    return [] if copied is None else [copied]


def cycles(sources: dict[Site, set[Site]]) -> list[set[Site]]:
    """Sets of sites that reach each other and themselves."""
    reach = {site: set(before) for site, before in sources.items()}
    changed = True
    while changed:
        changed = False
        for reached in reach.values():
            more = set().union(*(reach.get(site, set()) for site in reached)) - reached
            reached |= more
            changed |= bool(more)
    groups: list[set[Site]] = []
    for site, reached in reach.items():
        if site in reached and not any(site in group for group in groups):
            groups.append({other for other in reached if site in reach.get(other, set())})
    return groups
