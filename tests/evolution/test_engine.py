"""The compiled loop is regularized evolution, individual by individual."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.analysis.compiled import new_canonical
from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.evolution import engine
from automl_zero.evolution.budget import cost_of, op_costs
from automl_zero.evolution.config import MUTATION_TYPES, ExperimentConfig
from automl_zero.evolution.islands import make_settings
from automl_zero.evolution.mutation import make_space
from automl_zero.evolution.random_numbers import new_generator
from automl_zero.interpreters.lane_data import LaneData, new_arena
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.program import COMPONENTS, Instruction, Program
from automl_zero.program_arrays import pack, starts_of, unpack
from automl_zero.tasks import TaskSet, from_arrays, linear_regression
from tests.clusters import clusters
from tests.compiled import below, canonicalise, encode, mutate, next_bits, randomize_algorithm, run_kernel, unit
from tests.searches import KEY, MEMORY, NO_CACHES, OPS, Search, make_config


@pytest.fixture(scope="module")
def tasks() -> TaskSet:
    return linear_regression(num_tasks=10, num_features=4, num_train=30, num_valid=12, seed=1)


Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def short(tasks: TaskSet, num_train: int, num_valid: int) -> TaskSet:
    """The first examples of all tasks, seen once."""
    return replace(
        tasks,
        train_x=tasks.train_x[:, :num_train],
        train_y=tasks.train_y[:, :num_train],
        valid_x=tasks.valid_x[:, :num_valid],
        valid_y=tasks.valid_y[:, :num_valid],
        epochs=1,
    )


class Model:
    """The same search in plain Python: lists, dicts and full evaluations.

    It shares random numbers, mutations, analysis and the kernel with the engine, and nothing of its loop.
    """

    def __init__(self, config: ExperimentConfig, tasks: TaskSet, key: Sequence[int] = KEY) -> None:
        self.config, self.space, self.tasks = config, make_space(config, tasks.num_classes > 0), tasks
        self.evaluator = Evaluator(tasks, config.dtype)
        stages = config.hurdles.stages
        self.hurdles = [Evaluator(short(tasks, s.num_train, s.num_valid), config.dtype) for s in stages]
        self.records: list[list[float]] = [[] for _ in stages]  # unique fitnesses in order of arrival
        self.rng = new_generator(*key)
        self.population: list[tuple[Arrays, float, int]] = []  # by slot: arrays, fitness, hash
        self.canonical: dict[int, float] = {}
        self.fec: dict[int, float] = {}
        self.fec_of_tasks: dict[tuple[int, int], list[float]] = {}  # fitness and look-ups left
        self.counters = dict.fromkeys(range(engine.COUNTERS), 0)
        self.best: tuple[Program, float] | None = None
        slots = int(self.space.max_sizes.sum())
        self.form = new_canonical(slots)
        founders = config.search_space.initial_programs()
        self.founders: list[Arrays] = [pack(program, self.space.max_sizes.tolist()) for program in founders]

    def advance(self, count: int) -> None:
        for _ in range(count):
            self._make_one()

    def restart(self) -> None:
        self.population, self.best = [], None
        self.counters[engine.FOUNDED] = self.counters[engine.INDIVIDUALS]
        self.counters[engine.OLDEST], self.counters[engine.BEST_INDIVIDUAL] = 0, -1
        if any(self.records):  # what failed at the hurdles of the old population need not fail at new ones
            self.records = [[] for _ in self.records]
            self.canonical, self.fec, self.fec_of_tasks = {}, {}, {}

    def _make_one(self) -> None:
        config, number = self.config, self.counters[engine.INDIVIDUALS]
        initial = len(self.population) < config.population_size
        arrays = self._founder() if initial or config.search == "random" else self._child()
        value = self._hash(arrays)
        fitness = self._assess(arrays, value)
        if initial:
            self.population.append((arrays, fitness, value))
        else:
            slot = self.counters[engine.OLDEST]
            self.population[slot] = (arrays, fitness, value)
            self.counters[engine.OLDEST] = (slot + 1) % config.population_size
        if self.best is None or fitness > self.best[1]:
            self.best = (self.program(arrays), fitness)
            self.counters[engine.BEST_INDIVIDUAL] = number
        self.counters[engine.INDIVIDUALS] += 1

    def _founder(self) -> Arrays:
        born = self.counters[engine.INDIVIDUALS] - self.counters[engine.FOUNDED]
        arrays = copy_of(self.founders[born % len(self.founders)])
        config = self.config
        if config.search == "random" or config.search_space.initial == "random" or config.search_space.randomize:
            for component, space in enumerate(config.search_space.components):
                if space.ops:
                    arrays[2][component] = space.initial_size
            randomize_algorithm(*arrays, self.space, self.rng)
        return arrays

    def _tournament(self) -> int:
        drawn = [int(below(self.rng, self.config.population_size)) for _ in range(self.config.tournament_size)]
        return max(drawn, key=lambda slot: self.population[slot][1])  # the first of equals

    def _child(self) -> Arrays:
        config = self.config
        parent = mate = self._tournament()
        if config.mutations.crossover > 0.0 and unit(self.rng) < config.mutations.crossover:
            mate = self._tournament()
        arrays, _, parent_hash = self.population[parent]
        mutated = unit(self.rng) < config.mutation_probability
        until = config.mutations.until
        for _ in range(config.mutations.max_tries if mutated and until != "any" else 1):
            child = copy_of(arrays)
            if mate != parent:
                self._cross(child, self.population[mate][0])
            if mutated:
                mutate(*child, self.space, self.rng)
            value = self._hash(child)
            if (until == "changed" and value != parent_hash) or (until == "new" and value not in self.canonical):
                break
        return child

    def _cross(self, child: Arrays, mate: Arrays) -> None:
        bounds = [*self.space.starts.tolist(), len(child[0])]
        for component, space in enumerate(self.config.search_space.components):
            if space.ops and int(next_bits(self.rng)) >= 2**63:
                slots = slice(bounds[component], bounds[component + 1])
                child[0][slots], child[1][slots] = mate[0][slots], mate[1][slots]
                child[2][component] = mate[2][component]

    def _hash(self, arrays: Arrays) -> int:
        data = self.evaluator.data
        return int(
            canonicalise(*arrays, self.space.starts, data.num_features, data.num_classes, self.space.ops, self.form)
        )

    def _assess(self, arrays: Arrays, value: int) -> float:
        counters, program = self.counters, self.program(arrays)
        if self.config.budget.kind == "static" and self._costs_too_much(program):
            return 0.0
        if not self.config.caches.canonical:
            return self._assess_behaviour(program)
        counters[engine.CANONICAL_LOOKUPS] += 1
        if value in self.canonical:
            counters[engine.CANONICAL_HITS] += 1
        else:
            self.canonical[value] = self._assess_behaviour(program)
        return self.canonical[value]

    def _costs_too_much(self, program: Program) -> bool:
        budget, data = self.config.budget, self.evaluator.data
        costs, examples = op_costs(budget, data.num_features), data.num_train * data.epochs
        baseline = cost_of(getattr(programs, budget.baseline)(), costs, examples)
        exceeded = cost_of(program, costs, examples) > budget.factor * baseline
        self.counters[engine.OVER_BUDGET] += exceeded
        return exceeded

    def _assess_behaviour(self, program: Program) -> float:
        caches, counters, data = self.config.caches, self.counters, self.evaluator.data
        live = remove_dead_code(program, data.num_classes)
        if self.config.budget.kind == "table" and self._costs_too_much(live):
            return 0.0
        if not caches.fec:
            values = self._evaluate(program)
            return 0.0 if values is None else self._aggregate(values)
        key, of_tasks, steps = fingerprints(program, data, self.config)
        counters[engine.TRAIN_STEPS] += steps
        if caches.fec_mode == "reference":
            return self._assess_each_task(program, of_tasks)
        counters[engine.FEC_LOOKUPS] += 1
        if key in self.fec:
            counters[engine.FEC_HITS] += 1
        else:
            values = self._evaluate(program)
            self.fec[key] = 0.0 if values is None else self._aggregate(values)
        return self.fec[key]

    def _assess_each_task(self, program: Program, keys: list[int]) -> float:
        known: dict[int, float] = {}
        for task, key in enumerate(keys):
            self.counters[engine.FEC_LOOKUPS] += 1
            if (task, key) in self.fec_of_tasks:
                self.counters[engine.FEC_HITS] += 1
                entry = self.fec_of_tasks[task, key]
                known[task] = entry[0]
                entry[1] -= 1
                if entry[1] == 0:
                    del self.fec_of_tasks[task, key]
        values = [known.get(task, 0.0) for task in range(len(keys))]
        if len(known) < len(keys):
            evaluated = self._evaluate(program)
            if evaluated is None:
                return 0.0  # of which no task is to blame
            values = [known.get(task, float(fitness)) for task, fitness in enumerate(evaluated)]
        for task, key in enumerate(keys):
            if task not in known:
                self.fec_of_tasks[task, key] = [values[task], self.config.caches.fec_forget]
        return self._aggregate(values)

    def _evaluate(self, program: Program) -> Sequence[float] | None:
        """Fitness on the tasks, or None for a program that fails at a hurdle."""
        for stage, evaluator, record in zip(self.config.hurdles.stages, self.hurdles, self.records, strict=True):
            values, steps = evaluator.evaluate(program)
            self.counters[engine.TRAIN_STEPS] += steps
            fitness, known = self._aggregate(values), sorted(record)
            threshold = known[min(int(stage.percentile * len(known) / 100), len(known) - 1)] if known else 0.0
            if fitness not in record:
                record.append(fitness)
                del record[: -self.config.hurdles.window]
            if len(known) >= self.config.hurdles.window // 4 and fitness < threshold:
                self.counters[engine.STOPPED_AT_HURDLE] += 1
                return None
        values, steps = self.evaluator.evaluate(program)
        self.counters[engine.TRAIN_STEPS] += steps
        self.counters[engine.EVALUATED] += 1
        return values.tolist()

    def _aggregate(self, values: Sequence[float]) -> float:
        if self.config.fitness == "median":
            return float(sorted(values)[len(values) // 2])
        return float(np.cumsum(values)[-1]) / len(values)

    def program(self, arrays: Arrays) -> Program:
        return unpack(MEMORY, *arrays, self.space.starts)


def copy_of(arrays: Arrays) -> Arrays:
    code, constants, sizes = arrays
    return code.copy(), constants.copy(), sizes.copy()


def fingerprints(program: Program, data: LaneData, config: ExperimentConfig) -> tuple[int, list[int], int]:
    """A program's fingerprint over all tasks, those of each, and the train steps of the probe."""
    settings, ops = make_settings(config, data), make_space(config).ops
    code, constants, sizes = pack(program)
    form = new_canonical(len(code))
    canonicalise(code, constants, sizes, starts_of(sizes), data.num_features, data.num_classes, ops, form)
    arena = new_arena(data, len(code), MEMORY.scalars, MEMORY.vectors, MEMORY.matrices)
    encode(form, data, ops, arena)
    errors = int(config.caches.fec_mode == "reference")
    examples = settings.fec_train, settings.fec_valid
    steps, value = run_kernel(form, data, arena, *examples, 1, settings.fec_mask, errors)
    return int(value), arena.fingerprints.reshape(-1)[: data.num_tasks].tolist(), int(steps)


