"""The caches do what a least-recently-used cache of each set does."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest

from automl_zero.evolution.caches import WAYS, Cache, CountedCache, new_cache, new_counted_cache
from tests.compiled import contains, insert, insert_counted, look_up, look_up_counted


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


# -- entries that are forgotten --------------------------------------------------------------------------------------


class CountedModel:
    """A cache whose entries are forgotten at the limit-th look-up, in plain Python."""

    def __init__(self, sets: int, limit: int) -> None:
        self.limit, self.values, self.seen = limit, Model(sets), dict[int, int]()

    def look_up(self, key: int) -> float:
        value = self.values.look_up(key)
        if value >= 0.0:
            self.seen[key] += 1
            if self.seen[key] >= self.limit:
                del self.values.of(key)[key]
        return value

    def insert(self, key: int, value: float) -> None:
        self.values.insert(key, value)
        self.seen[key] = 0


def held_in_order(counted: CountedCache) -> list[list[tuple[int, float, int]]]:
    """Key, value and look-ups of the entries of each set, the most recently used first; empty places are the last."""
    entries = []
    for keys, *others in zip(counted.cache.keys, counted.cache.values, counted.sightings, strict=True):
        used = int(np.count_nonzero(keys))
        assert keys[:used].all()
        entries.append([(int(k), float(v), int(n)) for k, v, n in zip(keys[:used], *others, strict=False)])
    return entries


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_an_entry_is_found_as_often_as_the_limit_says_and_then_forgotten(limit):
    counted = new_counted_cache(8)
    for _ in range(2):
        insert_counted(counted, key(3), 0.7)
        assert [look_up_counted(counted, key(3), limit) for _ in range(limit + 2)] == [0.7] * limit + [-1.0] * 2


def test_look_ups_of_other_entries_and_misses_do_not_count():
    counted = new_counted_cache(8)
    for number in (1, 2, 3):
        insert_counted(counted, key(number), number / 10)
    for _ in range(2):
        assert look_up_counted(counted, key(2), 3) == 0.2
        assert look_up_counted(counted, key(9), 3) == -1.0
    assert look_up_counted(counted, key(1), 3) == 0.1
    assert look_up_counted(counted, key(2), 3) == 0.2
    assert look_up_counted(counted, key(2), 3) == -1.0
    assert held_in_order(counted) == [[(1, 0.1, 1), (3, 0.3, 0)]]


def test_a_place_that_was_freed_is_taken_before_an_entry_goes():
    counted = new_counted_cache(WAYS)
    for number in range(1, WAYS + 1):
        insert_counted(counted, key(number), number / 10)
    look_up_counted(counted, key(5), 1)
    insert_counted(counted, key(100), 0.9)
    assert [entry[0] for entry in held_in_order(counted)[0]] == [100, 8, 7, 6, 4, 3, 2, 1]
    insert_counted(counted, key(101), 0.95)
    assert [entry[0] for entry in held_in_order(counted)[0]] == [101, 100, 8, 7, 6, 4, 3, 2]


@pytest.mark.parametrize("size", [8, 32])
@pytest.mark.parametrize("limit", [1, 3, 20])
def test_a_long_random_use_of_entries_that_are_forgotten_is_that_of_the_model(size, limit):
    generator = np.random.default_rng([size, limit])
    counted, model = new_counted_cache(size), CountedModel(size // WAYS, limit)
    keys = [*range(1, 14), *(int(n) for n in generator.integers(1, 2**64 - 1, size=12, dtype=np.uint64))]
    hits = 0
    for _ in range(5000):
        chosen = keys[generator.integers(len(keys))]
        value = look_up_counted(counted, key(chosen), limit)
        assert value == model.look_up(chosen)
        hits += value >= 0.0
        if value < 0.0:
            value = float(generator.random())
            insert_counted(counted, key(chosen), value)
            model.insert(chosen, value)
    assert 300 < hits < 4900
    assert held_in_order(counted) == [
        [(key, value, model.seen[key]) for key, value in reversed(entries.items())] for entries in model.values.sets
    ]
