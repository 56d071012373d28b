"""Hurdles: short evaluations that a program has to pass before the full one (paper, Section 3.2), for compiled code.

A stage keeps the last unique fitnesses seen there twice: in order of arrival, to know the oldest, and sorted, to read
off a percentile.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from automl_zero.aligned import aligned_zeros
from automl_zero.jit import jit


class HurdleRecord(NamedTuple):
    """The fitnesses that an island's programs had at each of k stages, of which the last W unique ones are kept.

    Attributes:
        arrivals: float64[k, W], a ring in order of arrival.
        ranked: float64[k, W], the same in ascending order.
        counts: int64[k], how many there are.
        oldest: int64[k], where the oldest is in the ring.
    """

    arrivals: npt.NDArray[np.float64]
    ranked: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    oldest: npt.NDArray[np.int64]


def new_record(stages: int, window: int) -> HurdleRecord:
    """An empty record."""
    rows = max(stages, 1)  # compiled code wants an array even where there is nothing to record
    return HurdleRecord(
        aligned_zeros((rows, window)),
        aligned_zeros((rows, window)),
        aligned_zeros(rows, np.int64),
        aligned_zeros(rows, np.int64),
    )


@jit
def _position(ranked, count, fitness):  # type: ignore[no-untyped-def]
    """Index of the first of `count` ranked fitnesses that is not below `fitness`."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if ranked[middle] < fitness:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def clears(record, stage, fitness, percentile):  # type: ignore[no-untyped-def]
    """Whether a fitness reaches the percentile of the record before it; then enter it into the record if it is new.

    The percentile p of n fitnesses is the one of rank floor(p n / 100) from below, counted from 0.
    """
    window = record.ranked.shape[1]
    ranked, arrivals = record.ranked[stage], record.arrivals[stage]
    count = record.counts[stage]
    cleared = True
    if count >= window // 4:
        rank = min(np.int64(percentile * count / 100.0), count - 1)
        cleared = fitness >= ranked[rank]
    at = _position(ranked, count, fitness)
    if at < count and ranked[at] == fitness:
        return cleared
    if count == window:
        oldest = record.oldest[stage]
        gone = _position(ranked, count, arrivals[oldest])
        for i in range(gone, count - 1):
            ranked[i] = ranked[i + 1]
        if gone < at:
            at -= 1
        count -= 1
        arrivals[oldest] = fitness
        record.oldest[stage] = oldest + 1 if oldest + 1 < window else 0
    else:
        arrivals[count] = fitness
        record.counts[stage] = count + 1
    for i in range(count, at, -1):
        ranked[i] = ranked[i - 1]
    ranked[at] = fitness
    return cleared
