"""Planted examples of every motif, and look-alikes that are none."""

from __future__ import annotations

from automl_zero import programs
from automl_zero.program import Program
from tests.explain.written import written

RATE = "s2 = scalar_const_set 0.1"
DOT = "s1 = vector_inner_product v1 v0"
STEP = """s3 = scalar_diff s0 s1
s3 = scalar_product s3 s2
v2 = scalar_vector_product s3 v0
v1 = vector_sum v1 v2"""
ADD = "v2 = scalar_vector_product s3 v0\nv1 = vector_sum v1 v2"
GRADIENT = "s3 = scalar_diff s0 s1\nv2 = scalar_vector_product s3 v0\n"  # without a rate, and not added yet
MATRIX_STEP = """s3 = scalar_diff s0 s1
s3 = scalar_product s3 s2
v9 = scalar_vector_product s3 v0
m1 = vector_outer_product v0 v9
m0 = matrix_sum m0 m1"""
# The error, scaled, meets the features in the Predict after.
LATE = written(
    "s2 = scalar_const_set 0.01",
    f"{DOT}\nv2 = scalar_vector_product s3 v2",
    "s4 = scalar_diff s0 s1\ns3 = scalar_product s2 s4\nv1 = vector_sum v1 v2\nv2 = vector_sum v0 v0",
)


def linear_with(learn: str, predict: str = DOT, setup: str = RATE) -> Program:
    return written(setup, predict, learn)