GROWING = {"sizes": ((0, 1, 6), (0, 1, 6), (0, 1, 8)), "initial": "no_op"}
ALL_MUTATIONS = {"mutations": {"weights": dict.fromkeys(MUTATION_TYPES, 1.0)}}
CLOSED = {
    "initial": "linear",
    "sizes": ((0, 0, 6), (0, 1, 6), (0, 4, 8)),
    "ops": ((), ["vector_inner_product"], OPS),
}
FROM_LINEAR = {**GROWING, **ALL_MUTATIONS, "initial": "linear"}
PER_TASK = {"fec_mode": "reference", "fec_train": 4, "fec_valid": 2}
EARLY, LATER = ({"num_train": n, "num_valid": m, "percentile": 25.0} for n, m in ((6, 5), (20, 12)))
ONE_STAGE, TWO_STAGES = {"window": 8, "stages": [EARLY]}, {"window": 8, "stages": [EARLY, LATER]}
CASES: dict[str, dict[str, Any]] = {
    "both caches": {},
    "no caches": {"caches": NO_CACHES},
    "canonical cache": {"caches": {"fec": False}},
    "functional cache": {"caches": {"canonical": False}},
    "coarse functional cache": {"caches": {"fec_bits": 1, "fec_train": 1, "fec_valid": 1}},
    "functional cache per task": {"caches": {**PER_TASK, "canonical": False}},
    "functional cache per task that forgets soon": {"caches": {**PER_TASK, "canonical": False, "fec_forget": 3}},
    "functional cache per task and canonical cache, median": {"caches": PER_TASK, "fitness": "median"},
    "functional cache per task, double precision": {"caches": PER_TASK, "dtype": "float64", **FROM_LINEAR},
    "until changed": {"mutations": {"until": "changed", "max_tries": 5}},
    "until new": {"mutations": {"until": "new", "max_tries": 5}},
    "until new, no canonical cache": {"mutations": {"until": "new"}, "caches": NO_CACHES},
    "median": {"fitness": "median"},
    "double precision": {"dtype": "float64"},
    "no mutation": {"mutation_probability": 0.0},
    "a tournament of one": {"tournament_size": 1},
    "a large tournament": {"tournament_size": 40},
    "all mutations": {**GROWING, **ALL_MUTATIONS},
    "from linear": FROM_LINEAR,
    "paper mutations": {**FROM_LINEAR, "mutations": {"mode": "paper"}},
    "from three programs in turn": {**FROM_LINEAR, "initial": ["linear", "no_op", "empty"]},
    "from a random program around another": {**CLOSED, "randomize": True},
    "from random programs around three": {
        **CLOSED,
        "initial": ["linear", "no_op", "empty"],
        "sizes": ((0, 2, 6),) * 3,
        "randomize": True,
    },
    "random search": {"search": "random"},
    "random search around a program": {**CLOSED, **GROWING, **CLOSED, "search": "random"},
    "crossover": {"mutations": {"crossover": 0.5}},
    "crossover alone": {"mutations": {"crossover": 1.0}, "mutation_probability": 0.0, "tournament_size": 2},
    "crossover of sizes, around a program": {**CLOSED, **ALL_MUTATIONS, "mutations": {"crossover": 0.7}},
    "crossover until new": {"mutations": {"crossover": 0.5, "until": "new", "max_tries": 4}},
    "a hurdle": {"hurdles": ONE_STAGE},
    "a hurdle without caches": {"hurdles": ONE_STAGE, "caches": NO_CACHES},
    "two hurdles": {**FROM_LINEAR, "hurdles": TWO_STAGES, "fitness": "median"},
    "hurdles and a functional cache per task": {
        "hurdles": TWO_STAGES,
        "caches": {**PER_TASK, "canonical": False},
    },
    "hurdles in random search": {"hurdles": TWO_STAGES, "search": "random"},
    "static budget": {"budget": {"kind": "static", "baseline": "linear"}, **FROM_LINEAR},
    "static budget without caches": {"budget": {"kind": "static", "factor": 0.3}, "caches": NO_CACHES, **FROM_LINEAR},
    "budget by table": {"budget": {"kind": "table", "baseline": "linear", "factor": 1.5}},
    "all of it": {
        **FROM_LINEAR,
        "initial": ["linear", "no_op"],
        "mutations": {"mode": "paper", "crossover": 0.3, "until": "changed"},
        "caches": {**PER_TASK, "fec_forget": 5},
        "hurdles": TWO_STAGES,
        "budget": {"kind": "table", "baseline": "linear", "factor": 3.0},
        "fitness": "median",
    },
}


