"""The small presets run, on what comes with the package."""

from __future__ import annotations

import pytest

from automl_zero import programs
from automl_zero.evaluation import evaluate
from automl_zero.evolution.search import evolve
from automl_zero.evolution.sources import named_config
from automl_zero.presets import preset_names
from automl_zero.tasks import make_source

FEW_TASKS = [f"tasks.{purpose}.num_tasks=9" for purpose in ("search", "select", "final")]


@pytest.mark.parametrize("name", preset_names("small"))
def test_three_hundred_individuals(name: str) -> None:
    overrides = [*FEW_TASKS, "max_individuals=300", "population_size=40", "migrants=0", "caches.canonical_size=1024"]
    config = named_config(name, [*overrides, "caches.fec_size=1024"], scale="small")
    result = evolve(config, seed=1, workers=1)
    assert result.individuals == 300
    assert 0.0 <= result.search_fitness <= 1.0
    assert result.final_fitness is not None
    start = config.search_space.initial
    if isinstance(start, str) and start in ("neural_net", "softmax_net"):
        # The first individual is the network itself, so that nothing worse can be the best.
        tasks = make_source(config.tasks).search(0)
        network = evaluate(getattr(programs, start)(), tasks)
        assert result.search_fitness > network.mean() - 0.2
