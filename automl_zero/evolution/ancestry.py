"""The sequence of discoveries that led to a program (paper, Section 4.2 and Fig. 6)."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automl_zero.evolution.method import MUTATION_TYPES
from automl_zero.program import Program
from automl_zero.program_arrays import unpack

if TYPE_CHECKING:
    from automl_zero.evolution.candidate import Candidate
    from automl_zero.evolution.lineage import Lines
    from automl_zero.evolution.mutation import Space
    from automl_zero.memory import MemorySpec

StepKey = tuple[int, int]
"""What a step is known by within an experiment: its island and the number of its individual there."""


START, REFINEMENT = "start", "refinement"
"""In place of a mutation: where the search began, and changes after the last step, each of which gained little."""


@dataclass(frozen=True)
class Step:
    """An individual that was clearly fitter than all its ancestors.

    Attributes:
        island: where it was born, from 0.
        individual: how many individuals its island had made before it.
        mutation: type of the mutation that made it, with "crossover+" before it when it had two parents.
        parent_fitness: search fitness of its parent.
        fitness: its search fitness.
        parent: its parent.
        program: what it is.
        before: the step that its parent descends from; None when that is an initial program.
    """

    island: int
    individual: int
    mutation: str
    parent_fitness: float
    fitness: float
    parent: Program
    program: Program
    before: StepKey | None

    @property
    def key(self) -> StepKey:
        """What the step is known by."""
        return self.island, self.individual

    def to_dict(self) -> dict[str, Any]:
        """The step as JSON values."""
        return {**vars(self), "parent": self.parent.to_dict(), "program": self.program.to_dict()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Step:
        """The step of a record."""
        before = record["before"]
        programs = {name: Program.from_json(record[name]) for name in ("parent", "program")}
        return cls(**{**record, **programs, "before": None if before is None else tuple(before)})


def records(steps: Sequence[Step], candidate: Candidate, experiment: int) -> list[dict[str, Any]]:
    """The way to a program, for lineage.jsonl: where it began, the steps, and the program itself.

    Args:
        steps: the discoveries, the first one first.
        candidate: the program and its fitness.
        experiment: number of the experiment, from 1.

    Returns:
        Records with the keys experiment, island, individual, mutation, parent_fitness, fitness, parent and program;
        what does not apply is None.
    """
    nothing = dict.fromkeys(("island", "individual", "parent_fitness", "parent"))
    found: list[dict[str, Any]] = []
    if steps:
        start = {"fitness": steps[0].parent_fitness, "program": steps[0].parent.to_dict()}
        found += [{**nothing, "mutation": START, **start}, *(step.to_dict() for step in steps)]
    if not steps or steps[-1].program != candidate.program:
        end = {"fitness": candidate.search_fitness, "program": candidate.program.to_dict()}
        last = found[-1]["fitness"] if found else None
        found.append({**nothing, "mutation": REFINEMENT, "parent_fitness": last, **end})
    return [{"experiment": experiment, **{key: value for key, value in r.items() if key != "before"}} for r in found]


def last_step(lines: Lines, island: int, slot: int) -> StepKey | None:
    """What the last step of an individual's line is known by."""
    at = lines.last(island, slot)
    return None if at is None else _key(lines, at)


def ancestors(
    lines: Lines, island: int, slot: int, known: Container[StepKey], memory: MemorySpec, space: Space
) -> list[Step]:
    """The steps that led to an individual, the last one first, until one that is known."""
    found: list[Step] = []
    at = lines.last(island, slot)
    while at is not None:
        lineage, step = lines.lineages[at[0]], at[1]
        before = lines.before(*at)
        if _key(lines, at) in known:
            break
        parent, program = (
            unpack(memory, lineage.code[step, i], lineage.constants[step, i], lineage.sizes[step, i], space.starts)
            for i in range(2)
        )
        found.append(
            Step(
                island=at[0],
                individual=int(lineage.individuals[step]),
                mutation=_name(int(lineage.mutations[step])),
                parent_fitness=float(lineage.parent_fitness[step]),
                fitness=float(lineage.fitness[step]),
                parent=parent,
                program=program,
                before=None if before is None else _key(lines, before),
            )
        )
        at = before
    return found


def _key(lines: Lines, at: tuple[int, int]) -> StepKey:
    island, step = at
    return island, int(lines.lineages[island].individuals[step])


def _name(mutation: int) -> str:
    crossed, kind = divmod(mutation, len(MUTATION_TYPES))
    return f"crossover+{MUTATION_TYPES[kind]}" if crossed else MUTATION_TYPES[kind]