def check_equal(search: Search, model: Model) -> None:
    assert search.programs() == [model.program(arrays) for arrays, _, _ in model.population]
    assert search.fitness == [fitness for _, fitness, _ in model.population]
    assert dict(enumerate(search.island.counters.tolist())) == model.counters
    assert search.island.rng.tolist() == model.rng.tolist()
    assert model.best is None or search.best == model.best


@pytest.mark.parametrize("case", CASES)
def test_the_engine_makes_the_individuals_of_the_model(case, tasks):
    config = make_config(**CASES[case])
    search, model = Search(config, tasks), Model(config, tasks)
    for count in (1, 9, 6, 1, 15, 108):
        search.advance(count)
        model.advance(count)
        check_equal(search, model)


PARTS: dict[str, int] = {
    "functional cache per task": engine.FEC_HITS,
    "a hurdle": engine.STOPPED_AT_HURDLE,
    "two hurdles": engine.STOPPED_AT_HURDLE,
    "hurdles and a functional cache per task": engine.STOPPED_AT_HURDLE,
    "static budget": engine.OVER_BUDGET,
    "budget by table": engine.OVER_BUDGET,
    "all of it": engine.STOPPED_AT_HURDLE,
}


@pytest.mark.parametrize("case", PARTS)
def test_the_parts_that_are_compared_come_into_play(case, tasks):
    search = Search(make_config(**CASES[case]), tasks)
    search.advance(140)
    assert search.counter(PARTS[case]) > 3
    assert search.counter(engine.EVALUATED) > 5


