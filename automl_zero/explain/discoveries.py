"""The way to the best program of a run, and what each mutation on it changed (paper, Section 4.2 and Fig. 6)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl_zero.analysis.differences import Line, differences
from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.program import Program


@dataclass(frozen=True)
class Discovery:
    """A program on the way: the start, a step, or the best program itself.

    Attributes:
        experiment: number of the experiment, from 1.
        island: where it was born, from 0; None for the start and the best program.
        individual: how many individuals its island had made before it; likewise.
        mutation: type of the mutation that made it; "start", or "refinement" for all changes since the last step.
        parent_fitness: search fitness of its parent; None for the start.
        fitness: its search fitness.
        parent: its parent; None for the start and after a refinement.
        program: what it is.
    """

    experiment: int
    island: int | None
    individual: int | None
    mutation: str
    parent_fitness: float | None
    fitness: float
    parent: Program | None
    program: Program

    def to_dict(self) -> dict[str, Any]:
        """The record of a line of lineage.jsonl."""
        parent = None if self.parent is None else self.parent.to_dict()
        return {**vars(self), "parent": parent, "program": self.program.to_dict()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Discovery:
        """The discovery of a record.

        Raises:
            KeyError, TypeError, ValueError: the record is not one.
        """
        island, individual, parent = (record[name] for name in ("island", "individual", "parent"))
        parent_fitness = record["parent_fitness"]
        return cls(
            experiment=int(record["experiment"]),
            island=None if island is None else int(island),
            individual=None if individual is None else int(individual),
            mutation=str(record["mutation"]),
            parent_fitness=None if parent_fitness is None else float(parent_fitness),
            fitness=float(record["fitness"]),
            parent=None if parent is None else Program.from_json(parent),
            program=Program.from_json(record["program"]),
        )


def read_discoveries(path: str | Path) -> list[Discovery]:
    """Read lineage.jsonl.

    Raises:
        OSError: the file cannot be read.
        ValueError: a line is not what it should be.
    """
    found = []
    for number, line in enumerate(Path(path).read_bytes().splitlines(), start=1):
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError(f"expected an object, got {record!r:.80}")
            found.append(Discovery.from_dict(record))
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            problem = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"{path}: line {number} is not a step of a lineage: {problem}") from None
    return found


def changes(
    discoveries: Iterable[Discovery], num_features: int | None = None, num_classes: int = 0
) -> list[list[Line]]:
    """What each of the discoveries changed in the instructions that matter; of the first, all of them.

    Compared with its parent, or with the discovery before where it has none. Dead code is left out.
    """
    found = []
    before: Program | None = None
    for one in discoveries:
        new = remove_dead_code(one.program, num_classes)
        old = before if one.parent is None else remove_dead_code(one.parent, num_classes)
        if old is None:
            old = Program(new.memory, (), (), ())
        found.append([line for line in differences(old, new, num_features) if line.sign != " "])
        before = new
    return found