PLANTED: dict[str, list[Program]] = {
    "inner_product_model": [
        programs.linear(),
        programs.neural_net(),
        linear_with(STEP, "s1 = vector_inner_product v0 v1"),  # the other order
        linear_with(STEP, "v3 = vector_abs v0\ns1 = vector_inner_product v3 v1\ns1 = scalar_sum s1 s4"),
    ],
    "linear_layer": [
        programs.neural_net(),
        linear_with(MATRIX_STEP, "v1 = matrix_vector_product m0 v0\ns1 = vector_mean v1"),
    ],
    "bilinear_form": [
        linear_with(MATRIX_STEP, "v1 = matrix_vector_product m0 v0\ns1 = vector_inner_product v0 v1"),
        linear_with(
            MATRIX_STEP, "v3 = vector_abs v0\nv1 = matrix_vector_product m0 v3\ns1 = vector_inner_product v1 v0"
        ),
        linear_with(
            MATRIX_STEP,
            "m3 = matrix_transpose m0\nv1 = matrix_vector_product m3 v0\nv1 = vector_max v1 v1\n"
            "s1 = vector_inner_product v0 v1",
        ),
    ],
    "relu": [
        programs.neural_net(),
        linear_with(STEP, "v3 = vector_max v9 v0\ns1 = vector_inner_product v1 v3"),
        linear_with(STEP, "v3 = vector_heaviside v0\nv3 = vector_product v0 v3\ns1 = vector_inner_product v1 v3"),
        linear_with(STEP, f"{DOT}\ns1 = scalar_max s0 s1"),  # s0 is zero in Predict
        linear_with(
            STEP, "v3 = vector_max v0 v4\ns1 = vector_inner_product v1 v3", f"{RATE}\nv4 = scalar_broadcast s9"
        ),
    ],
    "relu_gradient": [
        programs.neural_net(),
        linear_with(
            "s3 = scalar_diff s0 s1\nv5 = vector_heaviside v4\nv6 = scalar_vector_product s3 v0\n"
            "v6 = vector_product v6 v5\nv1 = vector_sum v6 v1",
            "v3 = vector_sum v1 v0\nv4 = vector_max v3 v9\ns1 = vector_mean v4",  # of the output, which is as good
        ),
    ],
    "gradient_step": [
        programs.linear(),
        programs.neural_net(),
        linear_with(STEP.replace("s0 s1", "s1 s0").replace("sum v1 v2", "diff v1 v2")),  # descends all the same
        linear_with(STEP, setup="s2 = scalar_const_set 0.5\ns4 = scalar_const_set 0.2\ns2 = scalar_product s2 s4"),
        linear_with(STEP.replace("s0 s1", "s1 s0"), setup="s2 = scalar_const_set -0.1"),
        linear_with(f"s1 = vector_inner_product v0 v1\n{STEP}"),  # the prediction computed again
        linear_with(  # one example late
            "v1 = vector_sum v2 v1\ns3 = scalar_diff s0 s1\ns3 = scalar_product s2 s3\nv2 = scalar_vector_product s3 v0"
        ),
        LATE,
        linear_with(  # rate * label - rate * prediction
            "s3 = scalar_product s0 s2\ns4 = scalar_product s1 s2\ns3 = scalar_diff s3 s4\n" + ADD
        ),
        linear_with(  # label + (-1) * prediction
            f"s4 = scalar_product s1 s5\ns3 = scalar_sum s0 s4\n{ADD}",
            setup="s5 = scalar_const_set -1.0",
        ),
        linear_with(
            STEP.replace("s0 s1", "s0 s4").replace("s3 =", "s4 = scalar_heaviside s1\ns3 =", 1)
        ),  # a perceptron
        linear_with(
            "s3 = scalar_diff s0 s1\ns3 = scalar_arctan s3\nv2 = scalar_vector_product s3 v0\nv1 = vector_sum v2 v1"
        ),
        linear_with(f"{STEP}\ns4 = scalar_sum s4 s3", f"{DOT}\ns1 = scalar_sum s4 s1"),  # with a bias
        linear_with(  # by way of division
            f"s3 = scalar_diff s0 s1\ns3 = scalar_division s3 s2\n{ADD}"
        ),
    ],
    "normalised_gradient": [
        linear_with(
            f"{GRADIENT}s4 = vector_norm v2\ns5 = scalar_division s2 s4\n"
            "v2 = scalar_vector_product s5 v2\nv1 = vector_sum v1 v2"
        ),
        linear_with(
            f"{GRADIENT}s4 = vector_norm v2\nv3 = scalar_broadcast s4\n"
            "v2 = vector_division v2 v3\nv1 = vector_sum v1 v2"
        ),
        linear_with(  # the norm of the gradient, after a rate has been applied to it
            MATRIX_STEP.replace("m0 = matrix_sum m0 m1", "")
            + "s4 = matrix_norm m1\ns4 = scalar_reciprocal s4\nm1 = scalar_matrix_product s4 m1\n"
            "m2 = matrix_max m1 m1\nm0 = matrix_sum m2 m0",
            "v1 = matrix_vector_product m0 v0\ns1 = vector_inner_product v1 v0",
        ),
        linear_with(  # one example late, gradient and norm alike
            f"v2 = scalar_vector_product s4 v2\nv1 = vector_sum v1 v2\n{GRADIENT}"
            "s4 = vector_norm v2\ns4 = scalar_reciprocal s4"
        ),
    ],
    "weight_averaging": [
        linear_with(f"{STEP}\nv3 = vector_sum v1 v3", "s1 = vector_inner_product v3 v0"),
        linear_with(  # a running average
            f"{STEP}\nv4 = scalar_vector_product s6 v1\nv3 = scalar_vector_product s5 v3\nv3 = vector_sum v4 v3",
            "s1 = vector_inner_product v3 v0",
            f"{RATE}\ns5 = scalar_const_set 0.9\ns6 = scalar_const_set 0.1",
        ),
        linear_with(  # the same, as a step towards the weights
            f"{STEP}\nv4 = vector_diff v1 v3\nv4 = scalar_vector_product s2 v4\nv3 = vector_sum v3 v4",
            "s1 = vector_inner_product v3 v0",
        ),
    ],
    "momentum": [
        linear_with(
            STEP.replace("v1 = vector_sum v1 v2", "")
            + "v3 = scalar_vector_product s5 v3\nv3 = vector_sum v3 v2\nv1 = vector_sum v1 v3",
            setup=f"{RATE}\ns5 = scalar_const_set 0.9",
        ),
    ],
    "noise_injection": [
        linear_with(STEP, "v3 = vector_gaussian_set 0 0.1\nv3 = vector_sum v0 v3\ns1 = vector_inner_product v1 v3"),
        linear_with(STEP, "v3 = vector_uniform_set -1 1\nv3 = vector_max v3 v0\ns1 = vector_inner_product v1 v3"),
        linear_with(f"{STEP}\nv4 = vector_uniform_set -1 1\nv4 = vector_abs v4\nv1 = vector_product v1 v4"),
    ],
    "learning_rate_decay": [
        linear_with(f"{STEP}\ns2 = scalar_product s2 s4", setup=f"{RATE}\ns4 = scalar_const_set 0.999"),
        linear_with(STEP, f"{DOT}\ns2 = scalar_arctan s2"),
        linear_with(f"s4 = scalar_sum s4 s5\ns2 = scalar_reciprocal s4\n{STEP}", setup="s5 = scalar_const_set 1.0"),
    ],
    "rate_from_weights": [
        linear_with(f"s2 = vector_mean v1\ns2 = scalar_abs s2\ns2 = scalar_sin s2\n{STEP}", setup="no_op"),
        linear_with(f"s2 = vector_norm v1\n{STEP}", setup="no_op"),
        linear_with(f"{STEP}\ns2 = vector_norm v1", setup="no_op"),  # of the weights before the last step
        linear_with(  # the norm of weights that are added up in turn
            f"s2 = vector_norm v1\n{STEP}\nv3 = vector_sum v1 v3", "s1 = vector_inner_product v3 v0", "no_op"
        ),
        linear_with(  # weights that multiply themselves
            f"s2 = vector_norm v4\n{STEP}\nv5 = scalar_broadcast s3\nv4 = vector_product v4 v5",
            f"{DOT}\ns5 = vector_inner_product v4 v0\ns1 = scalar_sum s1 s5",
            "v4 = vector_gaussian_set 0 1",
        ),
    ],
}

