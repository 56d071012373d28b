"""Random draws of the stand-in, one element at a time: the package's Threefry-2x32-20 (interpreters/threefry.py)."""

from __future__ import annotations

import numpy as np

from benchmarks.compiled import jit

_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
_PARITY = np.uint32(0x1BD11BDA)
_GROUPS = 5  # of four rounds


@jit
def _threefry(key0, key1, counter0, counter1):
    keys = (key0, key1, np.uint32(key0 ^ key1 ^ _PARITY))
    x0, x1 = np.uint32(counter0 + key0), np.uint32(counter1 + key1)
    for group in range(_GROUPS):
        for step in range(4):
            bits = np.uint32(_ROTATIONS[4 * (group % 2) + step])
            x0 = np.uint32(x0 + x1)
            x1 = np.uint32(np.uint32(x1 << bits) | np.uint32(x1 >> np.uint32(32 - bits))) ^ x0
        x0 = np.uint32(x0 + keys[(group + 1) % 3])
        x1 = np.uint32(x1 + keys[(group + 2) % 3] + np.uint32(group + 1))
    return x0, x1


@jit
def _unit(word):
    return ((word >> np.uint32(8)) + 0.5) * 2.0**-24


@jit
def _words(place, ordinal, element):
    seed, stream, example = place
    low, high = np.uint32(seed & np.uint64(0xFFFFFFFF)), np.uint32(seed >> np.uint64(32))
    key0, key1 = _threefry(low, high, np.uint32(stream), np.uint32(example))
    return _threefry(key0, key1, np.uint32(ordinal), np.uint32(element))


@jit
def uniform(place, ordinal, element, low, high):
    """A draw for an element; place is (task seed, stream, example)."""
    word, _ = _words(place, ordinal, element)
    return low + (high - low) * _unit(word)


@jit
def gaussian(place, ordinal, element, mean, st_dev):
    """The same, by the Box-Muller transform."""
    word0, word1 = _words(place, ordinal, element)
    return mean + st_dev * (np.sqrt(-2.0 * np.log(_unit(word0))) * np.cos(2.0 * np.pi * _unit(word1)))
