"""Islands advance on any number of threads with one result, and exchange individuals at barriers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from automl_zero.analysis.compiled import new_canonical
from automl_zero.evolution import engine, islands
from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.crew import Crew
from automl_zero.evolution.islands import Archipelago, program_in
from automl_zero.evolution.mutation import make_space
from automl_zero.interpreters.lane_data import LaneData
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.program import COMPONENTS
from automl_zero.program_arrays import pack, starts_of
from automl_zero.tasks import affine_regression, linear_regression
from tests.compiled import canonicalise

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
def pool() -> Iterator[Crew]:
    with Crew(2) as threads:
        yield threads


def make(
    data: LaneData, key: tuple[int, ...] = (5, 0), own_data: Sequence[LaneData] | None = None, **settings: Any
) -> Archipelago:
    config = make_config(**settings)
    return Archipelago(config, make_space(config), data, key, own_data)


def go(archipelago: Archipelago, pool: Crew, count: int) -> None:
    """Let every island make so many individuals."""
    advance(archipelago, [count] * len(archipelago.islands), pool)
    assert not any(archipelago.remaining)


def advance(
    archipelago: Archipelago, quotas: Sequence[int], pool: Crew, stop: Callable[[], bool] = lambda: False
) -> None:
    for job in archipelago.start(quotas, pool, stop):
        job.result()


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
        with Crew(settings[2] if settings else 2) as pool:
            for _ in range(3):
                go(archipelago, pool, 60)
                archipelago.migrate(pool if settings else None)
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
        advance(archipelago, quotas, pool)
        after = [int(island.counters[engine.INDIVIDUALS]) for island in archipelago.islands]
        assert [b - a for a, b in zip(before, after, strict=True)] == quotas
    assert archipelago.total(engine.INDIVIDUALS) == 38


def test_threads_share_islands_in_turns(data, monkeypatch, pool):
    monkeypatch.setattr(islands, "_FIRST_CALL", 2000)
    archipelago = make(data)
    advance_one, turns, running = archipelago.advance, [], set()

    def watched(number: int, count: int) -> None:
        assert number not in running  # by the other thread
        running.add(number)
        turns.append(count)
        advance_one(number, count)
        running.remove(number)

    monkeypatch.setattr(archipelago, "advance", watched)
    go(archipelago, pool, 400)
    assert archipelago.total(engine.INDIVIDUALS) == sum(turns) == 3 * 400
    assert turns[0] == pytest.approx(3 * 400 / 6, abs=1)  # a third of what every thread has to do
    assert min(turns[1:]) < turns[0]  # so that the threads reach the barrier together


def test_a_stop_is_noticed_between_calls(data, monkeypatch, pool):
    monkeypatch.setattr(islands, "_FIRST_CALL", 5)
    monkeypatch.setattr(islands, "_CALL_SECONDS", 0.0)
    archipelago = make(data, islands=1)
    asked = iter([True, False, False, True])
    advance(archipelago, [100], pool, lambda: next(asked))
    # A call of five, two of one; the answer before the first individual does not count.
    assert archipelago.total(engine.INDIVIDUALS) == 5 + 1 + 1
    assert archipelago.remaining == [93]


def test_an_island_that_is_stopped_at_once_has_a_program_to_offer(data, pool):
    archipelago = make(data)
    advance(archipelago, [1000] * 3, pool, lambda: True)
    made = [int(island.counters[engine.INDIVIDUALS]) for island in archipelago.islands]
    assert all(0 < count < 1000 for count in made)
    assert archipelago.remaining == [1000 - count for count in made]


def test_the_mean_fitness_is_that_of_all_individuals_there_are(data, pool):
    archipelago = make(data)
    assert archipelago.mean_fitness() == 0.0
    advance(archipelago, [1, 5, 40], pool)
    filled = [[one[1] for one in island[:n]] for island, n in zip(individuals(archipelago), (1, 5, P), strict=True)]
    assert archipelago.mean_fitness() == pytest.approx(np.mean(np.concatenate(filled)), rel=1e-14)


# -- migration -------------------------------------------------------------------------------------------------------


@pytest.fixture
def settled(data: LaneData, pool: Crew) -> Callable[..., Archipelago]:
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


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The permutations that migration draws from now on."""
    orders: list[list[int]] = []
    make_generator = np.random.default_rng

    class Recorder:
        def __init__(self, key: Any) -> None:
            self.generator = make_generator(key)

        def permutation(self, size: int) -> Any:
            order = self.generator.permutation(size)
            orders.append(order.tolist())
            return order

    monkeypatch.setattr(np.random, "default_rng", Recorder)
    return orders