LOOK_ALIKES: dict[str, list[Program]] = {
    "inner_product_model": [
        linear_with(STEP, "s1 = vector_inner_product v0 v0"),  # no weights
        linear_with("no_op", setup="v1 = vector_gaussian_set 0 1"),  # weights that are never learned
        linear_with("v1 = vector_sum v1 v0"),  # memory, but nothing learned from labels
        linear_with(f"{STEP}", f"s4 = {DOT[5:]}\ns1 = scalar_abs s9"),  # not on the way to the prediction
        linear_with(STEP, "s1 = vector_inner_product v1 v1"),  # no features
        linear_with("s3 = scalar_diff s0 s1\nv1 = scalar_vector_product s3 v0"),  # the last gradient, no sum of them
    ],
    "linear_layer": [
        linear_with("no_op", "v1 = matrix_vector_product m0 v0\ns1 = vector_mean v1", "m0 = matrix_gaussian_set 0 1"),
        linear_with(STEP, "m0 = vector_outer_product v0 v0\nv3 = matrix_vector_product m0 v1\ns1 = vector_mean v3"),
        linear_with(  # the last gradient
            MATRIX_STEP.replace("matrix_sum m0 m1", "matrix_transpose m1"),
            "v1 = matrix_vector_product m0 v0\ns1 = vector_mean v1",
        ),
    ],
    "bilinear_form": [
        programs.neural_net(),  # a learned vector on one side
        linear_with(
            "no_op", "v1 = matrix_vector_product m0 v0\ns1 = vector_inner_product v0 v1", "m0 = matrix_gaussian_set 0 1"
        ),
        linear_with(  # no matrix that is learned
            STEP, "m0 = vector_outer_product v0 v1\nv3 = matrix_vector_product m0 v0\ns1 = vector_inner_product v0 v3"
        ),
        linear_with(  # not linear in one side
            MATRIX_STEP, "v1 = matrix_vector_product m0 v0\nv1 = vector_abs v1\ns1 = vector_inner_product v0 v1"
        ),
        linear_with(  # the last gradient
            MATRIX_STEP.replace("matrix_sum m0 m1", "matrix_transpose m1"),
            "v1 = matrix_vector_product m0 v0\ns1 = vector_inner_product v0 v1",
        ),
    ],
    "relu": [
        linear_with(STEP, "v3 = vector_min v9 v0\ns1 = vector_inner_product v1 v3"),
        linear_with(  # the other operand is learned
            f"{STEP}\nv4 = vector_sum v4 v2", "v3 = vector_max v0 v4\ns1 = vector_inner_product v1 v3"
        ),
        linear_with(STEP, "v3 = vector_max v0 v4\ns1 = vector_inner_product v1 v3", "v4 = vector_const_set 0.5 0.1"),
        linear_with(  # gated by something else
            STEP,
            "v3 = vector_heaviside v0\nv4 = vector_abs v0\nv3 = vector_product v4 v3\ns1 = vector_inner_product v1 v3",
        ),
        linear_with(STEP, "v3 = vector_max v0 v0\ns1 = vector_inner_product v1 v3"),  # a copy
    ],
    "relu_gradient": [
        linear_with(STEP, "v3 = vector_heaviside v0\nv3 = vector_product v0 v3\ns1 = vector_inner_product v1 v3"),
        linear_with(  # a gate without a rectified linear unit
            "s3 = scalar_diff s0 s1\nv5 = vector_heaviside v0\nv6 = scalar_vector_product s3 v0\n"
            "v6 = vector_product v6 v5\nv1 = vector_sum v6 v1"
        ),
        linear_with(  # a gate by another value than the unit's
            "s3 = scalar_diff s0 s1\nv5 = vector_heaviside v0\nv6 = scalar_vector_product s3 v0\n"
            "v6 = vector_product v6 v5\nv1 = vector_sum v6 v1",
            "v3 = vector_sum v1 v0\nv4 = vector_max v3 v9\ns1 = vector_mean v4",
        ),
        linear_with(  # a gate by the unit's output for the example before
            "s3 = scalar_diff s0 s1\nv6 = scalar_vector_product s3 v0\n"
            "v6 = vector_product v6 v5\nv1 = vector_sum v6 v1",
            "v5 = vector_heaviside v4\nv3 = vector_sum v1 v0\nv4 = vector_max v3 v9\ns1 = vector_mean v4",
        ),
    ],
    "gradient_step": [
        linear_with(STEP.replace("sum v1 v2", "diff v1 v2")),  # ascends
        linear_with(STEP.replace("s0 s1", "s1 s0")),  # ascends
        linear_with(STEP, setup="s2 = scalar_const_set -0.1"),  # ascends
        linear_with(STEP, setup="no_op"),  # the rate is zero
        linear_with(STEP.replace("diff s0 s1", "sum s0 s1")),  # no error
        linear_with(STEP.replace("s0 s1", "s0 s5")),  # the label itself
        linear_with(STEP.replace("s3 = scalar_diff s0 s1", "s3 = scalar_diff s0 s4\ns4 = scalar_abs s1")),  # one late
        linear_with(f"{ADD}\ns3 = scalar_diff s0 s1\ns3 = scalar_product s3 s2"),  # the error before, the inputs now
        linear_with(  # the error now, the inputs before
            "s3 = scalar_diff s0 s1\nv2 = scalar_vector_product s3 v3\nv1 = vector_sum v1 v2\nv3 = vector_sum v0 v0"
        ),
        linear_with(f"s3 = scalar_diff s4 s1\n{ADD}\ns4 = scalar_product s0 s5", setup="s5 = scalar_const_set 1.0"),
        linear_with(STEP.replace("sum v1 v2", "sum v2 v2")),  # nothing accumulates
        linear_with(STEP.replace("sum v1 v2", "diff v2 v1")),  # changes its sign with every example
        linear_with(  # the square of the error
            STEP.replace("s3 = scalar_product s3 s2", "s3 = scalar_product s3 s3\ns3 = scalar_product s3 s2").replace(
                "scalar_product s3 s3", "scalar_abs s3"
            )
        ),
        linear_with(  # scaled differently: the label and half of the prediction
            f"s4 = scalar_product s1 s5\ns3 = scalar_diff s0 s4\n{ADD}",
            setup="s5 = scalar_const_set 0.5",
        ),
    ],
    "normalised_gradient": [
        linear_with(  # normalised features
            "s4 = vector_norm v0\ns4 = scalar_reciprocal s4\nv3 = scalar_vector_product s4 v0\n"
            + STEP.replace("s3 v0", "s3 v3")
        ),
        linear_with(  # divided by the norm of the weights
            STEP.replace("s3 = scalar_product s3 s2", "s4 = vector_norm v1\ns3 = scalar_division s3 s4")
        ),
        linear_with(  # multiplied by its norm
            f"{GRADIENT}s4 = vector_norm v2\nv2 = scalar_vector_product s4 v2\nv1 = vector_sum v1 v2"
        ),
        linear_with(  # divided by its mean
            f"{GRADIENT}s4 = vector_mean v2\ns5 = scalar_division s2 s4\n"
            "v2 = scalar_vector_product s5 v2\nv1 = vector_sum v1 v2"
        ),
        linear_with(  # divided by the norm of the gradient before
            f"{GRADIENT}s5 = scalar_division s2 s4\ns4 = vector_norm v2\n"
            "v2 = scalar_vector_product s5 v2\nv1 = vector_sum v1 v2"
        ),
    ],
    "weight_averaging": [
        programs.linear(),  # adds up gradients
        programs.neural_net(),
        linear_with(f"{STEP}\nv3 = vector_sum v0 v3", f"{DOT}\ns4 = vector_mean v3\ns1 = scalar_sum s1 s4"),  # features
        linear_with(f"{STEP}\nv3 = vector_sum v1 v2", "s1 = vector_inner_product v3 v0"),  # the next weights
    ],
    "momentum": [
        programs.linear(),
        linear_with(f"{STEP}\nv3 = vector_sum v1 v3", "s1 = vector_inner_product v3 v0"),  # nothing fades
        linear_with(  # weight decay
            f"v1 = scalar_vector_product s5 v1\n{STEP}", setup=f"{RATE}\ns5 = scalar_const_set 0.9"
        ),
    ],
    "noise_injection": [
        programs.neural_net(),  # draws in Setup
        linear_with(STEP, "v3 = vector_gaussian_set 0 1\ns1 = vector_inner_product v0 v3"),  # a random projection
        linear_with(STEP, "v3 = vector_gaussian_set 0.5 0\nv3 = vector_sum v0 v3\ns1 = vector_inner_product v1 v3"),
        linear_with(STEP, f"v3 = vector_gaussian_set 0 1\nv3 = vector_sum v0 v3\n{DOT}"),  # dead
    ],
    "learning_rate_decay": [
        programs.linear(),
        linear_with(f"{STEP}\ns2 = scalar_product s2 s4", setup=f"{RATE}\ns4 = scalar_const_set 1.001"),  # grows
        linear_with(f"{STEP}\ns2 = scalar_const_set 0.05"),  # another rate from the second example on
        linear_with(f"{STEP}\ns2 = scalar_product s2 s1"),  # changed by data
        linear_with(  # something else decays
            f"{STEP}\ns5 = scalar_product s5 s4",
            f"{DOT}\ns1 = scalar_sum s1 s5",
            f"{RATE}\ns4 = scalar_const_set 0.999\ns5 = scalar_const_set 1.0",
        ),
    ],
    "rate_from_weights": [
        programs.linear(),
        programs.neural_net(),
        linear_with(f"s2 = vector_norm v0\n{STEP}", setup="no_op"),
        LATE,
        linear_with(f"{STEP}\ns2 = scalar_abs s3", setup="no_op"),  # the size of the error before
        linear_with(f"{STEP}\ns4 = vector_norm v2\ns2 = scalar_product s4 s4", setup="no_op"),  # of the step before
        linear_with(  # a running error
            f"s2 = scalar_abs s5\n{STEP}\ns5 = scalar_product s5 s6\ns5 = scalar_sum s5 s3",
            setup="s6 = scalar_const_set 0.9",
        ),
    ],
}
