"""Fixed-size caches from a 64-bit key to a fitness, for compiled code: set-associative, least recently used goes.

A set of eight keys is one cache line and its values are another, so a look-up touches two lines. Within a set the
entries are kept in order of use.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from automl_zero.aligned import aligned_zeros
from automl_zero.jit import jit

WAYS = 8


class Cache(NamedTuple):
    """Keys uint64[sets, 8], 0 where empty, and values float64[sets, 8]."""

    keys: npt.NDArray[np.uint64]
    values: npt.NDArray[np.float64]


def new_cache(size: int) -> Cache:
    """An empty cache of at least `size` entries (a power of two of sets)."""
    sets = 1
    while sets * WAYS < size:
        sets *= 2
    return Cache(aligned_zeros((sets, WAYS), np.uint64), aligned_zeros((sets, WAYS)))


@jit
def look_up(cache, key):  # type: ignore[no-untyped-def]
    """The value of a key, or -1.0; a hit becomes the most recently used of its set."""
    row = np.int64(key & np.uint64(cache.keys.shape[0] - 1))
    for way in range(WAYS):
        if cache.keys[row, way] == key:
            value = cache.values[row, way]
            _to_front(cache, row, way, key, value)
            return value
    return -1.0


@jit
def contains(cache, key):  # type: ignore[no-untyped-def]
    """Whether the cache holds a key; the order of use stays."""
    row = np.int64(key & np.uint64(cache.keys.shape[0] - 1))
    for way in range(WAYS):
        if cache.keys[row, way] == key:
            return True
    return False


@jit
def insert(cache, key, value):  # type: ignore[no-untyped-def]
    """Add a key that the cache does not hold; the least recently used entry of its set goes."""
    row = np.int64(key & np.uint64(cache.keys.shape[0] - 1))
    _to_front(cache, row, WAYS - 1, key, value)


@jit
def _to_front(cache, row, way, key, value):  # type: ignore[no-untyped-def]
    for i in range(way, 0, -1):
        cache.keys[row, i] = cache.keys[row, i - 1]
        cache.values[row, i] = cache.values[row, i - 1]
    cache.keys[row, 0] = key
    cache.values[row, 0] = value


class CountedCache(NamedTuple):
    """A cache whose entries are forgotten after some look-ups: the sightings int64[sets, 8] go with the entries."""

    cache: Cache
    sightings: npt.NDArray[np.int64]


def new_counted_cache(size: int) -> CountedCache:
    """An empty cache of at least `size` entries."""
    cache = new_cache(size)
    return CountedCache(cache, aligned_zeros(cache.keys.shape, np.int64))


@jit
def look_up_counted(counted, key, limit):  # type: ignore[no-untyped-def]
    """The value of a key, or -1.0; the look-up that is the `limit`-th one of an entry finds it for the last time."""
    cache, sightings = counted.cache, counted.sightings
    row = np.int64(key & np.uint64(cache.keys.shape[0] - 1))
    for way in range(WAYS):
        if cache.keys[row, way] == key:
            value = cache.values[row, way]
            seen = sightings[row, way] + 1
            for i in range(way, 0, -1):
                sightings[row, i] = sightings[row, i - 1]
            sightings[row, 0] = seen
            _to_front(cache, row, way, key, value)
            if seen >= limit:  # the others move up, so that the free place is the last
                for i in range(WAYS - 1):
                    cache.keys[row, i] = cache.keys[row, i + 1]
                    cache.values[row, i] = cache.values[row, i + 1]
                    sightings[row, i] = sightings[row, i + 1]
                cache.keys[row, WAYS - 1] = 0
            return value
    return -1.0


@jit
def insert_counted(counted, key, value):  # type: ignore[no-untyped-def]
    """Add a key that the cache does not hold."""
    row = np.int64(key & np.uint64(counted.cache.keys.shape[0] - 1))
    for i in range(WAYS - 1, 0, -1):
        counted.sightings[row, i] = counted.sightings[row, i - 1]
    counted.sightings[row, 0] = 0
    _to_front(counted.cache, row, WAYS - 1, key, value)
