from __future__ import annotations

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.interpreters.numpy_interpreter import TaskRun, evaluate_program
from automl_zero.memory import MemorySpec, first_output
from automl_zero.ops import TABLE, ConstantKind, RegisterType
from automl_zero.tasks import TaskSet, linear_regression, nn_regression
from tests.clusters import clusters

ALL_OPS = [op.name for op in TABLE]
MEMORY = MemorySpec(4, 3, 2)
NEURAL_NET_TEXT = """\
def Setup():
    v2 = gaussian(0.0, 0.1, (F,))
    m0 = gaussian(0.0, 0.1, (F, F))
    s3 = 0.01
def Predict():  # v0 = features; s1 = prediction
    v3 = dot(m0, v0)
    v3 = v3 + v1
    v4 = maximum(v3, v5)
    s1 = dot(v4, v2)
    s1 = s1 + s2
def Learn():  # v0 = features; s0 = label
    s4 = s0 - s1
    s4 = s3 * s4
    s2 = s2 + s4
    v6 = s4 * v4
    v2 = v2 + v6
    v7 = s4 * v2
    v8 = heaviside(v3, 0.0)
    v7 = v8 * v7
    v1 = v1 + v7
    m1 = outer(v7, v0)
    m0 = m0 + m1"""


SOFTMAX_NET_TEXT = """\
def Setup():
    m0 = gaussian(0.0, 0.1, (F, F))
    m1 = gaussian(0.0, 0.1, (F, F))
    s2 = 0.02
def Predict():  # v0 = features; s1 = prediction
    v3 = dot(m0, v0)
    v3 = v3 + v4
    v5 = maximum(v3, v6)
    v2 = dot(m1, v5)
    v2 = v2 + v7
def Learn():  # v0 = features; s0 = label
    v8 = v1 - v2
    v8 = s2 * v8
    m2 = transpose(m1)
    v9 = dot(m2, v8)
    v3 = heaviside(v3, 0.0)
    v9 = v3 * v9
    v7 = v7 + v8
    m2 = outer(v8, v5)
    m1 = m1 + m2
    v4 = v4 + v9
    m2 = outer(v9, v0)
    m0 = m0 + m2"""


def test_the_neural_net_is_the_two_layer_network_of_the_paper():
    assert str(programs.neural_net()) == NEURAL_NET_TEXT


def test_the_linear_program_learns_a_linear_function():
    tasks = linear_regression(num_tasks=2, num_features=4, num_train=200, num_valid=20)
    assert evaluate_program(programs.linear(0.1), tasks).min() > 0.99


def test_the_neural_net_beats_the_linear_program_on_a_two_layer_function():
    tasks = nn_regression(num_tasks=2, num_features=4, num_train=1500, num_valid=50)
    scores = [evaluate_program(p, tasks).mean() for p in (programs.linear(0.01), programs.neural_net(0.05))]
    assert scores[1] > scores[0] + 0.1


def test_the_softmax_network_is_a_two_layer_network_for_classes():
    assert str(programs.softmax_net()) == SOFTMAX_NET_TEXT


def two_layer_network(tasks: TaskSet, weights: list[np.ndarray], rate: float) -> float:
    """Validation accuracy of a network with relu and softmax on the first task, by its gradients."""
    (first, last), hidden_bias = weights, np.zeros(tasks.num_features)
    last, last_bias = last[: tasks.num_classes], np.zeros(tasks.num_classes)

    def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        hidden = np.maximum(first @ x + hidden_bias, 0)
        return hidden, last @ hidden + last_bias

    for x, y in zip(tasks.train_x[0], tasks.train_y[0], strict=True):
        hidden, logits = forward(x)
        powers = np.exp(logits)
        step = rate * (y - powers / powers.sum())
        hidden_step = (last.T @ step) * (hidden > 0)
        last, last_bias = last + np.outer(step, hidden), last_bias + step
        first, hidden_bias = first + np.outer(hidden_step, x), hidden_bias + hidden_step
    right = [forward(x)[1].argmax() == y.argmax() for x, y in zip(tasks.valid_x[0], tasks.valid_y[0], strict=True)]
    return float(np.mean(right))


def test_the_softmax_network_follows_its_gradients():
    tasks = clusters(1, 3, 5, N=300, M=200)
    run = TaskRun(programs.softmax_net(0.1), tasks, 0, "float64")
    weights = [matrix.copy() for matrix in run.machine.registers[RegisterType.MATRIX][:2]]
    expected = two_layer_network(tasks, weights, 0.1)
    assert expected > 0.75
    assert evaluate_program(programs.softmax_net(0.1), tasks).item() == expected


