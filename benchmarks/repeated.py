"""Work that is repeated to be timed: evaluations of one program, and individuals of a search."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from automl_zero.evolution import engine
from automl_zero.evolution.config import ExperimentConfig, load_config
from automl_zero.evolution.islands import Archipelago
from automl_zero.evolution.mutation import make_space
from automl_zero.interpreters.lane_data import LaneData
from automl_zero.program import COMPONENTS, Program

Work = Callable[[int], object]
"""Does something so many times."""


def individuals(config: ExperimentConfig, data: LaneData, seed: int = 0) -> Work:
    """Make individuals on one island; the initial population is made at once."""
    archipelago = Archipelago(config, make_space(config), data, (seed,))

    def make(count: int) -> None:
        archipelago.advance(0, count)

    make(config.population_size)
    return make


def evaluations(program: Program, data: LaneData) -> Work:
    """Evaluate a program in full, as the search does with one that no cache knows.

    The engine makes unmutated copies of the program with its caches off. So a repetition is the evaluation, with
    analysis and encoding, and besides it what it takes to copy a program three times and to draw two numbers.

    Raises:
        RuntimeError: a task stopped early, so that the work would not be what its sizes tell.
    """
    sizes = {name: len(component) for name, component in zip(COMPONENTS, program.components, strict=True)}
    memory = program.memory
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "program.json"
        program.save(file)
        config = load_config(
            {
                "population_size": 2,
                "tournament_size": 1,
                "mutation_probability": 0.0,
                "tasks": {"kind": "linear"},  # what counts is the data
                "caches": {"canonical": False, "fec": False},
                "search_space": {
                    "initial": str(file),
                    "scalars": memory.scalars,
                    "vectors": memory.vectors,
                    "matrices": memory.matrices,
                    **{
                        name: {"ops": ["scalar_sum"], "min_size": size, "max_size": size, "initial_size": size}
                        for name, size in sizes.items()
                    },
                },
            }
        )
        archipelago = Archipelago(config, make_space(config), data, (0,))
    (island,) = archipelago.islands

    def evaluate(count: int) -> None:
        archipelago.advance(0, count)

    evaluate(config.population_size)
    steps = config.population_size * data.num_tasks * data.num_train * data.epochs
    if island.counters[engine.TRAIN_STEPS] != steps:
        raise RuntimeError(
            f"{island.counters[engine.TRAIN_STEPS]} train steps instead of {steps}: a task stopped early"
        )
    return evaluate


class Timed:
    """CPU seconds of a piece of work, or of the difference between two.

    Args:
        work: what is timed.
        least_seconds: of a sample, so that the clock's own cost does not count; the work is repeated to that end.
        baseline: work to be subtracted, sampled right after the other.
        parts: equal parts that the time is divided among.
    """

    def __init__(self, work: Work, least_seconds: float, baseline: Work | None = None, parts: float = 1.0) -> None:
        self.parts = parts
        self.terms = [(1.0, work, _repetitions(work, least_seconds))]
        if baseline is not None:
            self.terms.append((-1.0, baseline, _repetitions(baseline, least_seconds)))

    def __call__(self, number: int) -> float:
        """A sample; all are alike, whatever their number."""
        return sum(sign * _seconds(work, count) for sign, work, count in self.terms) / self.parts


def _seconds(work: Work, count: int) -> float:
    start = time.thread_time()
    work(count)
    return (time.thread_time() - start) / count


def _repetitions(work: Work, least_seconds: float) -> int:
    count = 1
    while (seconds := _seconds(work, count)) * count < least_seconds:
        count = max(2 * count, min(int(least_seconds / max(seconds, 1e-9)) + 1, 100 * count))
    return count
