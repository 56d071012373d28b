"""The compiled loop is regularized evolution, individual by individual."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.analysis.compiled import new_canonical
from automl_zero.evolution import engine
from automl_zero.evolution.config import MUTATION_TYPES, ExperimentConfig
from automl_zero.evolution.engine import Island, advance
from automl_zero.evolution.islands import make_settings, new_island, program_in
from automl_zero.evolution.mutation import make_space
from automl_zero.evolution.random_numbers import new_generator
from automl_zero.interpreters.lane_data import LaneData, new_arena
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.jit import is_compiled
from automl_zero.memory import MemorySpec
from automl_zero.program import COMPONENTS, Instruction, Program
from automl_zero.program_arrays import pack, starts_of, unpack
from automl_zero.tasks import TaskSet, from_arrays, linear_regression
from tests.compiled import below, canonicalise, encode, mutate, randomize_algorithm, run_kernel, unit

MEMORY = MemorySpec(4, 3, 1)
KEY = (3, 1, 4)
OPS = [
    *("scalar_const_set", "scalar_diff", "scalar_product", "scalar_vector_product", "scalar_log", "no_op"),
    *("vector_inner_product", "vector_sum", "vector_gaussian_set", "vector_const_set", "matrix_vector_product"),
]
NO_CACHES = {"canonical": False, "fec": False}


def make_config(
    sizes: Sequence[tuple[int, int, int]] = ((4, 4, 4), (3, 3, 3), (5, 5, 5)),
    initial: str = "random",
    ops: Sequence[Sequence[str]] = (OPS, OPS, OPS),
    **settings: Any,
) -> ExperimentConfig:
    names = ("min_size", "initial_size", "max_size")
    space: dict[str, Any] = {"scalars": 4, "vectors": 3, "matrices": 1, "initial": initial}
    for component, allowed, bounds in zip(COMPONENTS, ops, sizes, strict=True):
        space[component] = {"ops": list(allowed), **dict(zip(names, bounds, strict=True))}
    settings = {"population_size": 16, "tournament_size": 4, **settings}
    return ExperimentConfig(search_space=space, tasks={"kind": "linear"}, **settings)


@pytest.fixture(scope="module")
def tasks() -> TaskSet:
    return linear_regression(num_tasks=10, num_features=4, num_train=30, num_valid=12, seed=1)


class Search:
    """An island of the engine."""

    def __init__(self, config: ExperimentConfig, tasks: TaskSet, key: Sequence[int] = KEY) -> None:
        self.config, self.space = config, make_space(config)
        self.data = Evaluator(tasks, config.dtype).data
        self.settings = make_settings(config, self.data)
        self.island: Island = new_island(config, self.space, self.data, key)

    def advance(self, count: int) -> None:
        advance(self.island, self.space, self.settings, self.data, count)

    def program(self, slot: int) -> Program:
        return program_in(self.island, slot, self.config.search_space.memory, self.space)

    def programs(self) -> list[Program]:
        made = min(self.counter(engine.INDIVIDUALS), self.config.population_size)
        return [self.program(slot) for slot in range(made)]

    def counter(self, index: int) -> int:
        return int(self.island.counters[index])

    @property
    def fitness(self) -> list[float]:
        return self.island.fitness[: len(self.programs())].tolist()

    @property
    def best(self) -> tuple[Program, float]:
        slot = self.config.population_size + 1
        return self.program(slot), float(self.island.fitness[slot])


Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


class Model:
    """The same search in plain Python: lists, dicts and full evaluations.

    It shares random numbers, mutations, analysis and the kernel with the engine, and nothing of its loop.
    """

    def __init__(self, config: ExperimentConfig, tasks: TaskSet, key: Sequence[int] = KEY) -> None:
        self.config, self.space = config, make_space(config)
        self.evaluator = Evaluator(tasks, config.dtype)
        self.rng = new_generator(*key)
        self.population: list[tuple[Arrays, float, int]] = []  # by slot: arrays, fitness, hash
        self.canonical: dict[int, float] = {}
        self.fec: dict[int, float] = {}
        self.counters = dict.fromkeys(range(engine.COUNTERS), 0)
        self.best: tuple[Program, float] | None = None
        slots = int(self.space.max_sizes.sum())
        self.form = new_canonical(slots)
        self.arena = new_arena(self.evaluator.data, slots, 4, 3, 1)
        initial = config.search_space.initial_program() or programs.empty(MEMORY)
        self.candidate: Arrays = pack(initial, self.space.max_sizes.tolist())

    def advance(self, count: int) -> None:
        for _ in range(count):
            self._make_one()

    def _make_one(self) -> None:
        config, number = self.config, self.counters[engine.INDIVIDUALS]
        initial = number < config.population_size
        if config.search == "random" or (initial and config.search_space.initial == "random"):
            for component in self.space.open_components:
                self.candidate[2][component] = self.space.initial_sizes[component]
            randomize_algorithm(*self.candidate, self.space, self.rng)
        elif not initial:
            self.candidate = self._child()
        value = self._hash(self.candidate)
        fitness = self._assess(value)
        individual = (tuple(array.copy() for array in self.candidate), fitness, value)
        if initial:
            self.population.append(individual)
        else:
            self.population[number % config.population_size] = individual  # the oldest
        if self.best is None or fitness > self.best[1]:
            self.best = (self.program(self.candidate), fitness)
            self.counters[engine.BEST_INDIVIDUAL] = number
        self.counters[engine.INDIVIDUALS] += 1
        self.counters[engine.OLDEST] = (number + 1) % config.population_size if not initial else 0

    def _child(self) -> Arrays:
        config = self.config
        drawn = [int(below(self.rng, config.population_size)) for _ in range(config.tournament_size)]
        parent = max(drawn, key=lambda slot: self.population[slot][1])  # the first of equals
        arrays, _, parent_hash = self.population[parent]
        mutated = unit(self.rng) < config.mutation_probability
        until = config.mutations.until
        for _ in range(config.mutations.max_tries if mutated and until != "any" else 1):
            child = tuple(array.copy() for array in arrays)
            if mutated:
                mutate(*child, self.space, self.rng)
            value = self._hash(child)
            if (until == "changed" and value != parent_hash) or (until == "new" and value not in self.canonical):
                break
        return child

    def _hash(self, arrays: Arrays) -> int:
        F = self.evaluator.data.num_features
        return int(canonicalise(*arrays, self.space.starts, F, 0, self.space.ops, self.form))

    def _assess(self, value: int) -> float:
        caches, counters = self.config.caches, self.counters
        if caches.canonical:
            counters[engine.CANONICAL_LOOKUPS] += 1
            if value in self.canonical:
                counters[engine.CANONICAL_HITS] += 1
                return self.canonical[value]
        fitness = None
        if caches.fec:
            probe = fingerprint(self.program(self.candidate), self.evaluator.data, self.config)
            counters[engine.TRAIN_STEPS] += probe[1]
            counters[engine.FEC_LOOKUPS] += 1
            fitness = self.fec.get(probe[0])
            counters[engine.FEC_HITS] += fitness is not None
        if fitness is None:
            values, steps = self.evaluator.evaluate(self.program(self.candidate))
            counters[engine.TRAIN_STEPS] += steps
            counters[engine.EVALUATED] += 1
            if self.config.fitness == "median":
                fitness = sorted(values.tolist())[len(values) // 2]
            else:
                fitness = float(np.cumsum(values)[-1]) / len(values)
            if caches.fec:
                self.fec[probe[0]] = fitness
        if caches.canonical:
            self.canonical[value] = fitness
        return fitness

    def program(self, arrays: Arrays) -> Program:
        return unpack(MEMORY, *arrays, self.space.starts)


def fingerprint(program: Program, data: LaneData, config: ExperimentConfig) -> tuple[int, int]:
    """A program's fingerprint and the train steps of the probe."""
    settings, ops = make_settings(config, data), make_space(config).ops
    code, constants, sizes = pack(program)
    form = new_canonical(len(code))
    canonicalise(code, constants, sizes, starts_of(sizes), data.num_features, data.num_classes, ops, form)
    arena = new_arena(data, len(code), MEMORY.scalars, MEMORY.vectors, MEMORY.matrices)
    encode(form, data, ops, arena)
    steps, value = run_kernel(form, data, arena, settings.fec_train, settings.fec_valid, 1, settings.fec_mask, 0)
    return int(value) | 1, int(steps)