def test_every_island_sends_as_many_as_it_receives_and_no_one_twice(settled, drawn):
    archipelago = settled()
    before = individuals(archipelago)
    archipelago.migrate()
    assert [len(order) for order in drawn] == [P] * 3 + [12] * 3
    # The pool in (island, slot) order of the draws, and the receivers in the order of the islands.
    pool = [before[island][slot] for island in range(3) for slot in drawn[island][:4]]
    received = [[pool[choice] for choice in order[:4]] for order in drawn[3:]]
    after = individuals(archipelago)
    assert [[after[island][slot] for slot in (10, 11, 0, 1)] for island in range(3)] == received


def test_in_a_ring_every_island_sends_to_the_next(settled, drawn):
    archipelago = settled(migration="ring")
    before = individuals(archipelago)
    archipelago.migrate()
    assert [len(order) for order in drawn] == [P] * 3
    after = individuals(archipelago)
    for island, sender in enumerate((2, 0, 1)):
        sent = [before[sender][slot] for slot in drawn[sender][:4]]
        assert [after[island][slot] for slot in (10, 11, 0, 1)] == sent
        assert after[island][2:10] == before[island][2:10]
    assert oldest(archipelago) == [2, 2, 2]


def test_a_ring_of_two_is_an_exchange(settled, drawn):
    archipelago = settled(migration="ring", islands=2, migrants=P)
    before = [sorted(map(str, island)) for island in individuals(archipelago)]
    archipelago.migrate()
    assert [sorted(map(str, island)) for island in individuals(archipelago)] == before[::-1]


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
    advance(archipelago, [P, P, P - 1], pool)
    before = state(archipelago)
    archipelago.migrate()
    assert state(archipelago) == before
    advance(archipelago, [0, 0, 1], pool)
    archipelago.migrate()
    assert oldest(archipelago) == [4, 4, 4]


# -- islands with other tasks ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other_data() -> LaneData:
    """Tasks of other number, size and kind than those of `data`."""
    tasks = affine_regression(num_tasks=3, num_features=7, num_train=20, num_valid=8, seed=3)
    return Evaluator(tasks, "float32").data


INDEXED = [*OPS, "vector_const_set", "vector_gaussian_set"]  # an element's number depends on the number of features


def with_other_tasks(data: LaneData, other_data: LaneData, pool: Crew, **settings: Any) -> Archipelago:
    """Islands of which the second has other tasks, after their initial populations."""
    space = make_config().search_space.model_dump()
    for component in COMPONENTS:
        space[component]["ops"] = INDEXED
    config = make_config(migrants=P, **settings)
    config = ExperimentConfig(**{**config.model_dump(), "search_space": space})
    archipelago = Archipelago(config, make_space(config), data, (5, 0), [data, other_data, data])
    go(archipelago, pool, 2 * P + 10)
    return archipelago


def fitness_and_hash(program: Any, own: LaneData) -> tuple[float, int]:
    """Mean fitness and canonical hash on an island's tasks, by other means than the engine's."""
    tasks = {
        4: linear_regression(num_tasks=10, num_features=4, num_train=15, num_valid=5, seed=2),
        7: affine_regression(num_tasks=3, num_features=7, num_train=20, num_valid=8, seed=3),
    }[own.num_features]
    values = Evaluator(tasks, "float32").evaluate(program)[0]
    code, constants, sizes = pack(program)
    space = make_space(make_config())
    value = canonicalise(
        code, constants, sizes, starts_of(sizes), own.num_features, 0, space.ops, new_canonical(len(code))
    )
    return float(np.cumsum(values)[-1]) / len(values), int(value)


@pytest.mark.parametrize("migration", ["pool", "ring"])
@pytest.mark.parametrize("threads", [None, 3])
def test_immigrants_are_assessed_on_the_tasks_of_the_island_that_receives_them(
    data, other_data, pool, migration, threads
):
    archipelago = with_other_tasks(data, other_data, pool, migration=migration, caches={"fec": False})
    before = [one[0] for island in individuals(archipelago) for one in island]
    if threads is None:
        archipelago.migrate()
    else:
        with Crew(threads) as other_pool:
            archipelago.migrate(other_pool)
    for number, island in enumerate(individuals(archipelago)):
        for program, fitness, value in island:
            assert program in before
            assert (fitness, value) == fitness_and_hash(program, archipelago.data[number])


