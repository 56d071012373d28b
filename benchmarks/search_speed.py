"""Individuals and full evaluations per second of the search engine, on one thread."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

from automl_zero.evolution import engine
from automl_zero.evolution.config import ExperimentConfig, load_config
from automl_zero.evolution.islands import Archipelago
from automl_zero.evolution.mutation import make_space
from automl_zero.interpreters.lane_data import lay_out
from automl_zero.tasks import make_source
from benchmarks.report import spread

PRESETS = ("linear-reference", "linear")
_COUNTERS = {
    "individuals": engine.INDIVIDUALS,
    "evaluated": engine.EVALUATED,
    "train_steps": engine.TRAIN_STEPS,
    "canonical_lookups": engine.CANONICAL_LOOKUPS,
    "canonical_hits": engine.CANONICAL_HITS,
    "fec_lookups": engine.FEC_LOOKUPS,
    "fec_hits": engine.FEC_HITS,
}


def warm_up(preset: str) -> float:
    """Compile what a preset needs; returns the seconds that took (little when the disk cache has it)."""
    start = time.perf_counter()
    measure_seed(preset, 0, 1)
    return time.perf_counter() - start


def measure_seed(preset: str | ExperimentConfig, seed: int, individuals: int) -> dict[str, Any]:
    """Make individuals by a preset's search, experiment after experiment, whether or not one of them solves the tasks.

    Only the compiled search is timed, not what happens once an experiment: making its tasks, and the select test.

    Args:
        preset: its name, or a configuration.
        seed: seed of the tasks and of the search.
        individuals: how many.
    """
    config = load_config(preset)
    totals, seconds, experiments = dict.fromkeys(_COUNTERS, 0), 0.0, 0
    for archipelago in _experiments(config, seed):
        seconds += _search(archipelago, individuals - totals["individuals"])
        experiments += 1
        for name, counter in _COUNTERS.items():
            totals[name] += archipelago.total(counter)
        if totals["individuals"] >= individuals:
            break
    return {
        "seed": seed,
        "cpu_seconds": seconds,
        "experiments": experiments,
        "individuals": totals["individuals"],
        "evaluated": totals["evaluated"],
        "train_steps": totals["train_steps"],
        "individuals_per_second": totals["individuals"] / seconds,
        "evaluated_per_second": totals["evaluated"] / seconds,
        "train_steps_per_second": totals["train_steps"] / seconds,
        "canonical_hit_rate": totals["canonical_hits"] / max(totals["canonical_lookups"], 1),
        "fec_hit_rate": totals["fec_hits"] / max(totals["fec_lookups"], 1),
    }


def summary(preset: str, seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """The record of a preset: medians over its seeds, and the seeds."""
    rates = ("individuals_per_second", "evaluated_per_second", "train_steps_per_second")
    return {"preset": preset, **{name: spread([seed[name] for seed in seeds]) for name in rates}, "seeds": seeds}


def _experiments(config: ExperimentConfig, seed: int) -> Iterator[Archipelago]:
    source, space = make_source(config.tasks), make_space(config)
    for number in itertools.count():
        data = lay_out(source.search(1000 * seed + number), config.dtype)
        yield Archipelago(config, space, data, (seed, number))


def _search(archipelago: Archipelago, limit: int) -> float:
    """Run an experiment to its own end or to a number of individuals; returns the CPU seconds of this thread."""
    config = archipelago.config
    most = min(limit, config.experiment_individuals or limit)
    most_steps = config.experiment_train_steps
    seconds = 0.0
    while (left := most - archipelago.total(engine.INDIVIDUALS)) > 0:
        if most_steps is not None and archipelago.total(engine.TRAIN_STEPS) >= most_steps:
            break
        quota = min(config.migration_every, max(left // config.islands, 1))
        start = time.thread_time()
        for number in range(config.islands):
            archipelago.advance(number, quota)
        archipelago.migrate()
        seconds += time.thread_time() - start
    return seconds
