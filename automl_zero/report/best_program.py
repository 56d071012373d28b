"""The best program of a run, and its fitness: of one program, though several files name one each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automl_zero.evolution.run_directory import HALL_OF_FAME, LINEAGE, RESULT
from automl_zero.program import Program
from automl_zero.report.records import number, table

if TYPE_CHECKING:
    from automl_zero.explain.discoveries import Discovery


@dataclass(frozen=True)
class Entry:
    """A line of hall_of_fame.jsonl; the program is still a record."""

    search_fitness: float
    program: Mapping[str, Any]

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Entry:
        """The entry of a record.

        Raises:
            KeyError, ValueError: the record is not one.
        """
        fitness, program = number(record, "search_fitness"), record["program"]
        if fitness is None or not isinstance(program, dict):
            raise ValueError("fitness or program are missing")
        return cls(fitness, program)


def in_place_of_best(
    result: Mapping[str, Any] | None, hall_of_fame: Sequence[Entry], lineage: Sequence[Discovery]
) -> tuple[Program, str] | None:
    """The best program as other files than best.json have it, and in words where it is from."""
    candidates: list[tuple[Any, str]] = [(table(result, "program"), f"the program of {RESULT}")]
    by_fitness = sorted(hall_of_fame, key=lambda entry: -entry.search_fitness)
    candidates += [
        (entry.program, f"the program with the highest search fitness of {HALL_OF_FAME}") for entry in by_fitness
    ]
    for record, where in candidates:
        try:
            return Program.from_json(record), where
        except (TypeError, ValueError):
            continue
    return (lineage[-1].program, f"the last program of {LINEAGE}") if lineage else None


def fitness_so_far(
    program: Program, saved: Mapping[str, Any], hall_of_fame: Sequence[Entry], lineage: Sequence[Discovery]
) -> tuple[float | None, float | None]:
    """Search and select fitness of a program of a run without a result, None where no file has them.

    Args:
        program: the program.
        saved: the state of the run's last checkpoint, or nothing.
        hall_of_fame: the improvements.
        lineage: the way to a program, which may be another one.
    """
    record = json.loads(program.to_json())
    best = table(saved, "best")  # of the experiments that have ended
    if best.get("program") == record:
        return number(best, "search_fitness"), number(best, "select_fitness")
    fitness = [entry.search_fitness for entry in hall_of_fame if entry.program == record]
    if not fitness and lineage and lineage[-1].program == program:
        fitness = [lineage[-1].fitness]
    return (fitness[-1] if fitness else None), None