def test_individuals_from_islands_with_the_same_tasks_are_not_assessed_again(data, other_data, pool):
    archipelago = with_other_tasks(data, other_data, pool, migration="ring", caches={"canonical": False, "fec": False})
    evaluated = [int(island.counters[engine.EVALUATED]) for island in archipelago.islands]
    made = [int(island.counters[engine.INDIVIDUALS]) for island in archipelago.islands]
    archipelago.migrate()
    # The first island receives from the third, the second from the first, the third from the second.
    after = [int(island.counters[engine.EVALUATED]) for island in archipelago.islands]
    assert [a - b for a, b in zip(after, evaluated, strict=True)] == [0, P, P]
    assert [int(island.counters[engine.INDIVIDUALS]) for island in archipelago.islands] == made
    same = make(data, own_data=[data] * 3, migrants=P)
    go(same, pool, P)
    before = [int(island.counters[engine.CANONICAL_LOOKUPS]) for island in same.islands]
    same.migrate()
    assert [int(island.counters[engine.CANONICAL_LOOKUPS]) for island in same.islands] == before


def test_immigrants_with_other_tasks_have_to_clear_the_hurdles_of_the_island(data, other_data, pool):
    hurdles = {"window": 4, "stages": [{"num_train": 5, "num_valid": 5, "percentile": 100.0}]}
    archipelago = with_other_tasks(data, other_data, pool, migration="ring", hurdles=hurdles, caches={"fec": False})
    stopped = [int(island.counters[engine.STOPPED_AT_HURDLE]) for island in archipelago.islands]
    archipelago.migrate()
    after = [int(island.counters[engine.STOPPED_AT_HURDLE]) for island in archipelago.islands]
    assert after[0] == stopped[0]
    assert after[1] > stopped[1]
    assert any(one[1] == 0.0 for one in individuals(archipelago)[1])


def test_an_island_with_other_tasks_has_their_settings(data, other_data):
    settings = {
        "budget": {"kind": "table", "baseline": "linear"},
        "hurdles": {"stages": [{"num_train": 18, "num_valid": 6}]},
        "caches": {"fec_train": 16, "fec_valid": 7},
    }
    first, second = make(data, own_data=[data, other_data], islands=2, **settings).settings
    assert (first.stages.tolist(), second.stages.tolist()) == ([[15, 5]], [[18, 6]])
    assert ((first.fec_train, first.fec_valid), (second.fec_train, second.fec_valid)) == ((15, 5), (16, 7))
    assert first.cost_limit < second.cost_limit


# -- islands that start anew -----------------------------------------------------------------------------------------


def test_an_island_starts_anew_when_it_has_made_so_many_individuals_without_a_better_one(data, pool):
    for made, restart_after, anew in ((20, 20, False), (21, 20, True), (22, 20, True), (2, 1, True), (1, 1, False)):
        archipelago = make(data, islands=1, restart_after=restart_after)
        (island,) = archipelago.islands
        go(archipelago, pool, 1)
        island.fitness[P + 1] = 1.0  # that of the best, and nothing is better
        go(archipelago, pool, made - 1)
        archipelago.restart_stalled()
        assert island.counters[engine.FOUNDED] == (made if anew else 0)


def test_an_island_that_starts_anew_has_as_much_time_as_the_first_time(data, pool):
    archipelago = make(data, islands=1, restart_after=20, mutation_probability=0.0, tournament_size=1)
    (island,) = archipelago.islands
    go(archipelago, pool, 100)
    archipelago.restart_stalled()
    assert island.counters[engine.FOUNDED] == 100
    for _ in range(2):
        archipelago.restart_stalled()
        assert island.counters[engine.FOUNDED] == 100
    go(archipelago, pool, 1)
    assert island.counters[engine.BEST_INDIVIDUAL] == 100
    island.fitness[P + 1] = 1.0
    for made, anew in ((19, False), (1, True)):
        go(archipelago, pool, made)
        archipelago.restart_stalled()
        assert (island.counters[engine.FOUNDED] > 100) == anew


