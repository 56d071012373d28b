"""Searches on the device in small spaces, with an interpreter that compiles in no time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from automl_zero.evolution import engine
from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.crew import Crew
from automl_zero.evolution.mutation import make_space
from automl_zero.evolution.on_device import archipelago as module
from automl_zero.evolution.on_device.archipelago import DeviceArchipelago
from automl_zero.evolution.on_device.plan import Interpreter, Plan, make_plan
from automl_zero.evolution.search_tasks import make_search_tasks
from automl_zero.interpreters.jax_lockstep import Outcome, Programs, Shape, Tasks
from automl_zero.program import COMPONENTS, Program
from automl_zero.tasks import linear_regression, make_source

KEY = (3, 1, 4)
OPS = [
    "scalar_const_set",
    "scalar_diff",
    "scalar_product",
    "scalar_vector_product",
    "vector_inner_product",
    "vector_sum",
]
TASKS = linear_regression(num_tasks=3, num_features=2, num_train=12, num_valid=6, seed=2)
_TASKS = {"kind": "linear", "num_features": 2, "search": {"num_tasks": 3, "num_train": 12, "num_valid": 6}}


@pytest.fixture(scope="module", autouse=True)
def quick_compilation() -> Iterator[None]:
    """For test modules that import it: what is run once need not be optimised."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def value_of(sizes: Any, code: Any, constants: Any, xp: Any = jnp) -> Any:
    """A stand-in for fitness, [n]: in [0, 1], different for almost all programs."""
    slots = code.shape[2]
    filled = (xp.arange(slots) < sizes[..., None])[..., None]
    places = xp.arange(3 * slots * 4).reshape(3, slots, 4) % 101 + 1
    integers = xp.where(filled, code * places, 0).sum((1, 2, 3))
    parts = xp.where(filled, xp.abs(constants) % 1, 0).sum((1, 2, 3))
    return ((integers * 37 % 1009) / 1009 + parts) % 1


def _run(programs: Programs, tasks: Tasks, shape: Shape, num_train: int, num_valid: int) -> Outcome:
    D = tasks.train_y.shape[0]
    value = value_of(programs.sizes, programs.code, programs.constants).astype(jnp.float32)
    share = num_train / tasks.train_y.shape[1]  # so that an evaluation on fewer examples is another one
    steps = jnp.full(value.shape, D * num_train, jnp.int32)
    return Outcome(jnp.broadcast_to((value * share)[:, None], (*value.shape, D)), steps)


def _probe(programs: Programs, tasks: Tasks, shape: Shape, num_train: int, num_valid: int) -> tuple[Outcome, jax.Array]:
    outcome = _run(programs, tasks, shape, num_train, num_valid)
    return outcome, jnp.broadcast_to(outcome.fitness[..., None], (*outcome.fitness.shape, num_valid))


STAND_IN = Interpreter(_run, _probe)


def make_config(
    sizes: Sequence[tuple[int, int, int]] = ((3, 3, 3), (2, 2, 2), (4, 4, 4)),
    ops: Sequence[str] = OPS,
    initial: Any = "random",
    **settings: Any,
) -> ExperimentConfig:
    names = ("min_size", "initial_size", "max_size")
    space: dict[str, Any] = {"scalars": 4, "vectors": 3, "matrices": 1, "initial": initial}
    for component, bounds in zip(COMPONENTS, sizes, strict=True):
        space[component] = {"ops": list(ops), **dict(zip(names, bounds, strict=True))}
    settings = {"population_size": 12, "tournament_size": 3, "islands": 3, "backend": "jax", **settings}
    settings["caches"] = {"fec_size": 64, **settings.get("caches", {})}
    return ExperimentConfig(search_space=space, tasks=_TASKS, **settings)


def plan_of(config: ExperimentConfig, interpreter: Interpreter = STAND_IN, **options: Any) -> Plan:
    return make_plan(config, make_space(config), TASKS, interpreter, **options)


def make(
    config: ExperimentConfig, key: tuple[int, ...] = KEY, interpreter: Interpreter = STAND_IN
) -> DeviceArchipelago:
    """The islands of an experiment."""
    tasks = make_search_tasks(config, make_source(config.tasks), 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "make_plan", partial(make_plan, interpreter=interpreter))
        return DeviceArchipelago(config, make_space(config), tasks, key)


def go(archipelago: DeviceArchipelago, count: int) -> None:
    """Let every island make so many individuals."""
    with Crew(1) as pool:
        (job,) = archipelago.start([count] * archipelago.config.islands, pool, lambda: False)
        job.result()
    assert not any(archipelago.remaining)


def program(archipelago: DeviceArchipelago, number: int, slot: int) -> Program:
    return archipelago.program(number, slot)


def individuals(archipelago: DeviceArchipelago) -> list[list[tuple[Program, float]]]:
    """Program and fitness of every individual of every island, by slot."""
    return [
        [(program(archipelago, number, slot), float(fitness)) for slot, fitness in enumerate(own)]
        for number, own in enumerate(archipelago.fitness())
    ]


def state(archipelago: DeviceArchipelago) -> dict[str, bytes]:
    """Everything that the islands' future depends on."""
    return {name: np.ascontiguousarray(array).tobytes() for name, array in archipelago.arrays().items()}


def counters(archipelago: DeviceArchipelago, index: int) -> list[int]:
    return archipelago.counters[:, index].tolist()


def oldest(archipelago: DeviceArchipelago) -> list[int]:
    return counters(archipelago, engine.OLDEST)