GROWING = {"sizes": ((0, 1, 6), (0, 1, 6), (0, 1, 8)), "initial": "no_op"}
ALL_MUTATIONS = {"mutations": {"weights": dict.fromkeys(MUTATION_TYPES, 1.0)}}
CASES: dict[str, dict[str, Any]] = {
    "both caches": {},
    "no caches": {"caches": NO_CACHES},
    "canonical cache": {"caches": {"fec": False}},
    "functional cache": {"caches": {"canonical": False}},
    "coarse functional cache": {"caches": {"fec_bits": 1, "fec_train": 1, "fec_valid": 1}},
    "until changed": {"mutations": {"until": "changed", "max_tries": 5}},
    "until new": {"mutations": {"until": "new", "max_tries": 5}},
    "until new, no canonical cache": {"mutations": {"until": "new"}, "caches": NO_CACHES},
    "median": {"fitness": "median"},
    "double precision": {"dtype": "float64"},
    "no mutation": {"mutation_probability": 0.0},
    "a tournament of one": {"tournament_size": 1},
    "a large tournament": {"tournament_size": 40},
    "all mutations": {**GROWING, **ALL_MUTATIONS},
    "from linear": {**GROWING, **ALL_MUTATIONS, "initial": "linear"},
    "random search": {"search": "random"},
    "random search around a program": {
        **GROWING,
        "initial": "linear",
        "sizes": ((0, 0, 6), (0, 1, 6), (0, 4, 8)),
        "ops": ((), ["vector_inner_product"], OPS),
        "search": "random",
    },
}


@pytest.mark.parametrize("case", CASES)
def test_the_engine_makes_the_individuals_of_the_model(case, tasks):
    config = make_config(**CASES[case])
    search, model = Search(config, tasks), Model(config, tasks)
    for count in (1, 9, 6, 1, 15, 268):
        search.advance(count)
        model.advance(count)
        assert search.programs() == [model.program(arrays) for arrays, _, _ in model.population]
        assert search.fitness == [fitness for _, fitness, _ in model.population]
        assert dict(enumerate(search.island.counters.tolist())) == model.counters
        assert search.island.rng.tolist() == model.rng.tolist()
        assert search.best == model.best


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


def test_the_compiled_loop_is_found_in_the_disk_cache(tasks):
    Search(make_config(), tasks).advance(1)
    assert is_compiled("engine", "advance")
    assert not is_compiled("engine", "retreat")


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
    program = config.search_space.initial_program()
    assert program is not None
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
        return fingerprint(program, Evaluator(on, dtype).data, make_config(dtype=dtype, caches=caches))[0]

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