def test_only_the_islands_that_stall_start_anew_and_none_without_the_setting(data, pool):
    archipelago = make(data, restart_after=50)
    go(archipelago, pool, 60)
    for island, best in zip(archipelago.islands, (59, 9, 10), strict=True):
        island.counters[engine.BEST_INDIVIDUAL] = best
    before = individuals(archipelago)
    archipelago.restart_stalled()
    assert [int(island.counters[engine.FOUNDED]) for island in archipelago.islands] == [0, 60, 0]
    assert [len(fitness) for fitness in archipelago.fitness()] == [P, 0, P]
    go(archipelago, pool, P)
    after = individuals(archipelago)
    assert [one[0] for one in after[1]] != [one[0] for one in before[1]]
    assert [len(fitness) for fitness in archipelago.fitness()] == [P, P, P]
    patient = make(data)
    go(patient, pool, 60)
    patient.islands[0].counters[engine.BEST_INDIVIDUAL] = 0
    patient.restart_stalled()
    assert [int(island.counters[engine.FOUNDED]) for island in patient.islands] == [0, 0, 0]


def test_an_island_that_starts_anew_searches_as_it_would_have_from_there(data, pool):
    # A new initial population is drawn from where the random numbers are, and nothing of the old one comes in.
    archipelago = make(data, islands=1, caches={"canonical": False, "fec": False})
    (island,) = archipelago.islands
    go(archipelago, pool, 70)
    islands.restart(island)
    fresh = make(data, islands=1, caches={"canonical": False, "fec": False})
    fresh.islands[0].rng[:] = island.rng
    for both in (archipelago, fresh):
        go(both, pool, 90)
    assert individuals(archipelago) == individuals(fresh)
    assert oldest(archipelago) == oldest(fresh)
    assert island.fitness[P + 1] == fresh.islands[0].fitness[P + 1]
    assert island.counters[engine.BEST_INDIVIDUAL] == fresh.islands[0].counters[engine.BEST_INDIVIDUAL] + 70


def test_nothing_migrates_while_an_island_starts_anew(settled, pool):
    archipelago = settled()
    islands.restart(archipelago.islands[2])
    before = state(archipelago)
    archipelago.migrate()
    assert state(archipelago) == before
    go(archipelago, pool, P)
    archipelago.migrate()
    assert state(archipelago) != before


# -- everything at once ----------------------------------------------------------------------------------------------

ALL_PARTS: dict[str, Any] = {
    "migration": "ring",
    "restart_after": 40,
    "fitness": "median",
    "mutations": {"mode": "paper", "crossover": 0.3, "until": "new", "max_tries": 3},
    "caches": {"canonical_size": 64, "fec_size": 64, "fec_mode": "reference", "fec_forget": 5},
    "hurdles": {"window": 12, "stages": [{"num_train": 6, "num_valid": 4, "percentile": 40.0}]},
    "budget": {"kind": "table", "factor": 3.0},
}


def run_all_parts(data: LaneData, other_data: LaneData, threads: int, barriers: int) -> Archipelago:
    archipelago = make(data, own_data=[data, other_data, data], **ALL_PARTS)
    with Crew(threads) as pool:
        for _ in range(barriers):
            go(archipelago, pool, 45)
            archipelago.migrate(pool)
            archipelago.restart_stalled()
    return archipelago


@pytest.mark.parametrize(("threads", "first_call"), [(1, 3), (3, 1000), (2, 1)])
def test_neither_threads_nor_calls_change_a_result_with_all_parts_on(
    data, other_data, monkeypatch, threads, first_call
):
    expected = run_all_parts(data, other_data, 2, 8)
    monkeypatch.setattr(islands, "_FIRST_CALL", first_call)
    found = run_all_parts(data, other_data, threads, 8)
    assert state(found) == state(expected)
    assert found.total(engine.STOPPED_AT_HURDLE) > 0
    assert any(island.counters[engine.FOUNDED] > 0 for island in found.islands)


def test_the_arrays_of_an_archipelago_are_all_that_its_future_depends_on(data, other_data, pool):
    archipelago = run_all_parts(data, other_data, 2, 4)
    saved = {name: array.copy() for name, array in archipelago.arrays().items()}
    assert len(saved) == 3 * 30
    archipelago.migrate()  # something else happens to it
    go(archipelago, pool, 33)
    copy = make(data, own_data=[data, other_data, data], **ALL_PARTS)
    copy.barriers = 4
    for one in (archipelago, copy):
        for name, array in one.arrays().items():
            array[...] = saved[name]
        one.barriers = 4
        for _ in range(3):
            go(one, pool, 45)
            one.migrate(pool)
            one.restart_stalled()
    assert state(copy) == state(archipelago) == state(run_all_parts(data, other_data, 1, 7))
