"""The caches do what a least-recently-used cache of each set does."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest

from automl_zero.evolution.caches import WAYS, Cache, new_cache
from tests.compiled import contains, insert, look_up


class Model:
    """A set-associative cache, in plain Python."""

    def __init__(self, sets: int) -> None:
        self.sets: list[OrderedDict[int, float]] = [OrderedDict() for _ in range(sets)]

    def of(self, key: int) -> OrderedDict[int, float]:
        return self.sets[key % len(self.sets)]

    def look_up(self, key: int) -> float:
        if key in self.of(key):
            self.of(key).move_to_end(key)
        return self.of(key).get(key, -1.0)

    def insert(self, key: int, value: float) -> None:
        entries = self.of(key)
        if len(entries) == WAYS:
            entries.popitem(last=False)
        entries[key] = value


def key(number: int) -> np.uint64:
    return np.uint64(number)


@pytest.mark.parametrize(("size", "sets"), [(1, 1), (8, 1), (9, 2), (16, 2), (100, 16), (131072, 16384)])
def test_a_cache_has_at_least_the_size_asked_for(size, sets):
    cache = new_cache(size)
    assert cache.keys.shape == cache.values.shape == (sets, WAYS)


@pytest.mark.parametrize("size", [8, 32])
def test_a_long_random_use_is_that_of_the_model(size):
    generator, cache, model = np.random.default_rng(size), new_cache(size), Model(size // WAYS)
    # Keys that share their low bits crowd into a set; half of them have high bits alone in common.
    keys = [*range(1, 30), *(int(n) for n in generator.integers(1, 2**64 - 1, size=20, dtype=np.uint64))]
    hits = 0
    for _ in range(5000):
        chosen = keys[generator.integers(len(keys))]
        held = chosen in model.of(chosen)
        assert contains(cache, key(chosen)) == held
        if generator.random() < 0.2:
            continue  # contains alone does not count as a use
        assert look_up(cache, key(chosen)) == model.look_up(chosen)
        hits += held
        if not held:
            value = float(generator.random())
            insert(cache, key(chosen), value)
            model.insert(chosen, value)
    assert 300 < hits < 3700
    held = {int(k): float(v) for k, v in zip(cache.keys.ravel(), cache.values.ravel(), strict=True) if k}
    assert held == {k: v for entries in model.sets for k, v in entries.items()}
    in_order = [[int(k) for k in row if k] for row in cache.keys]
    assert in_order == [list(reversed(entries)) for entries in model.sets]


def test_the_least_recently_used_entry_goes():
    cache = new_cache(WAYS)
    for number in range(1, WAYS + 1):
        insert(cache, key(number), number / 10)
    assert look_up(cache, key(1)) == 0.1  # 1 is now the most recently used, 2 the least
    assert contains(cache, key(2))
    insert(cache, key(100), 0.9)
    assert [number for number in range(1, WAYS + 1) if not contains(cache, key(number))] == [2]
    assert look_up(cache, key(100)) == 0.9


def test_a_value_of_zero_is_a_hit_and_a_miss_is_negative():
    cache = new_cache(8)
    assert look_up(cache, key(3)) == -1.0
    insert(cache, key(3), 0.0)
    assert look_up(cache, key(3)) == 0.0


def test_keys_of_all_64_bits_are_told_apart():
    cache = new_cache(64)
    keys = [1 << bit for bit in range(64)]
    for number, one in enumerate(keys):
        if one & 7 == 0:
            continue
        insert(cache, key(one), float(number))
    assert isinstance(cache, Cache)
    for number in (0, 1, 2):
        assert look_up(cache, key(keys[number])) == number
    for number in (3, 10, 63):
        assert look_up(cache, key(keys[number])) == -1.0
        insert(cache, key(keys[number]), float(number))
    assert [look_up(cache, key(keys[number])) for number in (3, 10, 63)] == [3.0, 10.0, 63.0]
