from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl_zero import programs
from automl_zero.analysis.liveness import live_instructions, remove_dead_code
from automl_zero.interpreters.numpy_interpreter import TaskRun
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE
from automl_zero.program import COMPONENTS, Instruction, Program
from automl_zero.tasks import TaskSet, from_arrays

MEMORY = MemorySpec(4, 3, 2)
WIDE_MEMORY = MemorySpec(4, 5, 2)
PARTIAL_WRITES_AND_READERS = ["vector_const_set", "vector_inner_product", "matrix_const_set", "matrix_norm"]


def flags(setup: str = "", predict: str = "", learn: str = "", C: int = 0) -> list[str]:
    """Marks the live instructions of a program in a short notation: ``s2=s0+s1`` and the like, one a word."""
    components = (tuple(map(parse, text.split())) for text in (setup, predict, learn))
    live = live_instructions(Program(WIDE_MEMORY if C else MEMORY, *components), C)
    return ["".join("x" if flag else "." for flag in component) for component in live]


def parse(word: str) -> Instruction:
    out, _, operands = word.partition("=")
    if operands == "const":
        return Instruction("scalar_const_set", out=int(out[1:]), constants=(0.5,))
    if operands == "element":
        return Instruction("vector_const_set", out=int(out[1:]), constants=(0.5, 0.5))
    if operands.startswith("norm"):
        return Instruction("vector_norm", int(operands[-1]), out=int(out[1:]))
    if operands == "features":
        return Instruction("vector_abs", 0, out=int(out[1:]))
    if not operands:
        return Instruction("no_op")
    in1, in2 = (int(register[1:]) for register in operands.split("+"))
    if operands[0] == "s" and out[0] == "v":
        return Instruction("scalar_vector_product", in1, in2, int(out[1:]))
    return Instruction("scalar_sum" if out[0] == "s" else "vector_sum", in1, in2, int(out[1:]))


def test_what_leads_to_the_prediction_is_live():
    assert flags(predict="s2=const s1=s2+s2 s3=s1+s1") == ["", "xx.", ""]


def test_a_value_that_is_overwritten_before_it_is_read_is_dead():
    assert flags(predict="s1=const s1=const") == ["", ".x", ""]


def test_a_value_may_be_used_in_the_next_example():
    assert flags(predict="s1=s2+s3 s2=s1+s1") == ["", "xx", ""]


def test_learn_is_live_through_predict():
    assert flags(predict="s1=s2+s2", learn="s2=s0+s2 s3=s0+s2") == ["", "x", "x."]


def test_a_chain_of_dependencies_over_several_rounds_is_found():
    # Each link is used one round later, so that the analysis needs as many passes.
    assert flags(predict="s1=s2+s2", learn="s2=s3+s3 s3=s0+s0") == ["", "x", "xx"]


def test_setup_is_dead_when_predict_overwrites_it():
    assert flags(setup="s2=const s3=const", predict="s2=const s1=s2+s3") == [".x", "xx", ""]


def test_the_prediction_set_in_setup_is_live_only_if_predict_lets_it_pass():
    assert flags(setup="s1=const") == ["x", "", ""]
    assert flags(setup="s1=const", predict="s1=const") == [".", "x", ""]


def test_the_last_prediction_written_by_learn_is_dead_when_predict_overwrites_it():
    assert flags(predict="s1=s2+s2", learn="s1=const") == ["", "x", "."]


def test_a_partial_write_keeps_what_was_there_alive():
    assert flags(predict="v1=features v1=element s1=norm1") == ["", "xxx", ""]
    assert flags(setup="v1=element", predict="s1=norm1") == ["x", "x", ""]


def test_a_partial_write_to_a_dead_register_is_dead():
    assert flags(predict="v2=element s1=norm1") == ["", ".x", ""]


def test_a_register_that_only_feeds_itself_is_dead():
    assert flags(predict="s1=const", learn="s2=s2+s0") == ["", "x", "."]


def test_a_no_op_is_dead():
    assert flags(predict="no_op") == ["", ".", ""]


def test_with_vector_labels_v2_is_the_prediction_and_s1_is_not():
    assert flags(predict="s1=const v2=v3+v4 v3=v0+v0", C=3) == ["", ".xx", ""]
    assert flags(predict="s1=const v2=s1+v0", C=3) == ["", "xx", ""]
    assert flags(predict="s1=const v2=s1+v0") == ["", "x.", ""]


def test_with_vector_labels_v1_is_set_before_every_component():
    # Setup could not write v1; that Predict and Learn read it keeps nothing alive but what they make of it.
    assert flags(setup="v3=v1+v1", predict="v2=v3+v1", learn="v3=v1+v3 v4=v1+v1", C=3) == ["x", "x", "x."]


def test_with_vector_labels_a_prediction_of_learn_is_dead_when_predict_overwrites_it():
    assert flags(predict="v2=v3+v3", learn="v2=v1+v1", C=3) == ["", "x", "."]
    assert flags(predict="v2=element", learn="v2=v1+v1", C=3) == ["", "x", "x"]


def test_the_hand_designed_programs_have_no_dead_code():
    for program in (programs.linear(), programs.neural_net()):
        assert remove_dead_code(programs.pad(program, {"setup": 9, "predict": 9, "learn": 12})) == program
    for program in (programs.softmax_linear(), programs.softmax_net()):
        assert remove_dead_code(programs.pad(program, {"setup": 9, "predict": 9, "learn": 13}), 3) == program


@pytest.fixture(scope="module")
def tasks() -> dict[str, TaskSet]:
    generator = np.random.default_rng(0)
    x, valid_x = generator.normal(size=(7, 3)), generator.normal(size=(5, 3))
    labels = {"rmse": (x.sum(1), valid_x.sum(1)), "accuracy": (x.sum(1) > 0, valid_x.sum(1) > 0)}
    kinds = {
        kind: from_arrays(x, y, valid_x, valid_y, kind, max_abs_error=1e6) for kind, (y, valid_y) in labels.items()
    }
    one_hot = np.eye(2)[labels["accuracy"][0].astype(int)], np.eye(2)[labels["accuracy"][1].astype(int)]
    return {**kinds, "classes": from_arrays(x, one_hot[0], valid_x, one_hot[1], "accuracy")}


def outcome(program: Program, tasks: TaskSet) -> list[object]:
    """All errors of two epochs, in full precision."""
    with np.errstate(all="ignore"):
        run = TaskRun(program, tasks, 0, "float64")
        return [step for epoch in (0, 1) for step in (run.train(epoch, range(7)), run.validate(epoch, range(5)))]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 10), st.sampled_from(["rmse", "accuracy", "classes"]))
def test_dead_code_removal_never_changes_an_error_by_a_bit(tasks, seed, size, kind):
    C = tasks[kind].num_classes
    allowed = dict.fromkeys(COMPONENTS, [op.name for op in TABLE] + PARTIAL_WRITES_AND_READERS * 8)
    memory = WIDE_MEMORY if C else MEMORY
    program = programs.random(memory, allowed, dict.fromkeys(COMPONENTS, size), seed, C)
    removed = remove_dead_code(program, C)
    assert outcome(removed, tasks[kind]) == outcome(program, tasks[kind])
    assert all(all(component) for component in live_instructions(removed, C))
