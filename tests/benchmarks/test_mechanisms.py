"""Mechanisms planted in the two-layer network, and look-alikes."""

from __future__ import annotations

import pytest

from automl_zero import programs
from automl_zero.memory import MemorySpec
from automl_zero.program import Instruction, Program
from benchmarks.mechanisms import MECHANISMS, learning_rate_decay, noise_in_prediction, noisy_relu, rate_from_weights

MEMORY = MemorySpec(10, 16, 4)
NETWORK = programs.neural_net(memory=MEMORY)


def network(
    setup: tuple[Instruction, ...] = (),
    predict: tuple[Instruction, ...] = (),
    learn: tuple[Instruction, ...] = (),
    at: int = 0,
) -> Program:
    """The two-layer network with more instructions: at the end of Setup, at a place of Predict, first in Learn."""
    before, after = NETWORK.predict[:at], NETWORK.predict[at:]
    return Program(MEMORY, (*NETWORK.setup, *setup), (*before, *predict, *after), (*learn, *NETWORK.learn))


def uniform(register: int) -> Instruction:
    return Instruction("vector_uniform_set", out=register, constants=(0.0, 0.5))


def test_the_network_itself_has_none_of_them():
    assert not any(found(NETWORK, False) for found in MECHANISMS.values())


@pytest.mark.parametrize(
    "program",
    [
        network(predict=(uniform(5),), at=2),  # v4 = max(v3, noise)
        network(learn=(uniform(5),)),  # the same, with noise from the example before
        network(predict=(uniform(9), Instruction("vector_sum", 3, 9, 3)), at=2),  # added to what is rectified
        network(predict=(uniform(9), Instruction("vector_product", 4, 9, 4)), at=3),  # multiplied with the output
    ],
)
def test_a_noisy_relu_is_recognised(program):
    assert noisy_relu(program)
    assert noise_in_prediction(program)
    assert not learning_rate_decay(program)


@pytest.mark.parametrize(
    "program",
    [
        network(setup=(uniform(5),)),  # drawn once: a random threshold, but no noise
        network(predict=(uniform(9),)),  # never read
        network(learn=(uniform(9), Instruction("vector_sum", 2, 9, 2))),  # random steps of the weights
    ],
)
def test_random_draws_that_are_no_noise_in_the_prediction_are_not(program):
    assert not noisy_relu(program)
    assert not noise_in_prediction(program)


def test_noise_far_from_the_maximum_is_noise_in_the_prediction_only():
    noise = (Instruction("scalar_gaussian_set", out=5, constants=(0.0, 0.1)), Instruction("scalar_sum", 1, 5, 1))
    program = network(predict=noise, at=5)
    assert noise_in_prediction(program)
    assert not noisy_relu(program)


@pytest.mark.parametrize(
    "learn",
    [
        (Instruction("scalar_arctan", 3, out=3),),  # the paper's
        (Instruction("scalar_product", 3, 5, 3),),  # by a constant factor
        (Instruction("scalar_sin", 3, out=3),),
    ],
)
def test_a_learning_rate_that_shrinks_is_recognised(learn):
    factor = Instruction("scalar_const_set", out=5, constants=(0.99,))
    assert learning_rate_decay(network(setup=(factor,), learn=learn))


@pytest.mark.parametrize(
    "learn",
    [
        (Instruction("scalar_product", 3, 5, 6),),  # of a register that nothing reads
        (Instruction("scalar_arctan", 3, out=6), Instruction("scalar_arctan", 3, out=6)),
        (Instruction("scalar_sum", 3, 5, 3),),  # grows
    ],
)
def test_look_alikes_of_a_learning_rate_that_shrinks_are_not(learn):
    factor = Instruction("scalar_const_set", out=5, constants=(0.99,))
    assert not learning_rate_decay(network(setup=(factor,), learn=learn))


def softmax_network(*learn: Instruction) -> Program:
    found = programs.softmax_net(memory=MEMORY)
    return Program(MEMORY, found.setup, found.predict, (*learn, *found.learn))


def test_a_rate_from_the_weights_is_recognised_in_a_network_of_ten_classes():
    mean = Instruction("matrix_mean", 1, out=2)
    program = softmax_network(mean, Instruction("scalar_abs", 2, out=2), Instruction("scalar_sin", 2, out=2))
    assert rate_from_weights(program, True)
    assert not learning_rate_decay(program, True)


def test_look_alikes_of_a_rate_from_the_weights_are_not():
    assert not rate_from_weights(softmax_network(), True)
    assert not rate_from_weights(softmax_network(Instruction("matrix_mean", 1, out=3)), True)  # nothing reads it
    of_features = (Instruction("vector_mean", 0, out=2), Instruction("scalar_abs", 2, out=2))
    assert not rate_from_weights(softmax_network(*of_features), True)
