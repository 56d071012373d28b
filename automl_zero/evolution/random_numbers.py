"""The search's random numbers: xoshiro256++ (Blackman and Vigna 2019), one generator an island, for compiled code."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from automl_zero.aligned import aligned_zeros
from automl_zero.jit import jit

Generator = npt.NDArray[np.uint64]


def new_generator(*key: int) -> Generator:
    """State of a generator, uint64[4], for a key of non-negative integers."""
    state = aligned_zeros(4, np.uint64)
    state[:] = np.random.SeedSequence(key).generate_state(4, np.uint64)
    return state


@jit
def next_bits(state):  # type: ignore[no-untyped-def]
    """64 random bits."""
    total = state[0] + state[3]
    result = ((total << np.uint64(23)) | (total >> np.uint64(41))) + state[0]
    shifted = state[1] << np.uint64(17)
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = (state[3] << np.uint64(45)) | (state[3] >> np.uint64(19))
    return result


@jit
def below(state, bound):  # type: ignore[no-untyped-def]
    """An integer in 0..bound-1, for bounds far below 2^32."""
    return np.int64(((next_bits(state) >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


@jit
def unit(state):  # type: ignore[no-untyped-def]
    """A double in [0, 1)."""
    return np.float64(next_bits(state) >> np.uint64(11)) * 2.0**-53


@jit
def between(state, low, high):  # type: ignore[no-untyped-def]
    """A double from U(low, high)."""
    return low + (high - low) * unit(state)


@jit
def normal(state):  # type: ignore[no-untyped-def]
    """A draw from N(0, 1), by Box and Muller."""
    radius = math.sqrt(-2.0 * math.log(1.0 - unit(state)))
    return radius * math.cos(2.0 * math.pi * unit(state))
