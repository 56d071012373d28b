"""The functions that exported JAX code may need; the exporter copies those that a program uses."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

TRAINING, VALIDATION = 0, 1
SETUP, PREDICT, LEARN = 0, 1, 2


def scalar(a):
    return jnp.asarray(a, dtype=float)


def heaviside(a, at_zero):
    """1 where a > 0, else 0, also for NaN; at_zero where a = 0."""
    return jnp.where(a > 0, 1.0, jnp.where(a == 0, at_zero, 0.0))


def minimum(a, b):
    """The second only where it is less: matters for NaN."""
    return jnp.where(b < a, b, a)


def maximum(a, b):
    """The second only where it is greater: matters for NaN."""
    return jnp.where(b > a, b, a)


def dot(a, b):
    """Inner product of vectors, or product of a matrix and a vector."""
    return jnp.sum(a * b, axis=-1)


def outer(a, b):
    return a[:, None] * b


def matmul(a, b):
    return jnp.sum(a[:, :, None] * b, axis=1)


def transpose(a):
    return a.T


def broadcast(a, shape, axis=None):
    """A number everywhere, or a vector as every column (axis 0) or every row (axis 1)."""
    return jnp.broadcast_to(a[:, None] if axis == 0 else a, shape)


def norm(a, axis=None):
    return jnp.sqrt(jnp.sum(a * a, axis=axis))


def mean(a, axis=None):
    return jnp.sum(a, axis=axis) / (a.size if axis is None else a.shape[axis])


def std(a, axis=None):
    """By the mean of the squares; round-off may make it NaN."""
    return jnp.sqrt(mean(a * a, axis) - mean(a, axis) * mean(a, axis))


def put(a, place, value):
    """A copy of a with another value at a place."""
    return a.at[place].set(value)


def sigmoid(a):
    return 1.0 / (1.0 + jnp.exp(-a))


def softmax(a):
    powers = jnp.exp(a - jnp.max(a, axis=-1, keepdims=True))
    return powers / jnp.sum(powers, axis=-1, keepdims=True)


def padded(a, size):
    """A vector with zeros at its end."""
    return jnp.concatenate([a, jnp.zeros(size - a.size)])


def one_hot(label, size):
    return jnp.where(jnp.arange(size) == label, 1.0, 0.0)


def epoch_orders(epochs, num_rows):
    """Rows in the order of each epoch, [epochs, rows]: as they come, then by a permutation for each epoch."""
    orders = [np.arange(num_rows)]
    for epoch in range(1, epochs):
        orders.append(np.random.Generator(np.random.Philox(key=[epoch, num_rows])).permutation(num_rows))
    return jnp.asarray(np.stack(orders), dtype=jnp.int32)


def seed_words(seed):
    """The two 32-bit words of a seed below 2**64."""
    return jnp.asarray([seed & 0xFFFFFFFF, seed >> 32], dtype=jnp.uint32)


def threefry(key, counter0, counter1):
    """Two random 32-bit words for each counter, by Threefry-2x32-20 (Salmon et al., SC 2011)."""
    rotations = (13, 15, 26, 6, 17, 29, 16, 24)
    words = (key[0], key[1], key[0] ^ key[1] ^ jnp.uint32(0x1BD11BDA))
    x0 = jnp.asarray(counter0, jnp.uint32) + words[0]
    x1 = jnp.asarray(counter1, jnp.uint32) + words[1]
    for step in range(20):
        turn = rotations[step % 8]
        x0 = x0 + x1
        x1 = ((x1 << turn) | (x1 >> (32 - turn))) ^ x0
        if step % 4 == 3:
            block = step // 4 + 1
            x0 = x0 + words[block % 3]
            x1 = x1 + words[(block + 1) % 3] + jnp.uint32(block)
    return x0, x1


class Draws:
    """Random numbers for one run of a component function: a function of the seed and of the place alone."""

    def __init__(self, words, component, phase=TRAINING, epoch=0, example=0):
        self.key = threefry(words, phase + 4 * component + 16 * epoch, example)
        self.instruction = 0

    def uniform(self, low, high, shape=()):
        return low + (high - low) * self._units(shape)[0]

    def gaussian(self, center, st_dev, shape=()):
        u0, u1 = self._units(shape)
        return center + st_dev * (jnp.sqrt(-2.0 * jnp.log(u0)) * jnp.cos(2.0 * jnp.pi * u1))

    def _units(self, shape):
        """Two numbers in (0, 1] for each element, from the 24 highest bits of each word."""
        words = threefry(self.key, self.instruction, jnp.arange(int(np.prod(shape))))
        self.instruction += 1
        return [((word >> 8).astype(float) + 0.5).reshape(shape) * 2.0**-24 for word in words]


def choose(condition, yes, no):
    """One of two memories."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)
