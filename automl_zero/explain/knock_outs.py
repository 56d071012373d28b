"""Knock-outs: what a program loses without one of its instructions, or a group of them (paper, Section 4.2).

An instruction is knocked out by putting a no_op in its place; what only it used dies with it. Removing a random
instruction, or the last use of one, changes what later random instructions of the same component function draw; their
effect is then part of the change, like that of any other seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from automl_zero.explain.changes import Change, Fitness, PairedScores, paired_change
from automl_zero.explain.data_flow import SETUP, DataFlow, Origin, Site, sites
from automl_zero.explain.motifs import Match
from automl_zero.instruction import Instruction
from automl_zero.program import Program

MAX_PAIRS = 1000
PAIR_ERRORS = 4.0  # so many pairs are tried that two standard errors would let some through by chance


@dataclass(frozen=True)
class KnockOut:
    """Instructions taken out of a program, and what that did to its fitness.

    Attributes:
        kind: "instruction", "motif", "chain" (temporaries that feed each other), "noise" (all random draws of Predict
            and Learn), "cancelling pair" (each one is missed, but not both together) or "redundant pair" (only missed
            when both are gone).
        name: the motif, or what the group is.
        sites: the instructions, in order.
        change: change of the mean fitness.
        dies: further instructions that nothing uses any more.
        dead: whether the instruction could not influence any prediction in the first place.
    """

    kind: str
    name: str
    sites: tuple[Site, ...]
    change: Change
    dies: tuple[Site, ...] = ()
    dead: bool = False


def without(program: Program, removed: Iterable[Site]) -> Program:
    """The program with no_ops in place of some instructions."""
    gone = set(removed)
    components = (
        tuple(Instruction("no_op") if Site(c, p) in gone else i for p, i in enumerate(instructions))
        for c, instructions in enumerate(program.components)
    )
    return Program(program.memory, *components)


def knock_out_instructions(flow: DataFlow, scores: PairedScores) -> list[KnockOut]:
    """Every instruction alone: those that are missed most come first, dead ones last.

    Args:
        flow: data flow of the program.
        scores: scores of the program on fresh tasks.
    """
    found = []
    for site, instruction in sites(flow.program):
        if site in flow.live:
            found.append(_knock_out(flow, scores, "instruction", instruction.op, (site,)))
        else:
            unchanged = paired_change(scores.before, scores.before)
            found.append(KnockOut("instruction", instruction.op, (site,), unchanged, dead=True))
    return _ranked(found)


def knock_out_groups(flow: DataFlow, matches: Sequence[Match], scores: PairedScores) -> list[KnockOut]:
    """Groups of instructions that belong together, ranked like single ones.

    Args:
        flow: data flow of the program.
        matches: the motifs found in it.
        scores: scores of the program on fresh tasks.
    """
    found: dict[tuple[Site, ...], KnockOut] = {}
    for kind, name, group in (*_motif_groups(matches), *_noise(flow), *_chains(flow)):
        if group not in found and (len(group) > 1 or kind == "motif"):
            found[group] = _knock_out(flow, scores, kind, name, group)
    return _ranked([*found.values(), *_cancelling(flow, scores), *_redundant(flow, scores)])


def _knock_out(flow: DataFlow, scores: PairedScores, kind: str, name: str, group: tuple[Site, ...]) -> KnockOut:
    variant = without(flow.program, group)
    left = DataFlow(variant, flow.vector_label).live
    dies = tuple(site for site in flow.live if site not in left and site not in group)
    return KnockOut(kind, name, group, scores.change(variant), dies)


def _ranked(found: list[KnockOut]) -> list[KnockOut]:
    return sorted(found, key=lambda knock_out: (knock_out.dead, knock_out.change.mean, knock_out.sites))


_Group = tuple[str, str, tuple[Site, ...]]


def _motif_groups(matches: Sequence[Match]) -> Iterator[_Group]:
    """Each match, and all matches of one motif together."""
    by_motif: dict[str, list[Match]] = {}
    for match in matches:
        by_motif.setdefault(match.motif, []).append(match)
        yield "motif", match.motif, match.sites
    for motif, several in by_motif.items():
        if len(several) > 1:
            yield "motif", f"all {motif}", tuple(sorted({site for match in several for site in match.sites}))


def _noise(flow: DataFlow) -> Iterator[_Group]:
    draws = (
        s for s, i in flow.live.items() if i.spec.random and s.component != SETUP and Origin.NOISE in flow.fresh[s]
    )
    yield "noise", "all random draws", tuple(draws)


def _chains(flow: DataFlow) -> Iterator[_Group]:
    """Instructions whose results are read just once, together with those that read them, in one component."""
    chain = {site: {site} for site in flow.live}
    for site in flow.live:
        uses = flow.uses.get(site, ())
        if len(uses) == 1 and uses[0].site in flow.live:
            user = uses[0].site
            if user.component == site.component and len(uses[0].sources) == 1 and not uses[0].carried(site):
                joined = chain[site] | chain[user]
                for member in joined:
                    chain[member] = joined
    for group in {tuple(sorted(members)): None for members in chain.values()}:
        yield "chain", "temporaries", group


def _cancelling(flow: DataFlow, scores: PairedScores) -> Iterator[KnockOut]:
    """Pairs of instructions, one reading the other, that do harm when one is missing but not when both are."""

    def wanted(first: Change, second: Change) -> bool:
        return first.is_loss() and second.is_loss()

    def connected(first: Site, second: Site) -> bool:
        return any(use.site == second for use in flow.uses.get(first, ()))

    for pair, joint, singles in _pairs(flow, scores, wanted, connected):
        better = (paired_change(one, joint).is_loss(PAIR_ERRORS) for one in singles)
        if all(better) and not paired_change(joint, scores.before).is_loss():
            yield _knock_out(flow, scores, "cancelling pair", "undo each other", pair)


def _redundant(flow: DataFlow, scores: PairedScores) -> Iterator[KnockOut]:
    """Pairs of instructions of which either can do without the other."""

    def wanted(first: Change, second: Change) -> bool:
        return not first.is_loss() and not second.is_loss()

    for pair, joint, singles in _pairs(flow, scores, wanted, lambda first, second: True):
        if all(paired_change(joint, one).is_loss(PAIR_ERRORS) for one in (*singles, scores.before)):
            yield _knock_out(flow, scores, "redundant pair", "either does", pair)


def _pairs(
    flow: DataFlow,
    scores: PairedScores,
    wanted: Callable[[Change, Change], bool],
    connected: Callable[[Site, Site], bool],
) -> Iterator[tuple[tuple[Site, Site], Fitness, tuple[Fitness, Fitness]]]:
    """Pairs of instructions with the fitness without both, and without either."""
    single = {site: scores.fitness(without(flow.program, (site,))) for site in flow.live}
    changes = {site: paired_change(fitness, scores.before) for site, fitness in single.items()}
    candidates = [
        (first, second)
        for first, second in combinations(flow.live, 2)
        if wanted(changes[first], changes[second]) and connected(first, second)
    ]
    for first, second in candidates[:MAX_PAIRS]:
        joint = scores.fitness(without(flow.program, (first, second)))
        yield (first, second), joint, (single[first], single[second])
