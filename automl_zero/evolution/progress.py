"""What a run reports: its progress while it goes on, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from automl_zero import provenance

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig
    from automl_zero.program import Program

Phase = Literal["compile", "search", "select", "final", "done"]


@dataclass(frozen=True)
class Progress:
    """The state of a run at a barrier or at the start of a phase. Counts are totals over experiments and islands.

    Attributes:
        phase: what the run is doing.
        message: a sentence about it, or "".
        experiment: number of the experiment, from 1.
        individuals: programs made, copies included.
        train_steps: training examples seen, summed over tasks and programs.
        evaluated: programs evaluated in full, that is, not found in a cache.
        seconds: time since the start of the run.
        cpu_seconds: CPU time since then, over all threads.
        individuals_per_second: speed of the search.
        best: best search fitness of the experiment.
        mean: mean search fitness of the populations.
        canonical_hit_rate: share of the look-ups in the canonical cache that found an entry.
        fec_hit_rate: share of the look-ups in the functional-equivalence cache that found an entry.
        hurdle_stop_rate: share of the programs that came to a hurdle, not being in a cache, that failed at one.
        over_budget_rate: share of the individuals that cost more than the budget; with ``budget.kind = "table"`` of
            those that are not in the canonical cache, which is asked before.
        program: the program of fitness ``best``.
        limit: name and value of the limit that is reached first at the present speed.
        fraction: share of that limit used up.
    """

    phase: Phase
    message: str = ""
    experiment: int = 1
    individuals: int = 0
    train_steps: int = 0
    evaluated: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    individuals_per_second: float = 0.0
    best: float | None = None
    mean: float | None = None
    canonical_hit_rate: float = 0.0
    fec_hit_rate: float = 0.0
    hurdle_stop_rate: float = 0.0
    over_budget_rate: float = 0.0
    program: Program | None = None
    limit: tuple[str, float] | None = None
    fraction: float | None = None

    def metrics(self) -> dict[str, float | int | None]:
        """The record of a line of metrics.jsonl."""
        return {
            "individuals": self.individuals,
            "train_steps": self.train_steps,
            "evaluated": self.evaluated,
            "seconds": round(self.seconds, 3),
            "individuals_per_second": round(self.individuals_per_second, 1),
            "best": self.best,
            "mean": self.mean,
            "canonical_hit_rate": self.canonical_hit_rate,
            "fec_hit_rate": self.fec_hit_rate,
            "hurdle_stop_rate": self.hurdle_stop_rate,
            "over_budget_rate": self.over_budget_rate,
            "experiment": self.experiment,
            "cpu_seconds": round(self.cpu_seconds, 3),
        }


@dataclass(frozen=True)
class Result:
    """What a run found and what it took.

    Attributes:
        program: the program that the run offers.
        search_fitness: its fitness on the search tasks of its experiment, evaluated without caches.
        select_fitness: its mean fitness on the select tasks; None when it never took that test.
        final_fitness: its mean fitness on the final tasks; None when the run was interrupted before.
        solved: the target was exceeded on the select tasks.
        interrupted: the run was stopped from outside, by a callback, Ctrl-C or SIGTERM.
        target_fitness: the select fitness to exceed, if there was one.
        history: the lines of metrics.jsonl.
        lineage: the lines of lineage.jsonl, the way from an initial program to this one.
        experiments: one record per experiment with its own figures.
        individuals: programs made, over all experiments.
        train_steps: training examples seen, summed over tasks and programs.
        evaluated: programs evaluated in full.
        seconds: time of the run.
        cpu_seconds: CPU time of the run, over all threads.
        seed: the seed that it was given.
        config: the configuration that it was given.
        run_dir: directory of its files, if it wrote any.
    """

    program: Program
    search_fitness: float
    select_fitness: float | None
    final_fitness: float | None
    solved: bool
    interrupted: bool
    target_fitness: float | None
    history: list[dict[str, Any]]
    lineage: list[dict[str, Any]]
    experiments: list[dict[str, Any]]
    individuals: int
    train_steps: int
    evaluated: int
    seconds: float
    cpu_seconds: float
    seed: int
    config: ExperimentConfig
    run_dir: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record of result.json."""
        accelerator = provenance.accelerator() if self.config.backend == "jax" else None
        return {
            "program": self.program.to_dict(),
            "search_fitness": self.search_fitness,
            "select_fitness": self.select_fitness,
            "final_fitness": self.final_fitness,
            "solved": self.solved,
            "interrupted": self.interrupted,
            "target_fitness": self.target_fitness,
            "experiments": self.experiments,
            "individuals": self.individuals,
            "train_steps": self.train_steps,
            "evaluated": self.evaluated,
            "seed": self.seed,
            "config": self.config.model_dump(mode="json"),
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "versions": provenance.versions(),
            "machine": provenance.machine() | ({} if accelerator is None else {"accelerator": accelerator}),
            "cost": provenance.cost(self.seconds, self.cpu_seconds)
            | ({} if accelerator is None else {"gpu_seconds": round(self.seconds, 3)}),
        }