def test_programs_for_vector_labels_leave_the_label_alone():
    allowed = {"learn": [op.name for op in TABLE if op.output == RegisterType.VECTOR]}
    learn = programs.random(MEMORY, allowed, {"learn": 200}, seed=0, num_classes=3).learn
    assert {i.out for i in learn} == {2}
    with pytest.raises(ValueError, match="op 'vector_abs' writes a vector, but memory has none to write"):
        programs.random(MemorySpec(2, 2, 0), {"learn": ["vector_abs"]}, {"learn": 1}, seed=0, num_classes=2)


def test_hand_designed_programs_need_enough_memory():
    assert programs.linear(memory=MemorySpec(20, 20, 20)).memory.scalars == 20
    with pytest.raises(ValueError, match=r"learn\[0\]\.out: register s3 is out of range \(3 scalars\)"):
        programs.linear(memory=MemorySpec(3, 3, 0))
    with pytest.raises(ValueError, match=r"m1 is out of range \(1 matrices\)"):
        programs.neural_net(memory=MemorySpec(5, 9, 1))
    with pytest.raises(ValueError, match=r"v4 is out of range \(4 vectors\)"):
        programs.softmax_linear(memory=MemorySpec(3, 4, 2))
    with pytest.raises(ValueError, match=r"m2 is out of range \(2 matrices\)"):
        programs.softmax_net(memory=MemorySpec(3, 10, 2))


def test_the_empty_program_has_no_instructions():
    assert programs.empty().components == ((), (), ())


def test_padding_adds_no_ops_at_the_end():
    padded = programs.pad(programs.linear(), {"setup": 3, "learn": 4})
    assert [i.op for i in padded.setup] == ["scalar_const_set", "no_op", "no_op"]
    assert padded.predict == programs.linear().predict
    assert padded.learn == programs.linear().learn


def test_padding_never_shortens_a_component():
    with pytest.raises(ValueError, match=r"sizes\['learn'\] is 3: the program has 4"):
        programs.pad(programs.linear(), {"learn": 3})


def test_the_same_seed_gives_the_same_random_program():
    allowed = dict.fromkeys(("setup", "predict", "learn"), ALL_OPS)
    sizes = {"setup": 5, "predict": 6, "learn": 7}
    first, again, other = (programs.random(MEMORY, allowed, sizes, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert [len(component) for component in first.components] == [5, 6, 7]


def test_successive_draws_from_one_generator_differ():
    generator = np.random.default_rng(0)
    first, second = (programs.random(MEMORY, {"learn": ALL_OPS}, {"learn": 9}, generator) for _ in range(2))
    assert first != second


def test_random_ops_addresses_and_constants_cover_their_ranges():
    learn = programs.random(MEMORY, {"learn": ALL_OPS}, {"learn": 6000}, seed=0).learn
    assert {i.op for i in learn} == set(ALL_OPS)
    for kind in (RegisterType.SCALAR, RegisterType.VECTOR, RegisterType.MATRIX):
        operands = [(name, address) for i in learn for name, k, address in i.operands() if k == kind]
        everything = set(range(MEMORY.count(kind)))
        assert {address for name, address in operands if name == "in1"} == everything
        assert {address for name, address in operands if name == "in2"} == everything
        assert {address for name, address in operands if name == "out"} == everything - set(range(first_output(kind)))
    lowest = {ConstantKind.VALUE: -1.0, ConstantKind.BOUND: -1.0, ConstantKind.INDEX: 0.0, ConstantKind.ST_DEV: 0.0}
    for kind, low in lowest.items():
        values = [c for i in learn for c, (_, k) in zip(i.constants, i.spec.constants, strict=True) if k == kind]
        assert low <= min(values) < low + 0.05
        assert 0.95 < max(values) < 1.0


@pytest.mark.parametrize(
    ("allowed", "sizes", "message"),
    [
        ({"learn": ["nonsense"]}, {"learn": 1}, "unknown op 'nonsense'"),
        ({"Learn": ALL_OPS}, {}, "allowed_ops: unknown component 'Learn'"),
        ({}, {"test": 1}, "sizes: unknown component 'test'"),
        ({}, {"learn": 1}, r"allowed_ops\['learn'\] is empty"),
        ({"learn": ALL_OPS}, {"learn": -1}, r"sizes\['learn'\] is -1"),
    ],
)
def test_impossible_random_programs_are_refused(allowed, sizes, message):
    with pytest.raises(ValueError, match=message):
        programs.random(MEMORY, allowed, sizes, seed=0)


def test_ops_on_registers_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="op 'matrix_norm' reads a matrix, but memory has none"):
        programs.random(MemorySpec(2, 2, 0), {"learn": ["matrix_norm"]}, {"learn": 1}, seed=0)
    with pytest.raises(ValueError, match="op 'vector_abs' writes a vector, but memory has none to write"):
        programs.random(MemorySpec(2, 1, 0), {"learn": ["vector_abs"]}, {"learn": 1}, seed=0)
