"""Hurdles on the device (paper, Section 3.2); the compiled twin of evolution/hurdles.py, for one island and stage."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Records(NamedTuple):
    """The fitnesses of short evaluations, of which the last W unique ones are kept.

    Attributes:
        arrivals: float32[..., W], a ring in order of arrival.
        ranked: float32[..., W], the same in ascending order, filled up with infinity.
        counts: int32[...], how many there are.
        oldest: int32[...], where the oldest is in the ring.
    """

    arrivals: Any
    ranked: Any
    counts: Any
    oldest: Any


def new_records(islands: int, stages: int, window: int) -> Records:
    """Empty records of every stage of every island, on the host."""
    shape = (islands, stages, window)
    return Records(
        arrivals=np.zeros(shape, np.float32),
        ranked=np.full(shape, np.inf, np.float32),
        counts=np.zeros(shape[:2], np.int32),
        oldest=np.zeros(shape[:2], np.int32),
    )


def clears(record: Records, fitness: jax.Array, percentile: float, enters: jax.Array) -> tuple[jax.Array, Records]:
    """Whether a fitness reaches the percentile of the record before it; then enter it into the record if it is new.

    Args:
        record: of one stage of one island.
        fitness: the fitness.
        percentile: which to reach: of n fitnesses, the one of rank floor(percentile n / 100) from below, from 0.
        enters: bool; without it the record stays.
    """
    window = record.ranked.shape[0]
    count = record.counts
    rank = jnp.minimum((np.float32(percentile) * count / np.float32(100)).astype(jnp.int32), count - 1)
    cleared = (count < window // 4) | (fitness >= record.ranked[rank])
    enters &= ~(record.ranked == fitness).any()
    full = count == window
    at_ring = jnp.where(full, record.oldest, count)
    place = np.arange(window)
    # A place takes what has its rank after the oldest has gone and the new one has come.
    gone = jnp.where(full, (record.ranked < record.arrivals[at_ring % window]).sum(dtype=jnp.int32), window)
    at = (record.ranked < fitness).sum(dtype=jnp.int32)
    at = at - (gone < at)
    source = place - (place > at)
    shift = source + (source >= gone) - place
    ranked = jnp.where(
        shift == 0,
        record.ranked,
        jnp.where(shift < 0, jnp.roll(record.ranked, 1), jnp.roll(record.ranked, -1).at[-1].set(jnp.inf)),
    )
    return cleared, Records(
        jnp.where(enters & (place == at_ring), fitness, record.arrivals),
        jnp.where(enters, jnp.where(place == at, fitness, ranked), record.ranked),
        jnp.where(enters & ~full, count + 1, count),
        jnp.where(enters & full, (record.oldest + 1) % window, record.oldest),
    )