@pytest.mark.parametrize("case", ["from linear", "two hurdles", "hurdles and a functional cache per task", "all of it"])
def test_an_island_that_starts_anew_is_that_of_the_model(case, tasks):
    config = make_config(**CASES[case])
    search, model = Search(config, tasks), Model(config, tasks)
    for count in (100, 7, 30, 0, 60):
        search.advance(count)
        model.advance(count)
        check_equal(search, model)
        search.restart()
        model.restart()
        check_equal(search, model)


@pytest.mark.parametrize("case", ["both caches", "all of it", "functional cache per task", "two hurdles"])
def test_vector_labels_too(case):
    three = clusters(D=10, C=3, F=4, N=30, M=12, seed=4, epochs=2)
    config = make_config(**{**CASES[case], "initial": "no_op"})
    search, model = Search(config, three), Model(config, three)
    for count in (20, 100):
        search.advance(count)
        model.advance(count)
        check_equal(search, model)
    assert max(search.fitness) > 0.4


def test_other_tasks_too(tasks):
    x = np.random.default_rng(0).normal(size=(19, 25, 4))
    y = x.sum(2) > 0
    classes = from_arrays(x[:, :15], y[:, :15], x[:, 15:], y[:, 15:], "accuracy", epochs=3)
    for other in (classes, tasks.take(1), linear_regression(num_tasks=3, num_train=4, num_valid=3)):
        for fitness in ("mean", "median"):
            config = make_config(fitness=fitness)
            search, model = Search(config, other), Model(config, other)
            search.advance(150)
            model.advance(150)
            assert search.fitness == [fitness for _, fitness, _ in model.population]
            assert dict(enumerate(search.island.counters.tolist())) == model.counters


