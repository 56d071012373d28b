"""The search on the device is regularized evolution, island by island, whatever runs beside an island."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.evolution import engine
from automl_zero.evolution.budget import cost_of, limit, op_costs
from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.crew import Crew
from automl_zero.evolution.hurdles import new_record
from automl_zero.evolution.on_device import archipelago as module
from automl_zero.evolution.on_device.archipelago import DeviceArchipelago
from automl_zero.evolution.on_device.plan import Interpreter
from automl_zero.program import Program
from automl_zero.program_arrays import pack
from tests import compiled
from tests.on_device import (
    OPS,
    STAND_IN,
    TASKS,
    counters,
    go,
    individuals,
    make,
    make_config,
    oldest,
    plan_of,
    program,
    quick_compilation,  # noqa: F401
    state,
    value_of,
)

P = 12
ROOM = 4  # of a component, at most


def fitness_of(individual: Program) -> float:
    """What the stand-in makes of a program."""
    live = remove_dead_code(individual)
    code, constants = np.zeros((1, 3, ROOM, 4), np.int32), np.zeros((1, 3, ROOM, 3), np.float32)
    packed, numbers, sizes = pack(live, [ROOM] * 3)
    code[0], constants[0] = packed.reshape(3, ROOM, 4), numbers.reshape(3, ROOM, 3)
    return float(value_of(sizes[None], code, constants, np)[0])


@pytest.fixture
def settled() -> DeviceArchipelago:
    """Islands whose oldest individuals are not in the first slots."""
    archipelago = make(make_config(migrants=4))
    go(archipelago, 3 * P + 10)
    assert oldest(archipelago) == [10] * 3
    return archipelago


def one_by_one(archipelago: DeviceArchipelago, count: int) -> Any:
    """For every step, the programs and fitnesses of the islands before and after it."""
    for _ in range(count):
        before = individuals(archipelago)
        go(archipelago, 1)
        yield before, individuals(archipelago)


# -- evolution -------------------------------------------------------------------------------------------------------


def test_a_child_replaces_the_oldest(settled):
    for number, (before, after) in enumerate(one_by_one(settled, 5)):
        for old, new in zip(before, after, strict=True):
            assert [i for i in range(P) if old[i] != new[i]] in ([], [10 + number if number < 2 else number - 2])
    assert oldest(settled) == [3] * 3


def test_a_program_s_fitness_is_that_of_its_live_part(settled):
    seen = set()
    for island in individuals(settled):
        for individual, fitness in island:
            assert fitness == pytest.approx(fitness_of(individual), abs=2e-6)
            seen.add(fitness)
    assert len(seen) > 10


def test_without_mutation_children_are_copies_and_large_tournaments_keep_the_fittest_alone():
    archipelago = make(make_config(mutation_probability=0.0, tournament_size=100, caches={"canonical": False}))
    go(archipelago, P)
    first = individuals(archipelago)
    go(archipelago, P)
    for old, new in zip(first, individuals(archipelago), strict=True):
        assert new == [max(old, key=lambda one: one[1])] * P
    looked_up, hits = (archipelago.total(index) for index in (engine.FEC_LOOKUPS, engine.FEC_HITS))
    evaluated = archipelago.total(engine.EVALUATED)
    assert looked_up == archipelago.total(engine.INDIVIDUALS) == 3 * 2 * P
    assert hits + evaluated == looked_up
    assert hits >= 3 * P  # every copy, and equal initial programs
    train, valid = 10, 12  # of a probe, and of all examples
    assert archipelago.total(engine.TRAIN_STEPS) == 3 * (looked_up * train + evaluated * valid)


def test_programs_of_one_behaviour_have_the_fitness_of_the_first():
    def probe(*arguments: Any) -> Any:
        outcome, predictions = STAND_IN.probe(*arguments)
        return outcome, jnp.zeros_like(predictions)

    archipelago = make(make_config(), interpreter=Interpreter(STAND_IN.run, probe))
    go(archipelago, 2 * P)
    assert counters(archipelago, engine.EVALUATED) == [1, 1, 1]
    for number, island in enumerate(individuals(archipelago)):
        assert len({fitness for _, fitness in island}) == 1
        assert island[0][1] == pytest.approx(fitness_of(make_first(number)), abs=2e-6)


@functools.cache
def firsts() -> DeviceArchipelago:
    archipelago = make(make_config())
    go(archipelago, P)
    return archipelago


def make_first(number: int) -> Program:
    """The first individual of an island."""
    return program(firsts(), number, 0)


def test_the_best_is_that_of_all_times_and_can_be_corrected(settled):
    for number in range(3):
        best, born = settled.best_fitness(number), int(settled.counts(engine.BEST_INDIVIDUAL)[number])
        assert best >= settled.fitness()[number].max()
        assert best == pytest.approx(fitness_of(program(settled, number, P + 1)), abs=2e-6)
        assert 0 <= born < 3 * P + 10
        settled.correct_best_fitness(number, 2.0)
    go(settled, 30)
    assert [settled.best_fitness(number) for number in range(3)] == [2.0] * 3


def demanding(canonical: bool, **settings: Any) -> ExperimentConfig:
    """With a hurdle, a budget and caches."""
    hurdles = {"stages": [{"num_train": 6, "num_valid": 3, "percentile": 50.0}], "window": 8}
    budget = {"kind": "table", "baseline": "linear", "factor": 0.6}
    return make_config(hurdles=hurdles, budget=budget, caches={"fec_bits": 23, "canonical": canonical}, **settings)


@pytest.mark.parametrize("canonical", [True, False])
def test_assessment_is_that_of_the_cpu_s_parts(canonical):
    """Budget, cache and hurdles, replayed for each new individual with the parts that the CPU engine is made of."""
    config = demanding(canonical)
    archipelago, records = make(config), [new_record(1, 8) for _ in range(3)]
    costs = op_costs(config.budget, TASKS.num_features)
    most = limit(config.budget, TASKS.num_features, TASKS.num_train)
    known: list[dict[float, float]] = [{}, {}, {}]
    expected = dict.fromkeys((engine.OVER_BUDGET, engine.FEC_HITS, engine.STOPPED_AT_HURDLE, engine.EVALUATED), 0)
    for born in range(60):
        go(archipelago, 1)
        for number in range(3):
            child = program(archipelago, number, born % P)
            value = np.float32(fitness_of(child))
            if cost_of(remove_dead_code(child), costs, TASKS.num_train) > most:
                fitness = 0.0
                expected[engine.OVER_BUDGET] += 1
            elif any(abs(value - other) < 1e-6 for other in known[number]):
                fitness = next(found for other, found in known[number].items() if abs(value - other) < 1e-6)
                expected[engine.FEC_HITS] += 1
            else:
                cleared = compiled.clears(records[number], 0, float(value * np.float32(0.5)), 50.0)
                fitness = float(value) if cleared else 0.0
                expected[engine.EVALUATED if cleared else engine.STOPPED_AT_HURDLE] += 1
                known[number][float(value)] = fitness
            assert archipelago.state.fitness[number, born % P] == pytest.approx(fitness, abs=2e-6)
    hits = archipelago.total(engine.CANONICAL_HITS)
    assert (hits > 5) == canonical
    known_too_costly = hits + archipelago.total(engine.FEC_HITS) - expected[engine.FEC_HITS]
    assert archipelago.total(engine.OVER_BUDGET) == expected.pop(engine.OVER_BUDGET) - known_too_costly > 0
    assert known_too_costly == 0 or canonical
    del expected[engine.FEC_HITS]
    assert {index: archipelago.total(index) for index in expected} == expected
    assert all(count > 5 for count in expected.values())


# -- repeated mutations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("until", ["changed", "new"])
def test_a_mutation_is_repeated_until_the_child_is_another_or_a_new_one(until):
    sizes, weights = ((1, 1, 1), (1, 1, 1), (4, 4, 4)), {"identity": 3, "alter_param": 1}
    mutations = {"until": until, "weights": weights, "max_tries": 200}
    config = make_config(sizes=sizes, initial="linear", mutation_probability=1.0, mutations=mutations)
    archipelago = make(config)
    go(archipelago, P)
    hits = archipelago.total(engine.CANONICAL_HITS)
    assert hits == 3 * (P - 1)
    linear = remove_dead_code(program(archipelago, 0, 0))
    go(archipelago, 8)
    children = [[one for one, _ in island[:8]] for island in individuals(archipelago)]
    unchanged = sum(remove_dead_code(child) == linear for island in children for child in island)
    repeated = archipelago.total(engine.CANONICAL_HITS) - hits
    if until == "changed":
        first = [remove_dead_code(island[0]) for island in children]
        assert all(child != linear for child in first)
        assert unchanged < 6  # from a child back to what its parent was
    else:
        assert unchanged == 0
        assert repeated < 3  # there is nothing new near a program without effect


# -- initial populations ---------------------------------------------------------------------------------------------


def test_initial_programs_are_taken_in_turn_and_a_static_budget_counts_their_dead_code():
    sizes = ((0, 3, 4), (0, 3, 4), (0, 0, 4))
    budget = {"kind": "static", "baseline": "linear", "factor": 1.2}
    config = make_config(sizes=sizes, initial=["empty", "linear", "no_op"], budget=budget, caches={"fec": False})
    archipelago = make(config)
    go(archipelago, P)
    assert archipelago.total(engine.FEC_LOOKUPS) == 0
    turn = [[], ["scalar_const_set", "vector_inner_product", "scalar_diff"], ["no_op", "no_op"]]
    costs = op_costs(config.budget, TASKS.num_features)
    most = limit(config.budget, TASKS.num_features, TASKS.num_train)
    for island in individuals(archipelago):
        for slot, (one, fitness) in enumerate(island):
            assert [component[0].op for component in one.components if component] == turn[slot % 3]
            too_much = cost_of(one, costs, TASKS.num_train) > most
            assert too_much == (slot % 3 == 1)  # for the no_ops that fill it up
            assert (fitness == 0) == (too_much or value_is_zero(one))
    assert counters(archipelago, engine.OVER_BUDGET) == [P // 3] * 3


def value_is_zero(individual: Program) -> bool:
    return fitness_of(individual) == 0


def test_random_search_draws_every_individual_anew():
    archipelago = make(make_config(search="random"))
    go(archipelago, P)
    first = individuals(archipelago)
    go(archipelago, P)
    for old, new in zip(first, individuals(archipelago), strict=True):
        assert len({str(one) for one, _ in old + new}) == 2 * P
    assert archipelago.total(engine.INDIVIDUALS) == 3 * 2 * P


# -- determinism -----------------------------------------------------------------------------------------------------


def test_where_calls_end_changes_nothing(monkeypatch, settled):
    monkeypatch.setattr(module, "_CALL_SECONDS", 0.0)  # calls of one step
    other = make(make_config(migrants=4))
    go(other, 3 * P + 10)
    assert state(other) == state(settled)


def test_an_island_does_not_depend_on_those_beside_it():
    few, many = make(make_config()), make(make_config(islands=4))
    for archipelago in (few, many):
        go(archipelago, 30)
    assert individuals(many)[:3] == individuals(few)
    assert len({str(island) for island in individuals(many)}) == 4


def test_islands_make_their_quotas():
    archipelago = make(make_config())
    with Crew(1) as pool:
        for quotas in ([20, 15, 0], [1, 0, 30]):
            before = np.array(counters(archipelago, engine.INDIVIDUALS))
            (job,) = archipelago.start(quotas, pool, lambda: False)
            job.result()
            assert (archipelago.counters[:, engine.INDIVIDUALS] - before).tolist() == quotas
    assert oldest(archipelago) == [9, 3, 6]
    assert archipelago.mean_fitness() == pytest.approx(
        np.mean([one[1] for own in individuals(archipelago) for one in own])
    )
    # The first island is at 21 individuals now, as it would be without the others' quotas.
    other = make(make_config())
    go(other, 21)
    assert individuals(other)[0] == individuals(archipelago)[0]


def test_a_stop_is_noticed_between_calls_and_leaves_a_program_to_offer():
    archipelago = make(make_config())
    with Crew(1) as pool:
        (job,) = archipelago.start([100_000] * 3, pool, lambda: True)
        job.result()
    made = counters(archipelago, engine.INDIVIDUALS)
    assert 0 < made[0] < 100_000
    assert [left + done for left, done in zip(archipelago.remaining, made, strict=True)] == [100_000] * 3


def test_a_checkpoint_holds_all_that_the_future_depends_on(settled):
    copy = make(make_config(migrants=4))
    saved = {name: array.copy() for name, array in settled.arrays().items()}
    for name, array in copy.arrays().items():
        array[...] = saved[name]
    copy.barriers = settled.barriers
    for archipelago in (settled, copy):
        archipelago.migrate()
        go(archipelago, 15)
    assert state(copy) == state(settled)
    assert state(copy) != {name: array.tobytes() for name, array in saved.items()}


def test_two_devices_find_what_one_does():
    code = """
