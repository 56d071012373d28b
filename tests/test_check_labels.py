from __future__ import annotations

import re

import pytest

from automl_zero import programs
from automl_zero.instruction import Instruction
from automl_zero.program import Program
from automl_zero.vector_labels import check_labels, predicts_vectors_alone

SCALAR, VECTOR = programs.linear(), programs.softmax_linear()
S1_TOO = Program(
    VECTOR.memory, (Instruction("scalar_const_set", out=1, constants=(0.5,)),), VECTOR.predict, VECTOR.learn
)


@pytest.mark.parametrize(
    ("program", "alone"),
    [
        (VECTOR, True),
        (programs.softmax_net(), True),
        (S1_TOO, False),
        (SCALAR, False),
        (programs.neural_net(), False),
        (programs.empty(), False),
        (Program(VECTOR.memory, VECTOR.predict, (), ()), False),  # writes v2, but not in Predict
    ],
)
def test_a_program_that_writes_v2_in_predict_and_s1_nowhere_is_for_vector_labels(program: Program, alone: bool) -> None:
    assert predicts_vectors_alone(program) is alone


@pytest.mark.parametrize(
    ("program", "num_classes", "own"),
    [(SCALAR, 0, 0), (SCALAR, 0, None), (S1_TOO, 0, None), (VECTOR, 3, 10), (VECTOR, 3, None), (VECTOR, 0, 0)],
)
def test_labels_of_the_programs_own_kind_are_fine(program: Program, num_classes: int, own: int | None) -> None:
    check_labels(program, num_classes, own, "it")


@pytest.mark.parametrize(
    ("program", "num_classes", "own", "message"),
    [
        (
            S1_TOO,
            0,
            10,
            (
                "it was evolved for vector labels of 10 classes, but these tasks have numbers as labels: expected "
                "tasks with vector labels"
            ),
        ),
        (
            VECTOR,
            0,
            None,
            (
                "it never sets its prediction s1, only v2, the prediction for vector labels, but these tasks have "
                "numbers as labels: expected tasks with vector labels"
            ),
        ),
        (
            SCALAR,
            3,
            0,
            (
                "it was evolved for labels that are numbers, but these tasks have 3 classes as vector labels: expected "
                "tasks whose labels are numbers"
            ),
        ),
        (
            SCALAR,
            3,
            None,
            (
                "it is not for vector labels, but these tasks have 3 classes as vector labels: learn[3].out: v1 is the "
                "label in tasks with vector labels and cannot be written"
            ),
        ),
    ],
)
def test_labels_of_the_other_kind_are_refused(
    program: Program, num_classes: int, own: int | None, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_labels(program, num_classes, own, "it")


def test_what_has_the_labels_and_what_would_suit_can_be_said() -> None:
    with pytest.raises(ValueError, match=r"it was evolved for .*, but houses have prices: expected classes"):
        check_labels(VECTOR, 0, 3, "it", "houses have prices", "classes")
