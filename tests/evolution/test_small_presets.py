"""The small presets run, on what comes with the package."""

from __future__ import annotations

import pytest

from automl_zero.evolution.search import evolve
from automl_zero.evolution.sources import named_config
from automl_zero.presets import preset_names

FEW_TASKS = [f"tasks.{purpose}.num_tasks=9" for purpose in ("search", "select", "final")]
SMALL_ISLANDS = ["population_size=40", "migrants=20", "caches.canonical_size=1024", "caches.fec_size=1024"]


@pytest.mark.parametrize("name", preset_names("small"))
def test_three_hundred_individuals(name: str) -> None:
    config = named_config(
        name, [*FEW_TASKS, *SMALL_ISLANDS, "max_individuals=300", "migration_every=50"], scale="small"
    )
    result = evolve(config, seed=1, workers=1)
    assert result.individuals == 300
    assert result.final_fitness is not None
    assert 0.0 <= result.final_fitness <= 1.0
    if config.search_space.initial in ("neural_net", "softmax_net"):  # which classify well before anything has evolved
        assert result.search_fitness > 0.6
