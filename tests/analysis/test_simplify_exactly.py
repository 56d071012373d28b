"""Every exact step leaves every error as it was, to the bit: random programs, and a network under planted noise."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import automl_zero as az
from automl_zero import programs
from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.analysis.simplify import simplify
from automl_zero.analysis.simplify.edits import applied
from automl_zero.analysis.simplify.exact import keeps_draws
from automl_zero.analysis.simplify.frame import frame_for
from automl_zero.analysis.simplify.rules import RULES, analyse
from automl_zero.interpreters.numpy_interpreter import TaskRun
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE, ConstantKind
from automl_zero.program import COMPONENTS, Instruction, Program
from automl_zero.tasks import TaskSet, from_arrays
from tests.analysis.buried import bury

EPOCHS, TRAIN, VALID = 2, 6, 4
AWKWARD = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -0.25, 1e38, 5e-324, 0.1]
OPS = [op.name for op in TABLE]
SCALAR_OPS = [op.name for op in TABLE if op.output.letter == "s" and all(kind.letter == "s" for kind in op.inputs)]
VECTOR_OPS = [op.name for op in TABLE if "matrix" not in op.name and op.name.startswith("vector")]
LINEAR_OPS = ["scalar_const_set", "vector_inner_product", "scalar_diff", "scalar_product", "scalar_vector_product"]
POOLS = [
    OPS,
    [*LINEAR_OPS, "vector_sum"],
    SCALAR_OPS,
    [*SCALAR_OPS, *LINEAR_OPS, "vector_sum"],
    [*VECTOR_OPS, "scalar_const_set", "scalar_vector_product", "scalar_broadcast"],
    [op for op in OPS if "matrix" in op or op.startswith("vector")],
    ["scalar_uniform_set", "scalar_gaussian_set", "scalar_const_set", "scalar_heaviside", "scalar_abs", "scalar_max"],
]


@pytest.fixture(scope="module")
def tasks() -> dict[str, TaskSet]:
    generator = np.random.default_rng(0)
    x, valid_x = generator.normal(size=(TRAIN, 3)), generator.normal(size=(VALID, 3))
    x[2:5] = [0.0, 0.0, 0.0], [-0.0, -0.0, 0.0], [1.0, -1.0, 1e200]
    total, valid_total = x.sum(1).clip(-5, 5), valid_x.sum(1)
    labels = {"rmse": (total, valid_total), "accuracy": (total > 0, valid_total > 0)}
    return {
        kind: from_arrays(x, y, valid_x, valid_y, kind, epochs=EPOCHS, max_abs_error=1e300)
        for kind, (y, valid_y) in labels.items()
    }


def outcome(program: Program, tasks: TaskSet, dtype: str = "float64") -> list[str]:
    """All errors of both epochs, in full precision."""
    with np.errstate(all="ignore"):
        run = TaskRun(program, tasks, 0, dtype)
        return [
            repr(part)
            for epoch in range(EPOCHS)
            for part in (run.train(epoch, range(TRAIN)), run.validate(epoch, range(VALID)))
        ]


def awkward_program(seed: int) -> Program:
    """A random program with constants that break rules of real numbers, and a few live instructions at least."""
    generator = np.random.default_rng(seed)
    while True:
        pool = POOLS[generator.integers(len(POOLS))]
        memory = MemorySpec(*(int(generator.integers(low, high)) for low, high in ((2, 6), (2, 5), (1, 4))))
        sizes = {component: int(generator.integers(0, 13)) for component in COMPONENTS}
        program = programs.random(memory, dict.fromkeys(COMPONENTS, pool), sizes, generator)
        program = Program(memory, *(tuple(_awkward(i, generator) for i in part) for part in program.components))
        if sum(map(len, remove_dead_code(program).components)) >= 5:
            return program


def _awkward(instruction: Instruction, generator: np.random.Generator) -> Instruction:
    constants = []
    for (_, kind), value in zip(instruction.spec.constants, instruction.constants, strict=True):
        if kind == ConstantKind.INDEX:
            value = generator.choice([0.0, 0.4, 0.5, 0.9])
        elif generator.random() < 0.8:
            value = generator.choice(AWKWARD)
        constants.append(abs(value) if kind == ConstantKind.ST_DEV else value)
    out = 1 if instruction.spec.output.letter == "s" and generator.random() < 0.25 else instruction.out
    return replace(instruction, out=out, constants=tuple(constants))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_step_changes_an_error_by_a_bit(tasks, seed):
    program = awkward_program(seed)
    result = simplify(program)
    assert all(step.exact for step in result.steps)
    for kind in ("rmse", "accuracy"):
        expected = outcome(program, tasks[kind])
        for step in result.steps:
            # A dead instruction is tested in the next step that is not one, which is most of the time saved.
            if step.rule != "dead code" or step is result.steps[-1]:
                assert outcome(step.program, tasks[kind]) == expected, f"{step}\n{step.program}"


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_rule_is_exact_on_programs_whose_registers_are_shared(tasks, seed):
    # As when there are too few registers for every value to have its own.
    program = awkward_program(seed)
    analysis = analyse(program, frame_for(0), np.float64)
    edits = [edit for rule in RULES for edit in islice(rule(analysis), 4)]
    changed = [new for edit in edits if keeps_draws(program, new := applied(program, edit), frame_for(0))]
    for kind in ("rmse", "accuracy"):
        expected = outcome(program, tasks[kind])
        assert all(outcome(new, tasks[kind]) == expected for new in changed)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_step_changes_a_fitness_on_the_cpu_backend(tasks, seed):
    program = awkward_program(seed)
    result = simplify(program)
    for kind in ("rmse", "accuracy"):
        fitness = az.evaluate([program, *(step.program for step in result.steps)], tasks[kind], dtype="float64")
        assert np.all(fitness == fitness[0])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_has_been_simplified_stays_as_it_is_and_is_never_longer(seed):
    program = awkward_program(seed)
    simple = simplify(program).program
    assert simplify(simple).program == simple
    assert sum(map(len, simple.components)) <= sum(map(len, remove_dead_code(program).components))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_step_changes_an_error_in_single_precision(tasks, seed):
    program = awkward_program(seed)
    simple = simplify(program, dtype="float32").program
    assert outcome(simple, tasks["rmse"], "float32") == outcome(program, tasks["rmse"], "float32")


@pytest.mark.parametrize("seed", range(8))
def test_a_network_buried_under_forty_instructions_comes_back(seed):
    network = programs.neural_net()
    buried = bury(network, 40, seed)
    assert sum(map(len, buried.components)) == sum(map(len, network.components)) + 40
    found = simplify(buried).program
    assert found == simplify(network).program
    assert sum(map(len, found.components)) == sum(map(len, network.components))
    tasks = az.tasks.nn_regression(5, 4, 50, 20, epochs=2)
    fitness = az.evaluate([network, buried, found], tasks, dtype="float64")
    assert np.array_equal(fitness[1], fitness[0])
    assert np.array_equal(fitness[2], fitness[0])
    assert np.all(fitness[0] > 0)


@pytest.mark.parametrize("seed", range(4))
def test_the_linear_program_buried_under_thirty_instructions_comes_back(seed):
    assert simplify(bury(programs.linear(), 30, seed)).program == simplify(programs.linear()).program


@pytest.mark.parametrize("seed", range(3))
def test_planted_instructions_of_every_kind_are_found(seed):
    rules = {step.rule for step in simplify(bury(programs.neural_net(), 40, seed)).steps}
    assert {"dead code", "common subexpression", "identity"} <= rules