import hashlib
from tests.on_device import go, make, make_config, state
islands = make(make_config(islands=4, migrants=4))
go(islands, 20), islands.migrate(), go(islands, 20)
print(len(islands.state.rows.devices()), hashlib.sha256(str(sorted(state(islands).items())).encode()).hexdigest())
"""
    environment = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, timeout=120
    )
    assert done.returncode == 0, done.stderr
    archipelago = make(make_config(islands=4, migrants=4))
    go(archipelago, 20)
    archipelago.migrate()
    go(archipelago, 20)
    digest = hashlib.sha256(str(sorted(state(archipelago).items())).encode()).hexdigest()
    assert done.stdout.split() == ["2", digest]


# -- barriers --------------------------------------------------------------------------------------------------------


def test_migrants_replace_the_oldest_and_are_the_youngest_then(settled):
    before = individuals(settled)
    everyone = [one for island in before for one in island]
    settled.migrate()
    after = individuals(settled)
    for old, new in zip(before, after, strict=True):
        assert new[2:10] == old[2:10]
        assert all(new[slot] in everyone for slot in (10, 11, 0, 1))
    assert after != before
    assert oldest(settled) == [2] * 3
    go(settled, 1)
    assert [island[3:] for island in individuals(settled)] == [island[3:] for island in after]


def test_nobody_migrates_before_all_initial_populations_are_complete():
    archipelago = make(make_config(migrants=4))
    go(archipelago, P - 1)
    archipelago.migrate()
    assert archipelago.barriers == 1
    assert oldest(archipelago) == [0] * 3


def test_a_stalled_island_begins_again(settled):
    object.__setattr__(settled.config, "restart_after", 40)
    settled.counters[:, engine.BEST_INDIVIDUAL] = settled.state.best_individual[:] = [45, 5, 6]
    best = settled.best_fitness(1)
    before = individuals(settled)
    settled.restart_stalled()
    assert counters(settled, engine.FOUNDED) == [0, 46, 0]
    assert counters(settled, engine.BEST_INDIVIDUAL) == [45, -1, 6]
    assert [len(island) for island in individuals(settled)] == [P, 0, P]
    assert individuals(settled)[0] == before[0]
    go(settled, P)
    assert [len(island) for island in individuals(settled)] == [P, P, P]
    assert oldest(settled) == [10, 0, 10]
    assert settled.best_fitness(1) == max(fitness for _, fitness in individuals(settled)[1])
    assert best > 0


def test_a_restart_forgets_hurdles_and_the_failures_at_them():
    archipelago = make(demanding(True, restart_after=1))
    go(archipelago, 30)
    assert archipelago.state.hurdles.counts.any()
    archipelago.restart_stalled()
    assert not np.asarray(archipelago.state.table).any()
    assert not np.asarray(archipelago.state.canonical_table).any()
    assert not np.asarray(archipelago.state.hurdles.counts).any()
    assert np.isinf(np.asarray(archipelago.state.hurdles.ranked)).all()


def test_a_plan_compiles_once_for_all_experiments_of_a_run():
    config = make_config(ops=OPS)
    assert plan_of(config) == plan_of(make_config(ops=OPS))
    first, second = make(config), make(config, key=(9, 9))
    assert first._compiled is second._compiled
    assert isinstance(jax.tree.leaves(first._shared)[0], jax.Array)
