"""The functions that exported numpy code may need; the exporter copies those that a program uses."""

from __future__ import annotations

import numpy as np

TRAINING, VALIDATION = 0, 1
SETUP, PREDICT, LEARN = 0, 1, 2


def scalar(a):
    """A number of numpy, which unlike Python's own can be divided by zero."""
    return np.float64(a)


def heaviside(a, at_zero):
    """1 where a > 0, else 0, also for NaN; at_zero where a = 0."""
    return np.where(a > 0, 1.0, np.where(a == 0, at_zero, 0.0))


def minimum(a, b):
    """The second only where it is less: matters for NaN."""
    return np.where(b < a, b, a)


def maximum(a, b):
    """The second only where it is greater: matters for NaN."""
    return np.where(b > a, b, a)


def dot(a, b):
    """Inner product of vectors, or product of a matrix and a vector."""
    return np.sum(a * b, axis=-1)


def outer(a, b):
    return a[:, None] * b


def matmul(a, b):
    return np.sum(a[:, :, None] * b, axis=1)


def transpose(a):
    return a.T.copy()


def broadcast(a, shape, axis=None):
    """A number everywhere, or a vector as every column (axis 0) or every row (axis 1)."""
    return np.full(shape, a[:, None] if axis == 0 else a)


def norm(a, axis=None):
    return np.sqrt(np.sum(a * a, axis=axis))


def mean(a, axis=None):
    return np.sum(a, axis=axis) / (a.size if axis is None else a.shape[axis])


def std(a, axis=None):
    """By the mean of the squares; round-off may make it NaN."""
    return np.sqrt(mean(a * a, axis) - mean(a, axis) * mean(a, axis))


def put(a, place, value):
    """A copy of a with another value at a place."""
    changed = a.copy()
    changed[place] = value
    return changed


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def softmax(a):
    powers = np.exp(a - np.max(a, axis=-1, keepdims=True))
    return powers / np.sum(powers, axis=-1, keepdims=True)


def padded(a, size):
    """A vector with zeros at its end."""
    return np.concatenate([a, np.zeros(size - a.size)])


def one_hot(label, size):
    return np.where(np.arange(size) == label, 1.0, 0.0)


def epoch_order(epoch, num_rows):
    """Rows in the order of an epoch: as they come, then by a permutation for each epoch."""
    if epoch == 0:
        return range(num_rows)
    return np.random.Generator(np.random.Philox(key=[epoch, num_rows])).permutation(num_rows).tolist()


def threefry(key, counter0, counter1):
    """Two random 32-bit words for each counter, by Threefry-2x32-20 (Salmon et al., SC 2011)."""
    rotations = (13, 15, 26, 6, 17, 29, 16, 24)
    words = [np.uint32(word) for word in (*key, key[0] ^ key[1] ^ 0x1BD11BDA)]
    x0 = np.asarray(counter0, np.uint32) + words[0]
    x1 = np.asarray(counter1, np.uint32) + words[1]
    for step in range(20):
        turn = rotations[step % 8]
        x0 = x0 + x1
        x1 = ((x1 << np.uint32(turn)) | (x1 >> np.uint32(32 - turn))) ^ x0
        if step % 4 == 3:
            block = step // 4 + 1
            x0 = x0 + words[block % 3]
            x1 = x1 + words[(block + 1) % 3] + np.uint32(block)
    return x0, x1


class Draws:
    """Random numbers for one run of a component function: a function of the seed and of the place alone."""

    def __init__(self, seed, component, phase=TRAINING, epoch=0, example=0):
        words = threefry((seed & 0xFFFFFFFF, seed >> 32), phase + 4 * component + 16 * epoch, example)
        self.key = tuple(int(word) for word in words)
        self.instruction = 0

    def uniform(self, low, high, shape=()):
        return low + (high - low) * self._units(shape)[0]

    def gaussian(self, center, st_dev, shape=()):
        u0, u1 = self._units(shape)
        return center + st_dev * (np.sqrt(-2.0 * np.log(u0)) * np.cos(2.0 * np.pi * u1))

    def _units(self, shape):
        """Two numbers in (0, 1] for each element, from the 24 highest bits of each word."""
        words = threefry(self.key, self.instruction, np.arange(int(np.prod(shape))))
        self.instruction += 1
        return [((word >> np.uint32(8)).astype(np.float64) + 0.5).reshape(shape) * 2.0**-24 for word in words]
