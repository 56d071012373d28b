"""Every individual descends from the discoveries that are recorded for it, on whatever island they were made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from automl_zero.evolution import engine, lineage
from automl_zero.evolution.ancestry import REFINEMENT, START, Step, records
from automl_zero.evolution.candidate import Candidate
from automl_zero.evolution.islands import Archipelago, program_in
from automl_zero.evolution.lineage import GAIN, IMMIGRANT
from automl_zero.evolution.method import MUTATION_TYPES
from automl_zero.evolution.mutation import make_space
from automl_zero.interpreters.lane_data import LaneData
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.program import Program
from automl_zero.program_arrays import unpack
from automl_zero.tasks import affine_regression, linear_regression
from tests.searches import make_config

P = 24


@pytest.fixture(scope="module")
def data() -> LaneData:
    tasks = linear_regression(num_tasks=10, num_features=4, num_train=15, num_valid=5, seed=2)
    return Evaluator(tasks, "float32").data


@pytest.fixture(scope="module")
def other_data() -> LaneData:
    tasks = affine_regression(num_tasks=3, num_features=4, num_train=20, num_valid=8, seed=3)
    return Evaluator(tasks, "float32").data


def make(data: LaneData, own_data: list[LaneData] | None = None, **settings: Any) -> Archipelago:
    settings = {"population_size": P, "islands": 3, "migrants": 5, **settings}
    config = make_config(((3, 3, 4), (3, 3, 4), (5, 5, 6)), **settings)
    return Archipelago(config, make_space(config), data, (4, 0), own_data)


def program(archipelago: Archipelago, number: int, slot: int) -> Program:
    island = archipelago.islands[number]
    return program_in(island, slot, archipelago.config.search_space.memory, archipelago.space)


def way(archipelago: Archipelago, number: int, slot: int) -> list[Step]:
    return archipelago.ancestors(number, slot, ())[::-1]


def check_references(archipelago: Archipelago) -> None:
    """Every step is referred to as often as it says; those without references are free; nothing is kept twice."""
    lineages = [island.lineage for island in archipelago.islands]
    room = lineages[0].previous.size
    expected: Counter[tuple[int, int]] = Counter()
    for number, one in enumerate(lineages):
        expected.update((number, int(origin)) for origin in one.origins if origin >= 0)
        for step in np.flatnonzero(one.references > 0):
            if one.previous[step] >= 0:
                expected[divmod(int(one.previous[step]), room)] += 1
        expected.update(divmod(int(given_up), room) for given_up in one.given_up[: one.state[lineage.WAITING]])
    found = {
        (number, int(step)): int(one.references[step])
        for number, one in enumerate(lineages)
        for step in np.flatnonzero(one.references)
    }
    assert found == dict(expected)
    for number, one in enumerate(lineages):
        free, at = set(), int(one.state[lineage.FREE])
        while at >= 0:
            assert at not in free
            free.add(at)
            at = int(one.previous[at])
        assert free == {step for step in range(room) if (number, step) not in found}


def test_a_step_is_an_individual_clearly_fitter_than_its_line_and_names_its_parent(data):
    archipelago = make(data, islands=1)
    island, seen = archipelago.islands[0], 0
    archipelago.advance(0, P)
    for _ in range(3000):
        number = int(island.counters[engine.INDIVIDUALS])
        slot = int(island.counters[engine.OLDEST])
        keys = [archipelago.last_step(0, at) for at in range(P)]
        code, constants, sizes, fitness = (
            array.copy() for array in (island.code, island.constants, island.sizes, island.fitness)
        )
        archipelago.advance(0, 1)
        key = archipelago.last_step(0, slot)
        if key is None or key[1] != number:
            assert key in keys  # it has the line of its parent
            continue
        line, seen = way(archipelago, 0, slot), seen + 1
        step = line[-1]
        assert step.program == program(archipelago, 0, slot)
        assert step.fitness == island.fitness[slot]
        assert step.mutation in MUTATION_TYPES
        best = line[-2].fitness if len(line) > 1 else step.parent_fitness
        assert step.fitness > best + GAIN * (1 - best)
        memory, starts = archipelago.config.search_space.memory, archipelago.space.starts
        assert any(
            unpack(memory, code[at], constants[at], sizes[at], starts) == step.parent and keys[at] == step.before
            for at in np.flatnonzero(fitness[:P] == step.parent_fitness)
        )
    assert seen > 5
    check_references(archipelago)


def test_the_way_to_the_best_program_is_kept_though_all_on_it_are_dead(data):
    archipelago = make(data, islands=1)
    archipelago.advance(0, 20_000)
    line = way(archipelago, 0, P + 1)
    fitness = [line[0].parent_fitness, *(step.fitness for step in line)]
    assert len(line) > 2
    assert all(later > earlier for earlier, later in pairwise(fitness))
    assert archipelago.islands[0].fitness[P + 1] >= fitness[-1]
    assert archipelago.islands[0].lineage.state[lineage.FORGONE] == 0
    assert [step.before for step in line] == [None, *(step.key for step in line[:-1])]


@pytest.mark.parametrize("migration", ["pool", "ring"])
def test_migrants_keep_their_lines(data, migration):
    archipelago = make(data, migration=migration)
    crossings = 0
    for _ in range(10):
        for number in range(3):
            archipelago.advance(number, 97)
        known = {
            (program(archipelago, number, slot).to_json(), tuple(way(archipelago, number, slot)))
            for number in range(3)
            for slot in range(P)
        }
        archipelago.migrate()
        check_references(archipelago)
        assert all(island.lineage.state[lineage.WAITING] == 0 for island in archipelago.islands)
        for number in range(3):
            for slot in range(P):
                line = way(archipelago, number, slot)
                crossings += any(step.island != number for step in line)
                assert (program(archipelago, number, slot).to_json(), tuple(line)) in known
    assert crossings > 30


def test_on_other_tasks_a_migrant_has_to_beat_its_own_fitness_there(data, other_data):
    archipelago = make(data, [data, other_data, data])
    for _ in range(20):
        for number in range(3):
            archipelago.advance(number, 61)
        archipelago.migrate()
        check_references(archipelago)
    island = archipelago.islands[1]
    stand_ins = [
        (int(origin), slot)
        for slot, origin in enumerate(island.lineage.origins[:P])
        if origin >= 0 and island.lineage.mutations[origin] == IMMIGRANT
    ]
    assert stand_ins
    assert any(island.lineage.fitness[step] == island.fitness[slot] for step, slot in stand_ins)
    assert not any(step.mutation not in MUTATION_TYPES for slot in range(P) for step in way(archipelago, 1, slot))


def test_without_room_lines_lack_their_newest_steps_but_stay_whole(data, monkeypatch):
    def small(number: int, population_size: int, slots: int) -> lineage.Lineage:
        made = lineage.new_lineage(number, population_size, slots)
        made.previous[3] = -1  # four steps
        return made

    monkeypatch.setattr("automl_zero.evolution.islands.new_lineage", small)
    archipelago = make(data)
    for _ in range(20):
        for number in range(3):
            archipelago.advance(number, 150)
        archipelago.migrate()
    for island in archipelago.islands:
        assert island.lineage.state[lineage.FORGONE] > 0
        assert (island.lineage.references[4:] == 0).all()


def test_two_parents_are_named(data):
    archipelago = make(data, islands=1, mutations={"crossover": 1.0})
    archipelago.advance(0, 3000)
    names = {step.mutation for slot in range(P) for step in way(archipelago, 0, slot)}
    assert any(name.startswith("crossover+") for name in names)


def test_random_search_has_no_lines(data):
    archipelago = make(data, islands=1, search="random")
    archipelago.advance(0, 500)
    assert way(archipelago, 0, P + 1) == []
    assert (archipelago.islands[0].lineage.references == 0).all()


def test_a_known_step_ends_the_walk(data):
    archipelago = make(data, islands=1)
    archipelago.advance(0, 20_000)
    line = way(archipelago, 0, P + 1)
    assert archipelago.ancestors(0, P + 1, {line[1].key}) == line[:1:-1]
    assert archipelago.last_step(0, P + 1) == line[-1].key


@pytest.fixture(scope="module")
def found(data) -> list[Step]:
    archipelago = make(data, islands=1)
    archipelago.advance(0, 20_000)
    return way(archipelago, 0, P + 1)


def test_a_step_survives_json(found):
    assert [Step.from_dict(step.to_dict()) for step in found] == found


@pytest.fixture(scope="module")
def candidate(found) -> Callable[[Program], Candidate]:
    return lambda program: Candidate(program, 0.9, last_step=found[-1].key)


def test_the_records_begin_with_the_start_and_end_with_the_program(found, candidate):
    made = records(found, candidate(found[-1].program), 2)
    assert [record["mutation"] for record in made] == [START, *(step.mutation for step in found)]
    assert made[0]["program"] == found[0].parent.to_dict()
    assert made[-1]["program"] == found[-1].program.to_dict()
    assert {record["experiment"] for record in made} == {2}


def test_gains_after_the_last_step_are_one_record(found, candidate):
    made = records(found, candidate(found[0].parent), 1)
    assert made[-1]["mutation"] == REFINEMENT
    assert (made[-1]["parent_fitness"], made[-1]["fitness"]) == (found[-1].fitness, 0.9)


def test_a_program_without_discoveries_is_one_record(found, candidate):
    [record] = records([], candidate(found[0].program), 1)
    assert record["program"] == found[0].program.to_dict()
    assert record["parent_fitness"] is None
