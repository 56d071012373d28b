"""Random numbers of programs: counter-based draws that are the same on every backend.

The generator is Threefry-2x32-20 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the
Random123 library): a function of a key and a counter, without state, made of 32-bit additions, rotations and xors.
A draw depends on its place alone (task, phase, epoch, example, component, instruction, element), so neither the
order of evaluation nor the number of threads matters.

Keys are derived in two stages, so that a compiled interpreter does the first one once per component run:

    subkey = threefry(key=(low word, high word of the task's seed),
                      counter=(phase + 4 * component + 16 * epoch, example))
    words  = threefry(key=subkey, counter=(ordinal, element))
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]
Key = tuple[int, int]

TRAINING, VALIDATION = 0, 1  #: phases; Setup belongs to training

_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
_PARITY = 0x1BD11BDA
_NUM_ROUNDS = 20
_WORD = 0xFFFFFFFF


class Place(NamedTuple):
    """Where in an evaluation a component runs: what its draws depend on besides the task's seed.

    ``phase`` is :data:`TRAINING` or :data:`VALIDATION`; ``component`` 0, 1, 2 for Setup, Predict, Learn; ``epoch``
    counts from 0; ``example`` is the row of the example in its own set, whatever the order of training.
    """

    phase: int = TRAINING
    component: int = 0
    epoch: int = 0
    example: int = 0


def threefry2x32(key: Key, counter0: npt.ArrayLike, counter1: npt.ArrayLike) -> tuple[Words, Words]:
    """Two random words for each counter.

    Args:
        key: two 32-bit words.
        counter0: first words of the counters, integers below 2**32.
        counter1: second words; the two broadcast against each other.

    Returns:
        Two uint32 arrays of the shape of the counters.
    """
    schedule = [np.uint32(word) for word in (*key, key[0] ^ key[1] ^ _PARITY)]
    with np.errstate(over="ignore"):  # additions are modulo 2**32
        x0 = np.asarray(counter0, dtype=np.uint32) + schedule[0]
        x1 = np.asarray(counter1, dtype=np.uint32) + schedule[1]
        x0, x1 = np.broadcast_arrays(x0, x1)
        for index in range(_NUM_ROUNDS):
            rotation = _ROTATIONS[index % 8]
            x0 = x0 + x1
            x1 = ((x1 << np.uint32(rotation)) | (x1 >> np.uint32(32 - rotation))) ^ x0
            if index % 4 == 3:
                injection = index // 4 + 1
                x0 = x0 + schedule[injection % 3]
                x1 = x1 + schedule[(injection + 1) % 3] + np.uint32(injection)
    return x0, x1


def subkey(seed: int, place: Place) -> Key:
    """Key of the draws of one run of a component, for the task with the given 64-bit seed."""
    stream = (place.phase + 4 * place.component + 16 * place.epoch) & _WORD
    x0, x1 = threefry2x32((int(seed) & _WORD, int(seed) >> 32), stream, place.example)
    return int(x0), int(x1)


def uniform(key: Key, ordinal: int, size: int, low: float, high: float, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Draws between two bounds, which need not be ordered.

    Args:
        key: key of the component run, see :func:`subkey`.
        ordinal: number of the instruction among the live random instructions of its component.
        size: number of elements, row-major.
        low: first bound.
        high: second bound.
        dtype: float32 or float64, in which the draws are computed.

    Returns:
        An array [size].
    """
    number: Any = np.dtype(dtype).type
    u, _ = _unit_draws(key, ordinal, size, number)
    drawn: npt.NDArray[Any] = number(low) + (number(high) - number(low)) * u
    return drawn


def gaussian(key: Key, ordinal: int, size: int, mean: float, st_dev: float, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Normal draws by the Box-Muller transform; arguments as for :func:`uniform`."""
    number: Any = np.dtype(dtype).type
    u0, u1 = _unit_draws(key, ordinal, size, number)
    standard = np.sqrt(number(-2.0) * np.log(u0)) * np.cos(number(2.0 * np.pi) * u1)
    drawn: npt.NDArray[Any] = number(mean) + number(st_dev) * standard
    return drawn


def _unit_draws(key: Key, ordinal: int, size: int, number: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Two numbers in (0, 1] for each element, from the 24 highest bits of each word."""
    x0, x1 = threefry2x32(key, ordinal, np.arange(size))
    u0, u1 = (((x >> np.uint32(8)).astype(number) + number(0.5)) * number(2.0**-24) for x in (x0, x1))
    return u0, u1
