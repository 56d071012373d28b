"""What there is to know about a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from automl_zero.program import Program

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig
    from automl_zero.explain.discoveries import Discovery

State = Literal["finished", "interrupted", "running", "unfinished", "damaged"]


@dataclass(frozen=True)
class Metric:
    """A line of metrics.jsonl; None where a figure is missing."""

    experiment: int
    individuals: float
    seconds: float
    cpu_seconds: float | None
    best: float | None
    mean: float | None
    rates: Mapping[str, float]
    speed: float | None


@dataclass(frozen=True)
class Figures:
    """Figures of a run, or of one of its experiments; None where they are not known.

    Attributes:
        search_fitness: fitness on the search tasks.
        select_fitness: fitness on the select tasks.
        final_fitness: fitness on the final tasks.
        solved: whether the target was exceeded.
        individuals: programs made.
        evaluated: programs evaluated in full.
        train_steps: training examples seen.
        seconds: time.
        cpu_seconds: CPU time over all threads.
        gpu_seconds: time on GPUs.
        peak_memory_mib: most memory of the process.
    """

    search_fitness: float | None = None
    select_fitness: float | None = None
    final_fitness: float | None = None
    solved: bool = False
    individuals: float | None = None
    evaluated: float | None = None
    train_steps: float | None = None
    seconds: float | None = None
    cpu_seconds: float | None = None
    gpu_seconds: float | None = None
    peak_memory_mib: float | None = None


@dataclass(frozen=True)
class RunFacts:
    """A run as its directory shows it.

    Attributes:
        path: the directory.
        state: how far the run is; "damaged" when it has a result that cannot be read.
        config: its configuration; None when it cannot be read.
        config_text: config.toml as it is.
        seed: its seed.
        program: its best program, so far or for good.
        figures: its totals, and the fitness of that program; without a program, the highest search fitness.
        experiments: one record per experiment that has ended.
        metrics: the progress.
        lineage: the way to the best program, from its beginning; None when the run recorded none.
        versions: of the software.
        machine: where it ran.
        notes: sentences on what could not be read.
        no_program: why there is no program, in a sentence, or "".
    """

    path: Path
    state: State
    config: ExperimentConfig | None
    config_text: str
    seed: int | None
    program: Program | None
    figures: Figures
    experiments: tuple[Figures, ...]
    metrics: tuple[Metric, ...]
    lineage: tuple[Discovery, ...] | None
    versions: Mapping[str, str]
    machine: Mapping[str, str]
    notes: tuple[str, ...] = ()
    no_program: str = ""

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.config.name if self.config is not None else self.path.resolve().name