def state(search: Search) -> list[list[Any]]:
    """Everything of an island that later individuals depend on, caches aside."""
    island = search.island
    arrays = (island.code, island.constants, island.sizes, island.fitness, island.hashes, island.rng)
    return [array.tolist() for array in arrays]


@pytest.mark.parametrize("size", [1, 64, 100_000])
def test_the_canonical_cache_changes_nothing_but_the_work(tasks, size):
    plain = Search(make_config(**GROWING, **ALL_MUTATIONS, caches=NO_CACHES), tasks)
    cached = Search(
        make_config(**GROWING, **ALL_MUTATIONS, caches={"fec": False, "canonical_size": size}),
        tasks,
    )
    for search in (plain, cached):
        search.advance(1500)
    assert state(plain) == state(cached)
    assert plain.counter(engine.EVALUATED) == 1500
    made = cached.counter(engine.CANONICAL_LOOKUPS) - cached.counter(engine.CANONICAL_HITS)
    assert cached.counter(engine.CANONICAL_LOOKUPS) == 1500
    assert cached.counter(engine.EVALUATED) == made
    assert 50 < made < 1300
    assert cached.counter(engine.TRAIN_STEPS) < plain.counter(engine.TRAIN_STEPS)


def test_a_full_probe_changes_nothing_but_the_work(tasks):
    # A fingerprint of all predictions, to the last bit, is that of an equal fitness.
    everything = {"canonical": False, "fec_bits": 23, "fec_train": 30, "fec_valid": 12}
    plain = Search(make_config(caches=NO_CACHES), tasks)
    cached = Search(make_config(caches=everything), tasks)
    for search in (plain, cached):
        search.advance(600)
    assert state(plain) == state(cached)
    assert cached.counter(engine.FEC_LOOKUPS) == 600
    assert cached.counter(engine.EVALUATED) == 600 - cached.counter(engine.FEC_HITS)
    assert cached.counter(engine.FEC_HITS) > 100


