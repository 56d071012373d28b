"""Runs beside each other: a row a run, and a summary of those that differ in their seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl_zero.analysis.simplify.exact import count
from automl_zero.report.reading import read_program
from automl_zero.report.run_facts import Metric, RunFacts, State
from automl_zero.report.run_files import read_run
from automl_zero.score import Score, summarize

_FITNESSES = ("search_fitness", "select_fitness", "final_fitness")
_SAME_SEARCH = {"name", "checkpoint_seconds"}  # keys of a configuration that do not influence its result


@dataclass(frozen=True)
class Row:
    """A run in a comparison; None where a figure is not known.

    Attributes:
        run: name of its directory.
        name: what its configuration calls it, for a preset the preset's name.
        seed: its seed.
        state: how far it is.
        search_fitness: of its best program, so far or for good, as all kinds of fitness here.
        select_fitness: the same on the select tasks.
        final_fitness: the same on the final tasks.
        solved: whether it exceeded its target.
        individuals: programs made.
        individuals_per_second: speed of the search.
        cpu_seconds: CPU time over all threads.
        train_steps: training examples seen.
        instructions: of its best program, simplified exactly.
    """

    run: str
    name: str
    seed: int | None
    state: State
    search_fitness: float | None
    select_fitness: float | None
    final_fitness: float | None
    solved: bool
    individuals: float | None
    individuals_per_second: float | None
    cpu_seconds: float | None
    train_steps: float | None
    instructions: int | None


@dataclass(frozen=True)
class Group:
    """Runs of one configuration with different seeds.

    Attributes:
        name: what the configuration calls itself.
        runs: names of the directories of those with a known seed and a fitness; what follows is about them.
        seeds: how many different seeds they have.
        without_result: how many of them have no result yet.
        solved: how many exceeded the target.
        scores: mean and standard error of each kind of fitness, over the runs that have it.
        left_out: names of the directories of the other runs.
    """

    name: str
    runs: tuple[str, ...]
    seeds: int
    without_result: int
    solved: int
    scores: dict[str, Score]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Runs beside each other.

    Attributes:
        rows: one for each run, in the order given.
        groups: one for each configuration that several of them have with different seeds.
        curves: progress of each run.
        notes: sentences on what could not be read.
    """

    rows: tuple[Row, ...]
    groups: tuple[Group, ...]
    curves: tuple[tuple[Metric, ...], ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON object with the runs and the groups."""
        return {"runs": [asdict(row) for row in self.rows], "groups": [asdict(group) for group in self.groups]}


def compare(run_dirs: Sequence[str | Path]) -> Comparison:
    """Put runs beside each other, finished or not.

    Raises:
        OSError: one of them is not the directory of a run.
    """
    facts = [read_run(path) for path in run_dirs]
    rows = tuple(map(_row, facts))
    groups: dict[str, list[int]] = {}
    for at, run in enumerate(facts):
        if run.config is not None:
            key = run.config.model_dump_json(exclude=_SAME_SEARCH)
            groups.setdefault(key, []).append(at)
    summaries = (_group([rows[at] for at in members]) for members in groups.values())
    return Comparison(
        rows,
        tuple(group for group in summaries if group.seeds > 1),
        tuple(run.metrics for run in facts),
        tuple(f"{run.path}: {note}" for run in facts for note in run.notes),
    )


def _row(facts: RunFacts) -> Row:
    figures = facts.figures
    reading = read_program(facts, num_tasks=0)
    speeds = [metric.speed for metric in facts.metrics if metric.speed is not None]
    return Row(
        run=facts.path.resolve().name,
        name=facts.name,
        seed=facts.seed,
        state=facts.state,
        search_fitness=figures.search_fitness,
        select_fitness=figures.select_fitness,
        final_fitness=figures.final_fitness,
        solved=figures.solved,
        individuals=figures.individuals,
        individuals_per_second=speeds[-1] if speeds else None,
        cpu_seconds=figures.cpu_seconds,
        train_steps=figures.train_steps,
        instructions=None if reading is None else count(reading.exact.program),
    )


def _group(rows: Sequence[Row]) -> Group:
    counted = [row for row in rows if row.seed is not None and _has_fitness(row)]
    scores = {}
    for name in _FITNESSES:
        values = [value for row in counted if (value := getattr(row, name)) is not None]
        if values:
            scores[name] = summarize(np.array(values))
    return Group(
        name=rows[0].name,
        runs=tuple(row.run for row in counted),
        seeds=len({row.seed for row in counted}),
        without_result=sum(row.state not in ("finished", "interrupted") for row in counted),
        solved=sum(row.solved for row in counted),
        scores=scores,
        left_out=tuple(row.run for row in rows if row not in counted),
    )


def _has_fitness(row: Row) -> bool:
    return any(getattr(row, name) is not None for name in _FITNESSES)
