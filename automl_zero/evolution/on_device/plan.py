"""What the compiled programs of a search are compiled for: the facts of a configuration that never change in a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax
import numpy as np

from automl_zero.evolution.budget import limit, op_costs
from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.mutation import Space
from automl_zero.interpreters import jax_lockstep
from automl_zero.interpreters.jax_lockstep import Outcome, Programs, Shape, Tasks, shape_of
from automl_zero.interpreters.jax_lockstep.devices import choose
from automl_zero.interpreters.pallas_gpu.choose import KERNEL, interpreter_for
from automl_zero.ops import TABLE, RegisterType
from automl_zero.tasks.taskset import TaskSet

WAYS = 8
_FLOAT_BITS, _MANTISSA_BITS = 32, 23


class Interpreter(NamedTuple):
    """How programs are evaluated; the functions are those of :mod:`automl_zero.interpreters.jax_lockstep`."""

    run: Callable[[Programs, Tasks, Shape, int, int], Outcome]
    probe: Callable[[Programs, Tasks, Shape, int, int], tuple[Outcome, jax.Array]]


LOCKSTEP = Interpreter(jax_lockstep.run, jax_lockstep.probe)


class Stage(NamedTuple):
    """A hurdle: examples of its short evaluation, and the percentile to reach."""

    num_train: int
    num_valid: int
    percentile: float


@dataclass(frozen=True)
class Plan:
    """The static part of a search.

    Attributes:
        population_size: P.
        tournament_size: T.
        mutation_probability: U.
        random_search: every individual is drawn at random.
        random_start: the initial population is.
        crossover: probability of a second parent.
        paper: the mutations of the paper, instead of those of the reference.
        weights: cumulative probability of the mutation types.
        allowed: ids of the ops that each component may use.
        min_sizes, max_sizes, initial_sizes: instructions of each component.
        registers: number of registers by type; 0 for none.
        first_output: first address that an instruction may write to, by type.
        num_founders: programs that initial populations are made of.
        num_features: F.
        num_classes: C of vector labels, 0 for scalar labels.
        median: task fitnesses are aggregated by their upper median, instead of their mean.
        until: "any", "changed" or "new": what a mutation is repeated for, up to `max_tries` times.
        canonical: there is a canonical cache, of `canonical_sets` times WAYS entries an island.
        fec: there is a functional-equivalence cache, of `sets` times WAYS entries an island.
        fec_train, fec_valid: examples of a probe.
        fec_mask: bits of a prediction that a probe compares.
        stages: the hurdles; window: length of their records.
        budget: "none", "static" (cost of the raw program) or "table" (of its live instructions).
        costs: of every op; cost_limit: what a program may cost with `examples` training examples.
        num_train, num_valid: examples of a full evaluation.
        shapes: those of evaluations, without matrices first; one of them where programs cannot differ in that.
        chunk: programs that are evaluated together, where not all are.
        interpreter: evaluates programs.
    """

    population_size: int
    tournament_size: int
    mutation_probability: float
    random_search: bool
    random_start: bool
    crossover: float
    paper: bool
    weights: tuple[float, ...]
    allowed: tuple[tuple[int, ...], ...]
    min_sizes: tuple[int, ...]
    max_sizes: tuple[int, ...]
    initial_sizes: tuple[int, ...]
    registers: tuple[int, ...]
    first_output: tuple[int, ...]
    num_founders: int
    num_features: int
    num_classes: int
    median: bool
    until: str
    max_tries: int
    canonical: bool
    canonical_sets: int
    fec: bool
    sets: int
    fec_train: int
    fec_valid: int
    fec_mask: int
    stages: tuple[Stage, ...]
    window: int
    budget: str
    costs: tuple[float, ...]
    cost_limit: float
    examples: int
    num_train: int
    num_valid: int
    shapes: tuple[Shape, ...]
    chunk: int
    interpreter: Interpreter

    @cached_property
    def slots(self) -> int:
        """Slots of a program: those of Setup, then Predict, then Learn."""
        return sum(self.max_sizes)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First slot of each component."""
        return tuple(sum(self.max_sizes[:component]) for component in range(3))

    @cached_property
    def component_of(self) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        """Component of each slot."""
        return np.repeat(np.arange(3, dtype=np.int32), self.max_sizes)

    @cached_property
    def place_of(self) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        """Number of each slot within its component."""
        return np.concatenate([np.arange(size, dtype=np.int32) for size in self.max_sizes])

    @cached_property
    def open_components(self) -> tuple[int, ...]:
        """The components that mutations pick from."""
        return tuple(component for component in range(3) if self.allowed[component])