def test_the_compiled_loop_is_found_in_the_disk_cache(tasks, tmp_path, monkeypatch):
    Search(make_config(), tasks).advance(1)
    assert engine.advance.is_compiled()
    monkeypatch.setenv("AUTOML_ZERO_CACHE", str(tmp_path))
    assert not engine.advance.is_compiled()


def test_where_calls_end_does_not_matter(tasks):
    config = make_config()
    whole, parts = Search(config, tasks), Search(config, tasks)
    whole.advance(400)
    for count in (1,) * 20 + (0, 7, 100, 3, 270):
        parts.advance(count)
    assert state(whole) == state(parts)
    assert whole.island.counters.tolist() == parts.island.counters.tolist()


def test_other_keys_are_other_searches_and_equal_keys_the_same(tasks):
    searches = [Search(make_config(), tasks, key) for key in ((1, 2), (1, 3), (1, 2))]
    for search in searches:
        search.advance(50)
    assert state(searches[0]) == state(searches[2])
    assert searches[0].programs() != searches[1].programs()


def test_every_child_replaces_the_oldest(tasks):
    search = Search(make_config(population_size=7, mutations={"weights": {"randomize_algorithm": 1.0}}), tasks)
    search.advance(7)
    for number in range(30):
        before = search.programs()
        search.advance(1)
        replaced = [slot for slot in range(7) if search.program(slot) != before[slot]]
        assert replaced in ([], [number % 7])  # a child may be a copy of what it replaces
        assert search.counter(engine.OLDEST) == (number + 1) % 7


def test_the_best_is_the_first_of_the_fittest_so_far(tasks):
    search = Search(make_config(), tasks)
    history: list[tuple[float, Program]] = []
    for number in range(200):
        search.advance(1)
        slot = number % 16
        history.append((search.fitness[slot], search.program(slot)))
        fittest = max(fitness for fitness, _ in history)
        first = next(i for i, (fitness, _) in enumerate(history) if fitness == fittest)
        assert search.best == (history[first][1], fittest)
        assert search.counter(engine.BEST_INDIVIDUAL) == first


def test_fitness_without_caches_is_that_of_an_evaluation(tasks):
    for fitness, aggregate in (("mean", np.mean), ("median", lambda values: np.sort(values)[5])):
        search = Search(make_config(caches=NO_CACHES, fitness=fitness), tasks)
        search.advance(100)
        evaluator = Evaluator(tasks, "float32")
        expected = [aggregate(evaluator.evaluate(program)[0]) for program in search.programs()]
        np.testing.assert_allclose(search.fitness, expected, rtol=1e-14)


def test_the_training_examples_of_probes_and_evaluations_are_counted(tasks):
    # Nothing fails: 30 programs of one meaning, the first of them probed and evaluated in full.
    from_linear = {"initial": "linear", "sizes": ((1, 1, 1), (1, 1, 1), (4, 4, 4)), "population_size": 30}
    for caches, expected in (
        (NO_CACHES, 30 * 10 * 30),
        ({"fec": False}, 10 * 30),
        ({"canonical": False}, 30 * 10 * 10 + 10 * 30),
        ({}, 10 * 10 + 10 * 30),
        ({"fec_train": 4}, 10 * 4 + 10 * 30),
        ({"fec_train": 1000}, 10 * 30 + 10 * 30),
    ):
        search = Search(make_config(**from_linear, caches=caches), tasks)
        search.advance(30)
        assert search.counter(engine.TRAIN_STEPS) == expected


