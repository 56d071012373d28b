"""Islands advance on any number of threads with one result, and exchange individuals at barriers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from automl_zero.evolution import engine, islands
from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.islands import Archipelago, program_in
from automl_zero.evolution.mutation import make_space
from automl_zero.interpreters.lane_data import LaneData
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.program import COMPONENTS
from automl_zero.tasks import linear_regression

OPS = [
    "scalar_const_set",
    "scalar_diff",
    "scalar_product",
    "scalar_vector_product",
    "vector_inner_product",
    "vector_sum",
]
P = 12


@pytest.fixture(scope="module")
def data() -> LaneData:
    tasks = linear_regression(num_tasks=10, num_features=4, num_train=15, num_valid=5, seed=2)
    return Evaluator(tasks, "float32").data


def make_config(**settings: Any) -> ExperimentConfig:
    space: dict[str, Any] = {"scalars": 4, "vectors": 3, "matrices": 1}
    for component, size in zip(COMPONENTS, (5, 2, 6), strict=True):
        space[component] = {"ops": OPS, "min_size": size, "max_size": size, "initial_size": size}
    settings = {"population_size": P, "tournament_size": 3, "islands": 3, "migrants": 4, **settings}
    return ExperimentConfig(search_space=space, tasks={"kind": "linear"}, **settings)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def make(data: LaneData, key: tuple[int, ...] = (5, 0), **settings: Any) -> Archipelago:
    config = make_config(**settings)
    return Archipelago(config, make_space(config), data, key)


def go(archipelago: Archipelago, pool: ThreadPoolExecutor, count: int) -> None:
    """Let every island make so many individuals."""
    jobs = archipelago.start([count] * len(archipelago.islands), pool, lambda: False)
    assert [job.result() for job in jobs] == [True] * len(archipelago.islands)


def individuals(archipelago: Archipelago) -> list[list[tuple[Any, ...]]]:
    """Program, fitness and hash of every individual of every island."""
    memory = archipelago.config.search_space.memory
    return [
        [
            (program_in(island, slot, memory, archipelago.space), float(island.fitness[slot]), int(island.hashes[slot]))
            for slot in range(P)
        ]
        for island in archipelago.islands
    ]


def state(archipelago: Archipelago) -> list[Any]:
    parts = ("code", "constants", "sizes", "fitness", "hashes", "rng", "counters")
    return [[getattr(island, part).tolist() for part in parts] for island in archipelago.islands]


def oldest(archipelago: Archipelago) -> list[int]:
    return [int(island.counters[engine.OLDEST]) for island in archipelago.islands]


# -- running ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_call", [1, 7, 1000])
@pytest.mark.parametrize("call_seconds", [0.0, 10.0])
@pytest.mark.parametrize("threads", [1, 3])
def test_neither_threads_nor_where_calls_end_change_a_result(data, monkeypatch, first_call, call_seconds, threads):
    results = []
    for settings in (None, (first_call, call_seconds, threads)):
        if settings is not None:
            monkeypatch.setattr(islands, "_FIRST_CALL", settings[0])
            monkeypatch.setattr(islands, "_CALL_SECONDS", settings[1])
        archipelago = make(data)
        with ThreadPoolExecutor(settings[2] if settings else 2) as pool:
            for _ in range(3):
                go(archipelago, pool, 60)
                archipelago.migrate()
        results.append(state(archipelago))
    assert results[0] == results[1]


def test_islands_are_different_searches(data, pool):
    archipelago = make(data)
    go(archipelago, pool, P)
    first, second, third = ([one[0] for one in island] for island in individuals(archipelago))
    assert first != second != third != first


def test_an_island_makes_its_quota(data, pool):
    archipelago = make(data)
    for quotas in ([3, 0, 1], [20, 5, 9]):
        before = [int(island.counters[engine.INDIVIDUALS]) for island in archipelago.islands]
        jobs = archipelago.start(quotas, pool, lambda: False)
        assert all(job.result() for job in jobs)
        after = [int(island.counters[engine.INDIVIDUALS]) for island in archipelago.islands]
        assert [b - a for a, b in zip(before, after, strict=True)] == quotas
    assert archipelago.total(engine.INDIVIDUALS) == 38


def test_a_stop_is_noticed_between_calls(data, monkeypatch, pool):
    monkeypatch.setattr(islands, "_FIRST_CALL", 5)
    monkeypatch.setattr(islands, "_CALL_SECONDS", 0.0)
    archipelago = make(data, islands=1)
    asked = iter([False, False, True])
    (job,) = archipelago.start([100], pool, lambda: next(asked))
    assert job.result() is False
    # A call of five, two of one, and the question before the first individual is not asked.
    assert archipelago.total(engine.INDIVIDUALS) == 5 + 1 + 1


def test_an_island_that_is_stopped_at_once_has_a_program_to_offer(data, pool):
    archipelago = make(data)
    jobs = archipelago.start([1000] * 3, pool, lambda: True)
    assert [job.result() for job in jobs] == [False] * 3
    made = [int(island.counters[engine.INDIVIDUALS]) for island in archipelago.islands]
    assert all(0 < count < 1000 for count in made)


def test_the_mean_fitness_is_that_of_all_individuals_there_are(data, pool):
    archipelago = make(data)
    assert archipelago.mean_fitness() == 0.0
    jobs = archipelago.start([1, 5, 40], pool, lambda: False)
    assert all(job.result() for job in jobs)
    filled = [[one[1] for one in island[:n]] for island, n in zip(individuals(archipelago), (1, 5, P), strict=True)]
    assert archipelago.mean_fitness() == pytest.approx(np.mean(np.concatenate(filled)), rel=1e-14)


# -- migration -------------------------------------------------------------------------------------------------------


@pytest.fixture
def settled(data: LaneData, pool: ThreadPoolExecutor) -> Callable[..., Archipelago]:
    """An archipelago whose oldest individuals are not in the first slots."""

    def build(**settings: Any) -> Archipelago:
        archipelago = make(data, **settings)
        go(archipelago, pool, 3 * P + 10)
        assert set(oldest(archipelago)) == {10}
        return archipelago

    return build


def test_migrants_replace_the_oldest_and_are_the_youngest_then(settled):
    archipelago = settled()
    before = individuals(archipelago)
    archipelago.migrate()
    after = individuals(archipelago)
    replaced = [10, 11, 0, 1]  # four slots from the oldest on, round the end
    for island in range(3):
        assert [after[island][slot] for slot in range(P) if slot not in replaced] == [
            before[island][slot] for slot in range(P) if slot not in replaced
        ]
    assert oldest(archipelago) == [2, 2, 2]


def test_migrants_are_whole_individuals_of_the_islands_before(settled):
    archipelago = settled(migrants=P)
    before = [one for island in individuals(archipelago) for one in island]
    archipelago.migrate()
    after = individuals(archipelago)
    assert [len(island) for island in after] == [P] * 3
    for island in after:
        assert all(one in before for one in island)
    origins = [
        {number for number in range(3) for one in island if one in before[number * P : (number + 1) * P]}
        for island in after
    ]
    assert origins == [{0, 1, 2}] * 3


def test_every_island_sends_as_many_as_it_receives_and_no_one_twice(settled, monkeypatch):
    archipelago = settled()
    drawn: list[tuple[int, list[int]]] = []
    make_generator = np.random.default_rng

    class Recorder:
        def __init__(self, key: Any) -> None:
            self.generator = make_generator(key)

        def permutation(self, size: int) -> Any:
            order = self.generator.permutation(size)
            drawn.append((size, order.tolist()))
            return order

    before = individuals(archipelago)
    monkeypatch.setattr(np.random, "default_rng", Recorder)
    archipelago.migrate()
    assert [size for size, _ in drawn] == [P] * 3 + [12] * 3
    # The pool in (island, slot) order of the draws, and the receivers in the order of the islands.
    pool = [before[island][slot] for island in range(3) for slot in drawn[island][1][:4]]
    received = [[pool[choice] for choice in order[:4]] for _, order in drawn[3:]]
    after = individuals(archipelago)
    assert [[after[island][slot] for slot in (10, 11, 0, 1)] for island in range(3)] == received


def test_migration_depends_on_the_key_and_the_barrier_alone(settled):
    first, same, other = settled(), settled(), settled(key=(6, 0))
    for archipelago in (first, same, other):
        archipelago.migrate()
    assert state(first) == state(same)
    before = state(first)
    first.migrate()
    same.barriers = 7
    same.migrate()
    assert state(first) != before
    assert state(first) != state(same)


def test_the_search_goes_on_with_the_migrants(settled, pool):
    archipelago = settled()
    archipelago.migrate()
    migrant = individuals(archipelago)[0][10]
    go(archipelago, pool, 8)  # slots 2 to 9 are the oldest now
    assert individuals(archipelago)[0][10] == migrant
    go(archipelago, pool, 1)
    assert oldest(archipelago) == [11] * 3


def test_the_best_of_an_island_is_its_own(settled):
    archipelago = settled(migrants=P)
    best = [island.fitness[P + 1] for island in archipelago.islands]
    numbers = [int(island.counters[engine.BEST_INDIVIDUAL]) for island in archipelago.islands]
    archipelago.migrate()
    assert [island.fitness[P + 1] for island in archipelago.islands] == best
    assert [int(island.counters[engine.BEST_INDIVIDUAL]) for island in archipelago.islands] == numbers


@pytest.mark.parametrize("settings", [{"migrants": 0}, {"islands": 1}])
def test_nothing_happens_without_migrants_or_without_another_island(settled, settings):
    archipelago = settled(**settings)
    before = state(archipelago)
    archipelago.migrate()
    assert state(archipelago) == before


def test_nothing_happens_before_all_initial_populations_are_complete(data, pool):
    archipelago = make(data)
    jobs = archipelago.start([P, P, P - 1], pool, lambda: False)
    assert all(job.result() for job in jobs)
    before = state(archipelago)
    archipelago.migrate()
    assert state(archipelago) == before
    jobs = archipelago.start([0, 0, 1], pool, lambda: False)
    assert all(job.result() for job in jobs)
    archipelago.migrate()
    assert oldest(archipelago) == [4, 4, 4]
