"""The GPU kernel without a GPU: its body on the CPU against the definition, and its lowering for CUDA.

What runs here on the CPU is the same code but for layouts, threads and barriers; see the README beside the kernel.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("jax", reason="JAX is not installed")

import jax
import jax.numpy as jnp

from automl_zero import programs
from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.interpreters import numpy_interpreter
from automl_zero.interpreters.jax_lockstep import evaluate as portable
from automl_zero.interpreters.jax_lockstep.batch import Programs, Shape, Tasks, shape_of, tasks_of
from automl_zero.interpreters.jax_lockstep.batches import Batch, pack_batch
from automl_zero.interpreters.jax_lockstep.bodies import ops_of_variant
from automl_zero.interpreters.pallas_gpu import choose, evaluate, trial
from automl_zero.interpreters.pallas_gpu.buckets import buckets, renamed
from automl_zero.interpreters.pallas_gpu.evaluator import Evaluator
from automl_zero.interpreters.pallas_gpu.geometry import SHARED_BYTES, geometry_of
from automl_zero.interpreters.pallas_gpu.kernel import PHASES_BETWEEN_CHECKS
from automl_zero.interpreters.permutation import epoch_order
from automl_zero.memory import MemorySpec
from automl_zero.ops import NUM_BUILT_IN, TABLE, Op, RegisterType
from automl_zero.program import COMPONENTS, Instruction, Program
from automl_zero.tasks import TaskSet, from_arrays
from tests.interpreters import generic_pallas

MEMORY = MemorySpec(4, 4, 2)
SLOTS = 16
BUILT_IN = [TABLE[number] for number in range(NUM_BUILT_IN)]
SOME_OPS = [  # of every kind; the fewer, the sooner the CPU's compiler is done
    *("scalar_sum", "scalar_division", "scalar_exp", "vector_sum", "vector_heaviside", "scalar_vector_product"),
    *("vector_inner_product", "vector_outer_product", "matrix_vector_product", "matrix_matrix_product", "matrix_sum"),
    *("vector_mean", "scalar_const_set", "vector_const_set", "matrix_const_set", "vector_uniform_set"),
    *("vector_st_dev", "scalar_max"),
]


def compiled(kernel, shape: Shape, num_train: int | None = None, keep: bool = False):
    return jax.jit(lambda batch, tasks: kernel(batch, tasks, shape, num_train, None, keep))


ON_CPU = partial(evaluate.evaluate, launcher=generic_pallas.launch)


def packed(several: list[Program]) -> Programs:
    return pack_batch(several, Batch(tuple(range(len(several))), len(several), SLOTS, True), "float32")


# -- every op --------------------------------------------------------------------------------------------------------


def program_showing(op: Op, element: int) -> Program:
    """Predict makes operands of the features, executes the op, and puts an element of its output into s1."""
    operands = {RegisterType.SCALAR: (3, 2), RegisterType.VECTOR: (0, 1), RegisterType.MATRIX: (0, 1)}
    in1, in2 = (*(operands[kind][place] for place, kind in enumerate(op.inputs)), None, None)[:2]
    values = {"INDEX": 0.4, "VALUE": 0.6, "ST_DEV": 0.8, "BOUND": -0.3}
    constants = tuple(values[kind.name] + place / 8 for place, (_, kind) in enumerate(op.constants))
    out = {RegisterType.SCALAR: 3, RegisterType.VECTOR: 1, RegisterType.MATRIX: 1}[op.output]  # an operand as well
    row, column = ((number + 0.5) / 3 for number in divmod(element, 3))
    instructions = [
        Instruction("vector_norm", 0, None, 2),
        Instruction("vector_mean", 0, None, 3),
        Instruction("vector_abs", 0, None, 1),
        Instruction("vector_outer_product", 0, 1, 0),
        Instruction("vector_row_broadcast", 0, None, 1),
        Instruction("matrix_sum", 0, 1, 0),
        Instruction(op.name, in1, in2, out, constants),
    ]
    if op.output == RegisterType.SCALAR:
        instructions += [Instruction("vector_mean", 2, None, 2), Instruction("scalar_sum", 2, 3, 1)]  # 0 + s3
    if op.output == RegisterType.MATRIX:
        instructions += [
            Instruction("vector_uniform_set", None, None, 2, (0.0, 0.0)),
            Instruction("vector_const_set", None, None, 2, (column, 1.0)),
            Instruction("matrix_vector_product", 1, 2, 1),
        ]
    if op.output != RegisterType.SCALAR:
        instructions += [
            Instruction("vector_uniform_set", None, None, 2, (0.0, 0.0)),
            Instruction("vector_const_set", None, None, 2, (row if op.output == RegisterType.MATRIX else column, 1.0)),
            Instruction("vector_inner_product", 1, 2, 1),
        ]
    return Program(MEMORY, (), tuple(instructions), ())


def predictions_of_the_definition(program: Program, tasks: TaskSet) -> np.ndarray:
    """What is in s1 after each validation example: [M, D]."""
    found = np.zeros((tasks.num_valid, tasks.num_tasks), np.float32)
    with np.errstate(all="ignore"):
        for task in range(tasks.num_tasks):
            run = numpy_interpreter.TaskRun(program, tasks, task, "float32")
            run.train(0, range(tasks.num_train))
            for row in range(tasks.num_valid):
                run.validate(0, [row])
                found[row, task] = run.machine.scalars[1]
    return found


def test_every_op_computes_what_the_definition_does():
    # A classification, so that no prediction is too bad to go on.
    train_x, valid_x = np.full((2, 1, 3), 0.5), np.random.default_rng(1).normal(size=(2, 6, 3))
    valid_x[0, 1:4] = [[0.0, 1.0, -1.0], [0.3, 0.3, 0.3], [0.0, 0.0, 0.0]]
    tasks = from_arrays(train_x, np.zeros((2, 1)), valid_x, np.zeros((2, 6)), "accuracy", seed=4)
    shown = [(op, i) for op in BUILT_IN if op.output for i in range((1, 3, 9)[op.output - 1])]
    several = [program_showing(op, element) for op, element in shown]
    shape = shape_of(MEMORY, tasks, "float32", uses_matrices=True)
    losses = compiled(ON_CPU, shape, keep=True)(packed(several), tasks_of(tasks, "float32"))
    wrong = []
    for (op, element), program, predictions in zip(
        shown, several, np.moveaxis(np.asarray(losses.predictions), 1, 0), strict=True
    ):
        expected = predictions_of_the_definition(program, tasks)
        # Round-off may make the square of a standard deviation a little more or less than 0.
        limit = 2e-3 if op.name.endswith("st_dev") else 1e-6
        if op.name.endswith("st_dev"):
            expected, predictions = np.nan_to_num(expected, nan=0.0), np.nan_to_num(predictions, nan=0.0)
        if not np.allclose(predictions, expected, rtol=1e-5, atol=limit, equal_nan=True):
            wrong.append((op.name, element, predictions, expected))
    assert not wrong


# -- whole programs --------------------------------------------------------------------------------------------------


def random_tasks(D: int, F: int, evaluation: str = "rmse", epochs: int = 1, **options: float) -> TaskSet:
    """Tasks on which random programs fail now and then: labels of all sizes, some features zero."""
    generator = np.random.default_rng([D, F, epochs])
    x, valid_x = (generator.normal(size=(D, n, F)) * generator.choice([0, 1, 1, 5], size=(D, n, 1)) for n in (5, 3))
    y, valid_y = x.sum(2), valid_x.sum(2)
    if evaluation == "accuracy":
        y, valid_y = y > 0, valid_y > 0
    return from_arrays(x, y, valid_x, valid_y, evaluation, epochs, seed=F, **options)


def random_programs(count: int, seed: int) -> list[Program]:
    generator, allowed = np.random.default_rng(seed), dict.fromkeys(COMPONENTS, SOME_OPS)
    sizes = {"setup": 8, "predict": 7, "learn": 7}
    return [remove_dead_code(programs.random(MEMORY, allowed, sizes, generator)) for _ in range(count)]


def shape_for(tasks: TaskSet, memory: MemorySpec = MEMORY, ops: list[str] = SOME_OPS) -> Shape:
    numbers = tuple(sorted(TABLE[name].id for name in ops))
    return shape_of(memory, tasks, "float32", memory.matrices > 0, ops=numbers)


def fitness_of(losses: portable.Losses, tasks: TaskSet) -> np.ndarray:
    mean = np.asarray(losses.total, np.float64) / tasks.num_valid
    score = 1 - mean if tasks.evaluation == "accuracy" else 1 - 2 / np.pi * np.arctan(np.sqrt(mean))
    return np.where(np.isfinite(mean), score, 0.0)


@pytest.mark.parametrize(
    ("D", "F", "evaluation", "epochs", "max_abs_error"),
    [(40, 3, "rmse", 2, 12.0), (5, 17, "accuracy", 2, 100.0)],  # two tiles; two groups
)
def test_random_programs_have_the_fitness_and_the_train_steps_of_the_definition(
    D, F, evaluation, epochs, max_abs_error
):
    tasks = random_tasks(D, F, evaluation, epochs, max_abs_error=max_abs_error)
    several, shape = random_programs(60, seed=D + F), shape_for(tasks)
    batch, data = packed(several), tasks_of(tasks, "float32")
    losses = compiled(ON_CPU, shape)(batch, data)
    expected = np.array([numpy_interpreter.evaluate_program(program, tasks, "float32") for program in several])
    fitness = fitness_of(losses, tasks)
    assert np.mean(np.abs(fitness - expected) <= 1e-5) >= 0.99
    assert np.mean((fitness == 0) == (expected == 0)) >= 0.99
    assert len(np.unique(expected, axis=0)) > (25 if evaluation == "rmse" else 5)
    assert (expected == 0).all(axis=1).any()
    everything = D * tasks.num_train * epochs
    steps = np.asarray(losses.train_steps)
    assert (steps > everything // 2).any()
    assert (steps < everything).any()
    assert steps.min() >= 1


def test_a_probe_of_the_first_examples_predicts_what_the_definition_does():
    tasks, stopped = random_tasks(4, 3, epochs=2, max_abs_error=5.0), np.finfo(np.float32).max
    ops = ["scalar_sum", "scalar_product", "vector_sum", "vector_mean", "vector_uniform_set"]
    memory, generator = MemorySpec(4, 4, 0), np.random.default_rng(3)
    sizes = {"setup": 2, "predict": 5, "learn": 3}
    several = [programs.random(memory, dict.fromkeys(COMPONENTS, ops), sizes, generator) for _ in range(20)]
    several = [remove_dead_code(program) for program in several]
    losses = compiled(ON_CPU, shape_for(tasks, memory, ops), 3, keep=True)(packed(several), tasks_of(tasks, "float32"))
    expected = np.full((tasks.num_valid, 20, 4), stopped)
    for number, program in enumerate(several):
        for task in range(4):
            run = numpy_interpreter.TaskRun(program, tasks, task, "float32")
            expected[:, number, task] = last_predictions(run, tasks, num_train=3)
    np.testing.assert_allclose(losses.predictions, expected, rtol=1e-5, atol=1e-6)
    assert 0.1 < np.mean(expected == stopped) < 0.9


def last_predictions(run: numpy_interpreter.TaskRun, tasks: TaskSet, num_train: int) -> np.ndarray:
    """Validation predictions of the last epoch; the largest number from where the task, or this validation, stops."""
    for epoch in range(tasks.epochs):
        predictions = np.full(tasks.num_valid, np.finfo(np.float32).max)
        if not run.train(epoch, epoch_order(epoch, num_train).tolist())[1]:
            break
        for row in range(tasks.num_valid):
            if not run.validate(epoch, [row])[1]:
                break
            predictions[row] = run.machine.scalars[1]
    return predictions


def test_a_block_stops_when_all_of_its_tasks_have_failed():
    """Its features are read once an example, so that the examples that it has seen can be counted."""
    seen = []

    class CountingMachine(generic_pallas.GenericMachine):
        def load_block(self, ref, *index):
            if len(index) == 2:  # features have a row and a group, registers an address
                jax.debug.callback(lambda row: seen.append(int(row)), index[0])
            return super().load_block(ref, *index)

    x, y = np.ones((3, 500, 4)), np.full((3, 500), 200.0)  # no prediction is within 100 of the labels
    tasks = from_arrays(x, y, x[:, :9], y[:, :9])
    shape = shape_for(tasks, MemorySpec(4, 4, 0), ["vector_mean"])
    batch = packed([Program(MemorySpec(4, 4, 0), (), (Instruction("vector_mean", 0, None, 1),), ())])
    kernel = partial(evaluate.evaluate, launcher=partial(generic_pallas.launch, machine=CountingMachine))
    losses = compiled(kernel, shape)(batch, tasks_of(tasks, "float32"))
    jax.effects_barrier()
    assert np.asarray(losses.train_steps) == 3
    assert 1 <= len(seen) <= PHASES_BETWEEN_CHECKS
    assert np.isinf(np.asarray(losses.total)).all()


# -- lowering for CUDA -----------------------------------------------------------------------------------------------


def arrays(shape: Shape, D: int, slots: int = 32, n: int = 64) -> tuple[Programs, Tasks]:
    def array(*sizes: int, dtype: str = "float32") -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(sizes, dtype)

    F = shape.num_features
    some_programs = Programs(array(n, 3, slots, 4, dtype="int32"), array(n, 3, slots, 3), array(n, 3, dtype="int32"))
    some_tasks = Tasks(
        array(D, 100, F),
        array(D, 100),
        array(D, 50, F),
        array(D, 50),
        array(D, 2, dtype="uint32"),
        array(shape.epochs, 100, dtype="int32"),
    )
    return some_programs, some_tasks


VARIANTS = [  # tasks, F, matrix registers, epochs, whether predictions are kept: all buckets, widths and forms
    (10, 4, 0, 1, True),
    (10, 16, 2, 1, False),
    (5, 3, 4, 2, False),
    (9, 32, 1, 1, False),
    (10, 64, 0, 1, False),
    (3, 128, 0, 1, False),
]


@pytest.mark.parametrize(("D", "F", "matrices", "epochs", "keep"), VARIANTS)
def test_the_kernel_lowers_for_cuda(D, F, matrices, epochs, keep):
    pytest.importorskip("absl", reason="Mosaic GPU needs absl-py")
    pytest.importorskip("jax.experimental.pallas.mosaic_gpu", reason="this JAX has no Mosaic GPU")
    shape = Shape(20, 20, matrices, F, "rmse", epochs, 100.0, 0, matrices > 0, "float32", ops_of_variant(matrices > 0))
    assert evaluate.supports(shape, D, slots=32) is None
    kernel = compiled(evaluate.evaluate, shape, keep=keep)
    lowered = kernel.trace(*arrays(shape, D)).lower(lowering_platforms=("cuda",))
    assert "mosaic_gpu" in lowered.as_text()


def test_the_kernel_runs_in_the_interpreter_that_jax_has_for_such_kernels():
    if jax.__version_info__ < (0, 11):
        pytest.skip("the interpreter for Mosaic GPU in JAX 0.10 cannot read with a layout")
    from jax.experimental.pallas.mosaic_gpu import InterpretGPUParams

    from automl_zero.interpreters.pallas_gpu import mosaic

    tasks, memory = random_tasks(10, 4), MemorySpec(4, 3, 0)
    program = programs.linear()
    shape = shape_for(tasks, memory, [i.op for component in program.components for i in component])
    launcher = partial(mosaic.launch, interpret=InterpretGPUParams())
    losses = compiled(partial(evaluate.evaluate, launcher=launcher), shape)(
        packed([program]), tasks_of(tasks, "float32")
    )
    expected = numpy_interpreter.evaluate_program(program, tasks, "float32")
    np.testing.assert_allclose(fitness_of(losses, tasks)[0], expected, atol=1e-5)


# -- sizes -----------------------------------------------------------------------------------------------------------


def test_tasks_fill_whole_tiles_and_no_block_is_empty():
    for D in (1, 10, 33, 100, 4500):
        for F in (1, 4, 10, 16, 32, 64, 128):
            geometry = geometry_of(D, F, slots=32, scalars=8, vectors=8, matrices=0)
            assert geometry.width >= F
            assert geometry.lanes % geometry.tile == 0
            assert geometry.lanes * geometry.groups >= D > geometry.lanes * (geometry.groups - 1)


def test_a_block_of_small_programs_leaves_room_for_many_others():
    linear = geometry_of(10, 4, slots=8, scalars=4, vectors=4, matrices=0)
    baseline = geometry_of(10, 16, slots=32, scalars=8, vectors=20, matrices=2)
    assert SHARED_BYTES // linear.shared_bytes >= 16
    assert SHARED_BYTES // baseline.shared_bytes >= 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dtype": "float64"}, "float32, not float64"),
        ({"num_classes": 3}, "no vector labels"),
        ({"num_features": 200}, "at most 128 features, not 200"),
        ({"num_features": 64, "uses_matrices": True, "matrices": 1}, "at most 32 features with matrices, not 64"),
        ({"num_features": 32, "uses_matrices": True, "matrices": 20}, "KiB of shared memory"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_with_a_reason(changes, words):
    shape = Shape(8, 8, 0, 4, "rmse", 1, 100.0, 0, False, "float32", ops_of_variant(False))
    assert evaluate.supports(shape, num_tasks=10, slots=32) is None
    refused = replace(shape, **changes)
    assert words in str(evaluate.supports(refused, num_tasks=10, slots=32))
    with pytest.raises(ValueError, match=words):
        compiled(evaluate.evaluate, refused).trace(*arrays(refused, D=10))


# -- buckets ---------------------------------------------------------------------------------------------------------


def test_programs_are_sorted_by_the_matrices_that_they_use_under_new_names():
    three = Program(
        MemorySpec(20, 20, 20),
        (),
        (
            Instruction("matrix_matrix_product", 7, 9, 13),
            Instruction("matrix_vector_product", 13, 0, 5),
            Instruction("vector_mean", 5, None, 1),
        ),
        (),
    )
    found = buckets([three, programs.linear(), programs.neural_net()])
    assert [(bucket.memory.matrices, bucket.members) for bucket in found] == [(0, [1]), (2, [2]), (4, [0])]
    assert found[2].programs[0].memory == MemorySpec(2, 2, 3)
    assert renamed(three).predict[1] == Instruction("matrix_vector_product", 2, 0, 1)
    for bucket in found:
        for program in bucket.programs:
            assert max(program.memory.scalars, program.memory.vectors, program.memory.matrices) <= 20
            assert program.memory.scalars <= bucket.memory.scalars


# -- the choice of an interpreter ------------------------------------------------------------------------------------

SMALL = Shape(4, 4, 0, 4, "rmse", 1, 100.0, 0, False, "float32", (TABLE["vector_mean"].id,))


@pytest.fixture
def gpu(monkeypatch):
    """JAX seems to have a GPU; no notice has been given yet, and no kernel been tried."""
    device = SimpleNamespace(platform="gpu", device_kind="NVIDIA H100", compute_capability="9.0")
    monkeypatch.setattr(choose.devices, "choose", lambda: SimpleNamespace(device=device, platform="gpu"))
    monkeypatch.setattr(choose, "_notices", set())
    choose._trouble.cache_clear()
    yield device
    choose._trouble.cache_clear()


def test_a_kernel_that_passes_its_trial_is_chosen(gpu, monkeypatch, caplog):
    monkeypatch.setattr(trial, "disagreement", lambda *_: None)
    chosen = choose.interpreter_for(SMALL, 10, 8)
    assert (chosen.name, chosen.run) == ("pallas", evaluate.run)
    assert not caplog.records


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"platform": "cpu"}, "computes on the CPU"),
        ({"compute_capability": "8.0", "device_kind": "NVIDIA A100"}, "NVIDIA A100 has 8.0"),
        ({"compute_capability": "gfx90a", "device_kind": "MI250"}, "needs an NVIDIA GPU, not MI250"),
    ],
)
def test_other_devices_get_the_portable_interpreter_and_one_line_that_says_why(gpu, caplog, changes, reason):
    vars(gpu).update(changes)
    for _ in range(2):
        chosen = choose.interpreter_for(SMALL, 10, 8)
        assert (chosen.name, chosen.run) == ("portable", portable.run)
        assert reason in chosen.reason
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert reason in record.getMessage()
    assert "\n" not in record.getMessage()


def test_a_kernel_that_does_not_compile_is_not_used(gpu, caplog):
    chosen = choose.interpreter_for(SMALL, 10, 8)  # there is no GPU, after all
    assert chosen.name == "portable"
    assert "the GPU kernel failed" in chosen.reason
    assert "\n" not in caplog.text.strip()


def test_the_kernel_can_be_turned_off(gpu, monkeypatch):
    monkeypatch.setenv(choose.SWITCH, "0")
    assert choose.why_not(SMALL, 10, 8) == "AUTOML_ZERO_GPU_KERNEL=0 turns the GPU kernel off"


def test_a_trial_tells_a_right_kernel_from_a_wrong_one():
    ops = tuple(TABLE[name].id for name in ("vector_mean", "scalar_sum", "scalar_const_set"))
    shape = replace(SMALL, ops=ops)

    def right(batch, tasks, shape):
        losses = ON_CPU(batch, tasks, shape)
        mean = losses.total / tasks.valid_x.shape[1]
        return portable.Outcome(1 - 2 / np.pi * jnp.arctan(jnp.sqrt(mean)), losses.train_steps)

    def wrong(batch, tasks, shape):
        n, D = batch.code.shape[0], tasks.train_x.shape[0]
        return portable.Outcome(jnp.full((n, D), 0.5), jnp.zeros(n, jnp.int32))

    assert trial.disagreement(shape, 10, 8, right) is None
    assert "of a trial's fitnesses agree" in str(trial.disagreement(shape, 10, 8, wrong))


def test_programs_go_to_the_kernel_where_it_can_and_to_the_portable_interpreter_where_it_cannot(monkeypatch):
    def kernel(batch, tasks, shape):  # every task is learnt perfectly, in 7 steps
        n, D = batch.code.shape[0], tasks.train_x.shape[0]
        return portable.Losses(jnp.zeros((n, D)), jnp.zeros((n, D)), jnp.full(n, 7), None)

    def chosen(shape, num_tasks, slots):
        name = "portable" if shape.uses_matrices else "pallas"
        return choose.Interpreter(name, "", evaluate.run, evaluate.probe, kernel)

    evaluator = Evaluator(random_tasks(3, 4), "float32", chosen)
    monkeypatch.setattr(evaluator._portable, "evaluate", lambda several: (np.full((len(several), 3), 0.25), 9))
    fitness, steps = evaluator.evaluate([programs.linear(), programs.neural_net(), programs.linear(0.1)])
    np.testing.assert_array_equal(fitness, np.array([[1.0], [0.25], [1.0]]) * np.ones(3))
    assert steps.tolist() == [7, 9, 7]
    assert evaluator.by_kernel == 2


def test_mosaic_gpu_is_not_imported_where_there_is_no_gpu():
    code = (
        "import sys\n"
        "from automl_zero.interpreters.pallas_gpu import choose\n"
        "assert 'jax' not in sys.modules\n"
        "from automl_zero import programs, tasks\n"
        "from automl_zero.interpreters.pallas_gpu.evaluator import Evaluator\n"
        "from automl_zero.interpreters.pallas_gpu.choose import why_not_on\n"
        "import jax\n"
        "assert why_not_on(jax.devices('cpu')[0])\n"
        "print(*(name for name in sys.modules if 'mosaic' in name and not name.startswith('jaxlib')))\n"
    )
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
