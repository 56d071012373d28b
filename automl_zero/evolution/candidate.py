"""A program that an experiment offers, with what is known of its fitness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automl_zero.evolution.ancestry import StepKey
from automl_zero.program import Program


@dataclass
class Candidate:
    """A program with its fitness.

    Attributes:
        program: the program.
        search_fitness: on the search tasks of its experiment, evaluated without caches.
        select_fitness: on the select tasks; None as long as it has not taken that test.
        last_step: the last discovery in its line of descent; None when it descends from an initial program without any.
    """

    program: Program
    search_fitness: float
    select_fitness: float | None = None
    last_step: StepKey | None = None

    def to_dict(self) -> dict[str, Any]:
        """The candidate for a checkpoint."""
        return {**vars(self), "program": self.program.to_dict()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Candidate:
        """The candidate of a checkpoint."""
        last = record["last_step"]
        key = None if last is None else (last[0], last[1])
        return cls(Program.from_json(record["program"]), record["search_fitness"], record["select_fitness"], key)