def make_plan(
    config: ExperimentConfig,
    space: Space,
    task_set: TaskSet,
    interpreter: Interpreter | None = None,
    chunk: int = 0,
) -> Plan:
    """The plan of a search on a task set, by default with what suits the device and the number of islands."""
    caches, budget = config.caches, config.budget
    dropped = max(_MANTISSA_BITS - caches.fec_bits, 0)
    examples = task_set.num_train * task_set.epochs
    shapes = _shapes(config, space, task_set)
    return Plan(
        population_size=config.population_size,
        tournament_size=config.tournament_size,
        mutation_probability=config.mutation_probability,
        random_search=config.search == "random",
        random_start=config.search_space.random_start,
        crossover=config.mutations.crossover,
        paper=config.mutations.mode == "paper",
        weights=tuple(space.mutations.tolist()),
        allowed=tuple(
            tuple(row[:count].tolist()) for row, count in zip(space.allowed, space.num_allowed.tolist(), strict=True)
        ),
        min_sizes=tuple(space.min_sizes.tolist()),
        max_sizes=tuple(space.max_sizes.tolist()),
        initial_sizes=tuple(space.initial_sizes.tolist()),
        registers=tuple(space.registers.tolist()),
        first_output=tuple(space.first_output.tolist()),
        num_founders=len(space.founders.sizes),
        num_features=task_set.num_features,
        num_classes=task_set.num_classes,
        median=config.fitness == "median",
        until=config.mutations.until,
        max_tries=config.mutations.max_tries,
        canonical=caches.canonical,
        canonical_sets=_sets(caches.canonical_size) if caches.canonical else 1,
        fec=caches.fec,
        sets=_sets(caches.fec_size) if caches.fec else 1,
        fec_train=min(caches.fec_train, task_set.num_train),
        fec_valid=min(caches.fec_valid, task_set.num_valid),
        fec_mask=(1 << _FLOAT_BITS) - (1 << dropped),
        stages=tuple(
            Stage(min(s.num_train, task_set.num_train), min(s.num_valid, task_set.num_valid), s.percentile)
            for s in config.hurdles.stages
        ),
        window=config.hurdles.window,
        budget=budget.kind,
        costs=tuple(op_costs(budget, task_set.num_features).tolist()),
        cost_limit=limit(budget, task_set.num_features, examples, task_set.num_classes),
        examples=examples,
        num_train=task_set.num_train,
        num_valid=task_set.num_valid,
        shapes=shapes,
        chunk=chunk or _chunk(config.islands),
        interpreter=interpreter or _interpreter(shapes, task_set.num_tasks, int(space.max_sizes.max())),
    )


def _interpreter(shapes: tuple[Shape, ...], num_tasks: int, slots: int) -> Interpreter:
    """The GPU kernel where it can evaluate all programs, else the portable interpreter.

    The kernel has not been tried on arrays that several devices share.
    """
    if len(jax.devices()) > 1:
        return LOCKSTEP
    chosen = [interpreter_for(shape, num_tasks, slots) for shape in shapes]
    if any(one.name != KERNEL for one in chosen):
        return LOCKSTEP
    return Interpreter(chosen[0].run, chosen[0].probe)


def _sets(entries: int) -> int:
    sets = 1
    while sets * WAYS < entries:
        sets *= 2
    return sets


def _chunk(islands: int) -> int:
    """Few at a time on a CPU, so that they are of one length; all at once on what computes them side by side."""
    return max(4, min(128, islands // 8)) if choose().platform == "cpu" else min(4096, islands)


def _shapes(config: ExperimentConfig, space: Space, task_set: TaskSet) -> tuple[Shape, ...]:
    ids = {op for row, count in zip(space.allowed, space.num_allowed, strict=True) for op in row[:count].tolist()}
    ids |= {
        int(op)
        for code, sizes in zip(space.founders.code, space.founders.sizes, strict=True)
        for start, size in zip(space.starts, sizes, strict=True)
        for op in code[start : start + size, 0]
    }
    used = sorted(op for op in ids if TABLE[op].output != RegisterType.NONE)
    memory, dtype = config.search_space.memory, config.dtype
    plain = tuple(op for op in used if RegisterType.MATRIX not in (*TABLE[op].inputs, TABLE[op].output))
    shapes = [shape_of(memory, task_set, dtype, uses_matrices=False, ops=plain)]
    if len(plain) < len(used):
        shapes.append(shape_of(memory, task_set, dtype, uses_matrices=True, ops=tuple(used)))
    return tuple(shapes)