@pytest.mark.parametrize("initial", ["no_op", "empty", "linear"])
def test_the_initial_population_is_the_initial_program(initial, tasks):
    config = make_config(**GROWING | ALL_MUTATIONS | {"initial": initial})
    (program,) = config.search_space.initial_programs()
    search = Search(config, tasks)
    search.advance(16)
    assert search.programs() == [program] * 16
    expected = Evaluator(tasks, "float32").evaluate(program)[0].mean()
    np.testing.assert_allclose(search.fitness, [expected] * 16, rtol=1e-14)
    assert search.counter(engine.EVALUATED) == 1
    search.advance(50)
    assert len(set(search.programs())) > 3


def test_the_neural_net_can_be_the_start(tasks):
    space = make_config().search_space.model_dump() | {"scalars": 5, "vectors": 9, "matrices": 2}
    for component, size in zip(COMPONENTS, (3, 5, 11), strict=True):
        space[component] |= {"initial_size": 0, "min_size": 0, "max_size": size + 1}
    config = ExperimentConfig(search_space=space | {"initial": "neural_net"}, tasks={"kind": "linear"})
    search = Search(config, tasks)
    search.advance(1)
    assert search.program(0) == programs.neural_net()


def test_random_search_draws_programs_that_have_nothing_to_do_with_each_other(tasks):
    search = Search(make_config(search="random", caches=NO_CACHES), tasks)
    seen = set()
    for number in range(300):
        search.advance(1)
        seen.add(search.program(number % 16))
    assert len(seen) == 300
    assert search.counter(engine.INDIVIDUALS) == search.counter(engine.EVALUATED) == 300


def test_a_component_without_ops_keeps_the_initial_instructions_in_random_search(tasks):
    search = Search(make_config(**CASES["random search around a program"]), tasks)
    search.advance(40)
    assert {program.setup for program in search.programs()} == {programs.linear().setup}
    assert len({program.learn for program in search.programs()}) > 10


def test_children_differ_in_meaning_from_their_parents_where_that_is_asked_for(tasks):
    hits = {}
    for until in ("any", "changed", "new"):
        search = Search(make_config(mutations={"until": until, "max_tries": 50}, mutation_probability=1.0), tasks)
        search.advance(1000)
        hits[until] = search.counter(engine.CANONICAL_HITS)
    assert hits["any"] > 300
    assert 0 < hits["changed"] < hits["any"]
    assert hits["new"] < 20  # among the initial programs


# -- fingerprints ----------------------------------------------------------------------------------------------------


def predicting(*instructions: Instruction, learn: Sequence[Instruction] = ()) -> Program:
    return Program(MEMORY, (), instructions, tuple(learn))


def constant(value: float, out: int = 1) -> Instruction:
    return Instruction("scalar_const_set", out=out, constants=(value,))


@pytest.fixture(params=["float32", "float64"])
def probe(request: pytest.FixtureRequest, tasks: TaskSet) -> Callable[..., int]:
    """Fingerprint of a program."""
    dtype = request.param

    def take(program: Program, on: TaskSet = tasks, **caches: int) -> int:
        return fingerprints(program, Evaluator(on, dtype).data, make_config(dtype=dtype, caches=caches))[0]

    return take


def test_a_fingerprint_cuts_predictions_to_some_bits_of_the_mantissa(probe):
    for bits in (1, 7, 12, 20):
        base = probe(predicting(constant(1.0)), fec_bits=bits)
        assert probe(predicting(constant(1.0 + 2.0 ** -(bits + 1))), fec_bits=bits) == base
        assert probe(predicting(constant(1.0 + 2.0**-bits)), fec_bits=bits) != base
        assert probe(predicting(constant(-1.0)), fec_bits=bits) != base
        assert probe(predicting(constant(2.0)), fec_bits=bits) != base


