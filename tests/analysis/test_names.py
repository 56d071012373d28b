"""Names appear where the flow of data leaves no doubt, and nowhere else."""

from __future__ import annotations

import pytest

from automl_zero import programs
from automl_zero.analysis.names import infer_names
from automl_zero.analysis.simplify import simplify
from automl_zero.program import Program
from tests.analysis.buried import bury
from tests.analysis.notation import program

PREDICT = "s1 = dot(v1, v0)"
LEARN = "s3 = s0 - s1; s3 = s2 * s3; v2 = s3 * v0; v1 = v1 + v2"


def shown(setup: str, predict: str, learn: str, num_classes: int = 0) -> list[str]:
    return lines(program(setup, predict, learn), num_classes)


def lines(of: Program, num_classes: int = 0) -> list[str]:
    text = of.pseudocode(names=infer_names(of, num_classes))
    return [line.strip() for line in text.splitlines() if line.startswith("    ")]


def test_the_linear_program_reads_like_a_textbook():
    assert programs.linear().pseudocode(names=infer_names(programs.linear())) == (
        "def Setup():\n"
        "    learning_rate = 0.01\n"
        "def Predict():  # from features to prediction\n"
        "    prediction = dot(weights, features)\n"
        "def Learn():  # from features and label\n"
        "    error = label - prediction\n"
        "    scaled_error = learning_rate * error\n"
        "    gradient = scaled_error * features\n"
        "    weights = weights + gradient"
    )


def test_the_network_reads_like_a_textbook():
    assert lines(programs.neural_net()) == [
        "output_weights = gaussian(0.0, 0.1, (F,))",
        "hidden_weights = gaussian(0.0, 0.1, (F, F))",
        "learning_rate = 0.01",
        "v3 = dot(hidden_weights, features)",
        "preactivation = v3 + hidden_bias",
        "hidden = maximum(preactivation, zeros)",
        "s1 = dot(hidden, output_weights)",
        "prediction = s1 + bias",
        "error = label - prediction",
        "scaled_error = learning_rate * error",
        "bias = bias + scaled_error",
        "output_weights_gradient = scaled_error * hidden",
        "output_weights = output_weights + output_weights_gradient",
        "v7 = scaled_error * output_weights",
        "active = heaviside(preactivation, 0.0)",
        "hidden_bias_gradient = active * v7",
        "hidden_bias = hidden_bias + hidden_bias_gradient",
        "hidden_weights_gradient = outer(hidden_bias_gradient, features)",
        "hidden_weights = hidden_weights + hidden_weights_gradient",
    ]


def test_a_buried_network_gets_its_names_back_when_it_is_simplified():
    named = lines(simplify(programs.neural_net()).program)
    assert lines(simplify(bury(programs.neural_net(), 40, 0)).program) == named
    assert "hidden_weights = hidden_weights + hidden_weights_gradient" in named


def test_an_affine_model_has_a_bias():
    text = shown("s2 = 0.1", "s4 = dot(v1, v0); s1 = s4 + s5", f"{LEARN}; s5 = s5 + s3")
    assert "prediction = s4 + bias" in text
    assert "bias = bias + scaled_error" in text


def test_softmax_regression_has_weights():
    learn = "v3 = v1 - v2; v3 = s2 * v3; m1 = outer(v3, v0); m0 = m0 + m1"
    text = shown("s2 = 0.1", "v2 = dot(m0, v0)", learn, num_classes=3)
    assert text[1:3] == ["prediction = dot(weights, features)", "error = label - prediction"]
    assert text[-1] == "weights = weights + gradient"


def test_nothing_is_a_label_or_features_where_the_interpreter_has_set_none():
    assert shown("s2 = norm(v0)", "s3 = s0 + s2; s1 = norm(v0)", "") == [
        "s2 = norm(v0)",
        "s3 = s0 + s2",
        "prediction = norm(features)",
        "pass",
    ]


@pytest.mark.parametrize(
    ("setup", "predict", "learn", "absent"),
    [
        # weights that are not multiplied with the features
        ("s2 = 0.1", "s1 = dot(v1, v1)", LEARN, "weights"),
        # what is added to them is not made from the error
        ("s2 = 0.1", PREDICT, "v2 = s2 * v0; v1 = v1 + v2", "weights"),
        # they are replaced, not updated
        ("s2 = 0.1", PREDICT, "s3 = s0 - s1; v1 = s3 * v0", "weights"),
        # they are updated in two ways
        ("s2 = 0.1", PREDICT, f"{LEARN}; v1 = s2 * v1", "weights"),
        # a difference of the label and something else
        ("s2 = 0.1", PREDICT, LEARN.replace("s0 - s1", "s0 - s4"), "error"),
        # the constant is used in Predict as well
        ("s2 = 0.1", "s4 = dot(v1, v0); s1 = s2 * s4", LEARN, "learning_rate"),
        # the constant changes
        ("s2 = 0.1", PREDICT, f"{LEARN}; s2 = 0.2", "learning_rate"),
        # the constant scales something else
        ("s2 = 0.1; s4 = 0.5", PREDICT, f"v3 = s4 * v0; {LEARN}", "learning_rate_2"),
        # the prediction is carried over from Learn
        ("s2 = 0.1", "s1 = s1 + s2", "s1 = s0 + s1", "prediction"),
        # the larger of two learned vectors is no rectifier
        ("s2 = 0.1", "v3 = dot(m0, v0); v4 = maximum(v3, v1); s1 = dot(v4, v1)", LEARN, "hidden"),
        # a rectifier of the features has no hidden weights
        ("s2 = 0.1", "v3 = maximum(v0, v5); s1 = dot(v3, v1)", LEARN, "hidden"),
    ],
)
def test_look_alikes_keep_their_registers(setup: str, predict: str, learn: str, absent: str) -> None:
    assert not [line for line in shown(setup, predict, learn) if absent in line]


def test_the_look_alikes_are_near_misses():
    found = " ".join(shown("s2 = 0.1", PREDICT, LEARN))
    assert all(name in found for name in ("weights", "error", "learning_rate", "prediction"))


def test_different_values_have_different_names():
    learn = "s3 = s0 - s1; s4 = s1 - s0; s5 = s2 * s3; v2 = s5 * v0; v3 = s4 * v0; v1 = v1 + v2; v4 = v4 + v3"
    text = shown("s2 = 0.1", "s6 = dot(v1, v0); s7 = dot(v4, v0); s1 = s6 + s7", learn)
    assert "error = label - prediction" in text
    assert "error_2 = prediction - label" in text
    assert "weights_2 = weights_2 + weights_2_gradient" in text


def test_a_register_that_holds_two_values_has_two_names():
    assert {name for (_, _, operand), name in infer_names(programs.linear()).items() if operand == "out"} == {
        "learning_rate",
        "prediction",
        "error",
        "scaled_error",
        "gradient",
        "weights",
    }
