"""What benchmarks.scaling measures: series of times over a size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from automl_zero import programs
from automl_zero.evolution.config import load_config
from automl_zero.interpreters.lane_data import LaneData, lay_out
from automl_zero.memory import MemorySpec
from automl_zero.program import Instruction, Program
from automl_zero.tasks import linear_regression, make_source
from benchmarks import search_speed
from benchmarks.repeated import Timed, evaluations, individuals

DTYPE = "float32"
TASKS = 10
FEATURES = 4
EXAMPLES = 100
_REPEATED = 16  # an instruction whose own time is wanted is there that many times
_MEMORY = MemorySpec(scalars=6, vectors=5, matrices=0)
# Registers of these programs that nothing writes, so that adding them changes no result.
_ZERO_SCALAR, _ZERO_VECTOR = 5, 4


@dataclass(frozen=True)
class Sizes:
    """The sizes that are tried, and how much work goes into a sample.

    Attributes:
        features: F, for the linear program and for ops on vectors.
        matrix_features: F, for the neural net.
        tasks: D.
        extra: live instructions besides the six of the linear program.
        examples: N, and as many for validation.
        populations: P.
        individuals: made by a search for one sample.
        sample_seconds: least CPU time of the other samples.
    """

    features: tuple[int, ...] = (4, 8, 16, 32, 64, 128, 256, 512, 784)
    matrix_features: tuple[int, ...] = (4, 8, 16, 32, 64, 128)
    tasks: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 48, 64, 100)
    extra: tuple[int, ...] = (0, 2, 4, 8, 16, 32, 64, 128)
    examples: tuple[int, ...] = (10, 30, 100, 300, 1000, 3000, 10_000)
    populations: tuple[int, ...] = (100, 300, 1000, 3000, 10_000)
    individuals: int = 100_000
    sample_seconds: float = 0.02


@dataclass(frozen=True)
class Series:
    """Times over a size.

    Attributes:
        name: for files.
        title: what is measured.
        variable: the size that varies.
        setting: the sizes that do not.
        x: the sizes.
        samplers: one for each, from the number of the round to a time in seconds.
    """

    name: str
    title: str
    variable: str
    setting: str
    x: tuple[int, ...]
    samplers: tuple[Callable[[int], float], ...]


@dataclass(frozen=True)
class _Added:
    """Instructions added to Learn of the linear program in front of one of its own, whose operand they change by 0."""

    position: int
    instructions: tuple[Instruction, ...]


_ADD_SCALAR = Instruction("scalar_sum", 3, _ZERO_SCALAR, 3)  # s3: the error times the learning rate
_ADD_VECTOR = Instruction("vector_sum", 2, _ZERO_VECTOR, 2)  # v2: the step
_ADDED = {
    "scalar_sum": _Added(2, (_ADD_SCALAR,)),
    "vector_sum": _Added(3, (_ADD_VECTOR,)),
    "scalar_vector_product": _Added(3, (Instruction("scalar_vector_product", 4, 2, 2),)),  # s4 = 1
    "vector_inner_product and scalar_sum": _Added(
        2, (Instruction("vector_inner_product", 1, 3, _ZERO_SCALAR), _ADD_SCALAR)
    ),
    "vector_gaussian_set and vector_sum": _Added(
        3, (Instruction("vector_gaussian_set", out=_ZERO_VECTOR, constants=(0.0, 0.0)), _ADD_VECTOR)
    ),
}
_VECTOR_OPS = tuple(name for name in _ADDED if name != "scalar_sum")


def all_series(sizes: Sizes) -> list[Callable[[], Series]]:
    """The series, each made when it is needed: they hold the tasks they run on."""
    return [
        partial(linear_over_features, sizes),
        *(partial(op_over_features, op, sizes) for op in _VECTOR_OPS),
        partial(neural_net_over_features, sizes),
        partial(over_tasks, sizes),
        *(partial(over_length, op, sizes) for op in ("scalar_sum", "vector_sum")),
        partial(over_examples, sizes),
        partial(engine_over_population, sizes),
        partial(search_over_population, sizes),
    ]


def linear_with(op: str, count: int, num_features: int = FEATURES) -> Program:
    """The linear program with an op added to Learn so many times; every instruction is live, and the fitness stays.

    Args:
        op: one of those known here; some come with the one that reads what they set, or they would be dead.
        count: how many times.
        num_features: the learning rate is small enough for that many.
    """
    added, program = _ADDED[op], programs.linear(0.1 / num_features, _MEMORY)
    setup = (*program.setup, Instruction("scalar_const_set", out=4, constants=(1.0,)))
    learn = (*program.learn[: added.position], *added.instructions * count, *program.learn[added.position :])
    return Program(_MEMORY, setup, program.predict, learn)


def _data(tasks: int = TASKS, features: int = FEATURES, examples: int = EXAMPLES) -> LaneData:
    # No error is too large: with many features some first errors are, and a task that stops saves time.
    return lay_out(linear_regression(tasks, features, examples, examples, max_abs_error=1e9), DTYPE)


def _setting(**given: int) -> str:
    sizes = {"D": TASKS, "F": FEATURES, "N": EXAMPLES, **given}
    parts = [f"{name} = {size}" for name, size in sizes.items() if size]
    return ", ".join([*parts, "as many for validation", DTYPE])


def linear_over_features(sizes: Sizes) -> Series:
    """Evaluations of the linear program over F."""
    samplers = [
        Timed(evaluations(programs.linear(0.1 / features), _data(features=features)), sizes.sample_seconds)
        for features in sizes.features
    ]
    return Series("linear-features", "evaluation of linear", "F", _setting(F=0), sizes.features, tuple(samplers))


def op_over_features(op: str, sizes: Sizes) -> Series:
    """One op on a vector of all tasks over F: what it adds to an evaluation, by the times that it is executed."""
    samplers = []
    for features in sizes.features:
        data = _data(features=features)
        more, less = (evaluations(linear_with(op, count, features), data) for count in (_REPEATED, 0))
        executed = _REPEATED * data.num_train * data.blocks
        samplers.append(Timed(more, sizes.sample_seconds, less, executed))
    name = f"{op.partition(' ')[0]}-features"
    return Series(name, f"one {op}, all tasks", "F", _setting(F=0), sizes.features, tuple(samplers))


def neural_net_over_features(sizes: Sizes) -> Series:
    """Evaluations of the neural net over F."""
    samplers = [
        Timed(evaluations(programs.neural_net(1e-3 / features), _data(features=features)), sizes.sample_seconds)
        for features in sizes.matrix_features
    ]
    title, x = "evaluation of neural_net", sizes.matrix_features
    return Series("neural_net-features", title, "F", _setting(F=0), x, tuple(samplers))


def over_tasks(sizes: Sizes) -> Series:
    """Evaluations of the linear program over D."""
    samplers = [Timed(evaluations(programs.linear(), _data(tasks)), sizes.sample_seconds) for tasks in sizes.tasks]
    return Series("linear-tasks", "evaluation of linear", "D", _setting(D=0), sizes.tasks, tuple(samplers))


def over_length(op: str, sizes: Sizes) -> Series:
    """Evaluations of the linear program with more and more live instructions in Learn."""
    data = _data()
    samplers = [Timed(evaluations(linear_with(op, extra), data), sizes.sample_seconds) for extra in sizes.extra]
    x = tuple(6 + extra for extra in sizes.extra)
    return Series(f"{op}-length", f"linear and more {op}", "live instructions", _setting(), x, tuple(samplers))


def over_examples(sizes: Sizes) -> Series:
    """Evaluations of the linear program over N."""
    samplers = [
        Timed(evaluations(programs.linear(), _data(examples=examples)), sizes.sample_seconds)
        for examples in sizes.examples
    ]
    return Series("linear-examples", "evaluation of linear", "N", _setting(N=0), sizes.examples, tuple(samplers))


def engine_over_population(sizes: Sizes) -> Series:
    """Individuals over P where there is next to nothing to evaluate: selection, copying, mutation and analysis."""
    tasks = "{num_tasks = 1, num_train = 1, num_valid = 1}"
    samplers = []
    for population in sizes.populations:
        off = ["caches.canonical=false", "caches.fec=false", f"tasks.search={tasks}"]
        config = load_config("linear-reference", [f"population_size={population}", *off])
        data = lay_out(make_source(config.tasks).search(0), config.dtype)
        samplers.append(Timed(individuals(config, data), sizes.sample_seconds))
    setting = "linear-reference, one task with one example, caches off"
    return Series("engine-population", "an individual, engine alone", "P", setting, sizes.populations, tuple(samplers))


def search_over_population(sizes: Sizes) -> Series:
    """Individuals of whole searches over P, every round with another seed; how many are evaluated depends on P too."""

    def sampler(population: int) -> Callable[[int], float]:
        config = load_config("linear-reference", [f"population_size={population}"])
        return lambda number: (
            1.0 / search_speed.measure_seed(config, number, sizes.individuals)["individuals_per_second"]
        )

    samplers = tuple(sampler(population) for population in sizes.populations)
    setting = f"linear-reference, first {sizes.individuals:,} individuals, caches on"
    return Series("search-population", "an individual, whole search", "P", setting, sizes.populations, samplers)


def sample(series: Series, rounds: int) -> Sequence[list[float]]:
    """Samples of every point of a series: the points in turn, round after round."""
    samples: list[list[float]] = [[] for _ in series.x]
    for number in range(rounds):
        for values, sampler in zip(samples, series.samplers, strict=True):
            values.append(sampler(number))
    return samples