def test_programs_of_equal_predictions_have_equal_fingerprints(probe):
    zero = probe(predicting())
    assert probe(predicting(Instruction("scalar_diff", 0, 0, 1))) == zero
    assert probe(predicting(constant(0.0), learn=[constant(5.0)])) == zero  # overwritten by Predict
    assert probe(predicting(learn=[constant(5.0)])) != zero


def test_all_nans_are_alike_and_unlike_numbers(probe):
    negative = [constant(-1.0, 2), Instruction("scalar_log", 2, out=1)]
    difference = [Instruction("scalar_log", 3, out=2), Instruction("scalar_diff", 2, 2, 1)]
    assert probe(predicting(*negative)) == probe(predicting(*difference))
    assert probe(predicting(*negative)) != probe(predicting())


def test_nans_in_validation_are_alike_whatever_their_sign(probe, tasks):
    # Learn makes s2 infinite, so that validation predicts infinity - infinity, which accuracy lets pass.
    classes = from_arrays(tasks.train_x, tasks.train_y > 0, tasks.valid_x, tasks.valid_y > 0, "accuracy")
    learn = [Instruction("scalar_log", 3, out=2)]
    nan = [Instruction("scalar_diff", 2, 2, 1)]
    positive = [Instruction("scalar_diff", 2, 2, 3), Instruction("scalar_abs", 3, out=1), constant(0.0, 3)]
    values = [probe(predicting(*instructions, learn=learn), classes, fec_train=1) for instructions in (nan, positive)]
    assert values[0] == values[1]
    assert values[0] != probe(predicting(constant(0.0)), classes, fec_train=1)


def with_a_difference_at(tasks: TaskSet, part: str, task: int, example: int) -> TaskSet:
    """Tasks whose features are zero but for one example of one task."""
    arrays = [np.zeros_like(getattr(tasks, name)) for name in ("train_x", "train_y", "valid_x", "valid_y")]
    arrays[0 if part == "train" else 2][task, example] = 1.0
    return from_arrays(*arrays)


def test_a_probe_sees_its_examples_of_all_tasks_and_no_others(probe, tasks):
    mean = predicting(Instruction("vector_inner_product", 0, 0, 1))
    for part in ("train", "valid"):
        for task in (0, 9):
            for example, seen in ((0, True), (4, True), (5, False), (11, False)):
                on = with_a_difference_at(tasks, part, task, example)
                same = probe(mean, on, fec_train=5, fec_valid=5) == probe(predicting(), on, fec_train=5, fec_valid=5)
                assert same != seen


def test_which_task_and_which_example_differs_matters(probe, tasks):
    mean = predicting(Instruction("vector_inner_product", 0, 0, 1))
    places = [("train", 0, 0), ("train", 0, 1), ("train", 1, 0), ("valid", 0, 0), ("valid", 1, 0), ("valid", 9, 9)]
    assert len({probe(mean, with_a_difference_at(tasks, *place)) for place in places}) == len(places)


def test_a_stop_is_part_of_the_fingerprint(probe, tasks):
    large, larger = (predicting(constant(value)) for value in (1000.0, 5000.0))
    assert probe(large) == probe(larger)  # stopped at the first example
    assert probe(large) != probe(predicting(constant(50.0)))
    patient = from_arrays(tasks.train_x, tasks.train_y, tasks.valid_x, tasks.valid_y, max_abs_error=1e6)
    assert probe(large, patient) != probe(larger, patient)


def test_the_mask_of_a_fingerprint_keeps_sign_exponent_and_the_leading_bits(tasks):
    for dtype, width, mantissa in (("float32", 32, 23), ("float64", 64, 52)):
        data = Evaluator(tasks, dtype).data
        for bits in (1, 12, 23, 40, 52):
            mask = make_settings(make_config(dtype=dtype, caches={"fec_bits": bits}), data).fec_mask & (2**64 - 1)
            kept = width - mantissa + min(bits, mantissa)
            assert mask == (2**kept - 1) << (width - kept)
