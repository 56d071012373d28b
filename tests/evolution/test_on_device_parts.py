"""The parts of the search on the device: random numbers, tournaments, caches, hurdles and routes of migrants."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from automl_zero.analysis.compiled import new_canonical
from automl_zero.evolution import caches as cpu_caches
from automl_zero.evolution.hurdles import new_record
from automl_zero.evolution.mutation import make_space
from automl_zero.evolution.on_device.caches import WAYS, fingerprints, look_up, new_table, to_front
from automl_zero.evolution.on_device.canonical import canonical_hash
from automl_zero.evolution.on_device.draws import Draws, below, between, island_keys, normal, unit
from automl_zero.evolution.on_device.genome import from_row, rows_of
from automl_zero.evolution.on_device.hurdles import clears, new_records
from automl_zero.evolution.on_device.liveness import live_flags
from automl_zero.evolution.on_device.migration import routes
from automl_zero.evolution.on_device.tournament import tournament
from automl_zero.ops import TABLE
from tests import compiled
from tests.mutators import make_config, near
from tests.on_device import plan_of, quick_compilation  # noqa: F401

WORDS = np.random.default_rng(5).integers(0, 1 << 32, 40_000, np.uint32)


# -- random numbers --------------------------------------------------------------------------------------------------


def test_an_island_s_key_depends_on_the_experiment_and_its_number_alone():
    few, many = island_keys((1, 2), 3), island_keys((1, 2), 50)
    assert (few == many[:3]).all()
    assert len({tuple(key) for key in [*many.tolist(), *island_keys((1, 3), 50).tolist()]}) == 100


def test_an_individual_s_draws_depend_on_its_number_and_on_nothing_before():
    key = jnp.asarray(island_keys((1, 2), 1)[0])
    all_at_once = np.asarray(Draws(key, jnp.uint32(7), 9).words(9))
    draws = Draws(key, jnp.uint32(7), 9)
    assert [int(draws.word()) for _ in range(9)] == all_at_once.tolist()
    assert not set(all_at_once.tolist()) & set(np.asarray(Draws(key, jnp.uint32(8), 9).words(9)).tolist())
    with pytest.raises(ValueError, match="11 words asked for, there are 10"):
        draws.words(2)


def test_integers_are_the_high_half_of_the_product_with_the_bound():
    for bound in (0, 1, 3, 10, 1000, 65535, 65536):
        exact = (WORDS.astype(np.uint64) * np.uint64(bound)) >> np.uint64(32)
        assert (np.asarray(below(jnp.asarray(WORDS), bound)) == exact.astype(np.int32)).all()


def test_numbers_have_the_distributions_that_they_are_named_after():
    words = jnp.asarray(WORDS)
    u = np.asarray(unit(words))
    assert 0 <= u.min() < 0.001
    assert 0.999 < u.max() < 1
    np.testing.assert_allclose(np.quantile(u, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.01)
    np.testing.assert_allclose(
        np.quantile(np.asarray(between(words, -2, 4)), [0.1, 0.5, 0.9]), [-1.4, 1, 3.4], atol=0.06
    )
    z = np.asarray(normal(words[::2], words[1::2]))
    assert np.isfinite(z).all()
    assert abs(z.mean()) < 0.03
    assert abs(z.std() - 1) < 0.02
    np.testing.assert_allclose(np.quantile(z, [0.025, 0.5, 0.975]), [-1.96, 0, 1.96], atol=0.06)


# -- tournaments -----------------------------------------------------------------------------------------------------


def test_the_fittest_of_those_drawn_wins_and_of_equals_the_first_drawn():
    rng = np.random.default_rng(0)
    pick = jax.jit(tournament)
    ties = 0
    for _ in range(300):
        fitness = rng.integers(0, 4, 20).astype(np.float32)
        words = rng.integers(0, 1 << 32, 5, np.uint32)
        drawn = (words.astype(np.uint64) * 20 >> np.uint64(32)).astype(int)
        best = fitness[drawn].max()
        first = next(slot for slot in drawn if fitness[slot] == best)
        ties += len({slot for slot in drawn if fitness[slot] == best}) > 1
        assert int(pick(jnp.asarray(fitness), jnp.asarray(words))) == first
    assert ties > 50


# -- caches ----------------------------------------------------------------------------------------------------------


def test_a_set_forgets_what_was_least_recently_used_as_the_cpu_s_does():
    rng = np.random.default_rng(1)
    theirs = cpu_caches.new_cache(WAYS)
    entries = jnp.asarray(new_table(1, 1)[0, 0])
    find, put = jax.jit(look_up), jax.jit(to_front)
    hits = 0
    for number in range(600):
        key = int(rng.zipf(1.3)) % 40 + 1
        fitness = np.float32(number)
        expected = compiled.look_up(theirs, np.uint64(key))
        if expected < 0:
            compiled.insert(theirs, np.uint64(key), float(fitness))
        words = jnp.asarray([key, key * 3], jnp.uint32)
        hit, way, known = find(entries, words)
        assert bool(hit) == (expected >= 0)
        if hit:
            hits += 1
            assert float(known) == expected
        entries = put(entries, way, words, known if hit else fitness)
    assert 100 < hits < 500


def test_a_key_is_found_by_all_of_its_bits():
    entries = to_front(jnp.asarray(new_table(1, 1)[0, 0]), 7, jnp.asarray([1, 2], jnp.uint32), jnp.float32(0.5))
    assert bool(look_up(entries, jnp.asarray([1, 2], jnp.uint32))[0])
    for other in ([1, 3], [2, 2], [0, 2]):
        assert not bool(look_up(entries, jnp.asarray(other, jnp.uint32))[0])


def test_fingerprints_compare_the_leading_bits_of_predictions():
    rng = np.random.default_rng(2)
    predictions = rng.normal(size=(1, 3, 5)).astype(np.float32)
    kept = 0xFFFFFFFF ^ ((1 << 11) - 1)  # 12 bits of the mantissa
    bits = predictions.view(np.uint32)
    cut = (bits & kept).view(np.float32)
    varied = [(cut.view(np.uint32) | (rng.integers(0, 2048, bits.shape, np.uint32))).view(np.float32) for _ in range(5)]
    same = np.asarray(fingerprints(jnp.asarray(np.concatenate([predictions, cut, *varied])), kept))
    assert (same == same[0]).all()
    others = np.repeat(bits, 15, axis=0)
    for place in range(15):
        others[place].reshape(-1)[place] ^= np.uint32(1 << (11 + place))
    assert (
        len({tuple(key) for key in np.asarray(fingerprints(jnp.asarray(others.view(np.float32)), kept)).tolist()}) == 15
    )


def test_fingerprints_tell_places_apart_and_all_nans_are_one():
    numbers = np.array([[1, 2, 3], [3, 2, 1], [1, 2, np.nan], [1, np.nan, 2]], np.float32)
    keys = np.asarray(fingerprints(jnp.asarray(numbers), 0xFFFFFFFF))
    assert len({tuple(key) for key in keys.tolist()}) == 4
    assert keys.any(axis=1).all()
    payload = np.array([[1, 2, 0]], np.float32)
    payload.view(np.uint32)[0, 2] = 0xFFC00123
    assert (np.asarray(fingerprints(jnp.asarray(payload), 0xFFFFFFFF))[0] == keys[2]).all()


# -- canonical hashes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("C", [0, 3])
def test_programs_have_one_canonical_hash_here_if_and_only_if_they_do_on_the_cpu(C):
    ops = ["scalar_sum", "scalar_min", "vector_sum", "vector_mean", "vector_const_set", "scalar_const_set", "no_op"]
    config = make_config(ops=(ops,) * 3, sizes=(0, 3, 3))
    space, F = make_space(config, C > 0), 2
    plan = replace(plan_of(config), num_classes=C, num_features=F)
    rng, n = np.random.default_rng(0), 3000
    op = rng.choice([TABLE[name].id for name in ops], (n, plan.slots))
    kinds = np.stack([space.ops.inputs[op, 0], space.ops.inputs[op, 1], space.ops.output[op]])
    addresses = np.where(kinds == 0, 0, rng.integers(0, np.maximum(space.registers[kinds], 1)))
    code = np.ascontiguousarray(np.moveaxis(np.concatenate([op[None], addresses]), 0, -1).astype(np.uint8))
    constants = rng.choice([0.25, 0.75, -0.0, 0.0], (n, plan.slots, 3)) * (
        np.arange(3) < space.ops.num_constants[op][..., None]
    )
    constants[..., 0] = np.abs(constants[..., 0])
    sizes, form = rng.integers(0, 4, (n, 3)), new_canonical(plan.slots)
    theirs = [
        int(compiled.canonicalise(*arrays, space.starts, F, C, space.ops, form))
        for arrays in zip(code, constants, sizes, strict=True)
    ]

    @jax.jit
    @jax.vmap
    def hashed(row: jax.Array) -> jax.Array:
        return canonical_hash(from_row(row), live_flags(from_row(row), plan), plan)

    ours = [tuple(key) for key in np.asarray(hashed(jnp.asarray(rows_of(code, constants, sizes)))).tolist()]
    pairs = set(zip(ours, theirs, strict=True))
    assert len(pairs) == len(set(ours)) == len(set(theirs))
    assert 100 < len(pairs) < 0.8 * n
    assert (0, 0) not in ours


# -- hurdles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("percentile", [0.0, 75.0, 100.0])
def test_a_hurdle_is_cleared_as_on_the_cpu(percentile):
    rng, window = np.random.default_rng(3), 12
    theirs = new_record(1, window)
    ours = jax.tree.map(lambda array: jnp.asarray(array[0, 0]), new_records(1, 1, window))
    judge = jax.jit(clears, static_argnums=2)
    outcomes: Counter[bool] = Counter()
    for _ in range(300):
        fitness = np.float32(rng.integers(0, 30) / 32)
        expected = bool(compiled.clears(theirs, 0, float(fitness), percentile))
        cleared, ours = judge(ours, fitness, percentile, True)
        outcomes[expected] += 1
        assert bool(cleared) == expected
        count = int(ours.counts)
        assert (count, int(ours.oldest)) == (theirs.counts[0], theirs.oldest[0])
        assert np.asarray(ours.ranked)[:count].tolist() == theirs.ranked[0, :count].tolist()
        assert np.asarray(ours.arrivals).tolist() == theirs.arrivals[0].tolist()
    assert len(outcomes) == 2


def test_a_record_stays_where_nothing_enters():
    record = jax.tree.map(lambda array: jnp.asarray(array[0, 0]), new_records(1, 1, 8))
    _, after = clears(record, jnp.float32(0.5), 75.0, jnp.bool_(False))
    for before, now in zip(record, after, strict=True):
        assert (np.asarray(before) == np.asarray(now)).all()


# -- migration -------------------------------------------------------------------------------------------------------


def test_in_a_pool_everyone_sent_is_equally_likely_and_no_one_arrives_twice():
    senders: Counter[int] = Counter()
    for seed in range(400):
        chosen = routes(np.random.default_rng(seed), 3, 10, 4, ring=False)
        assert chosen.islands.shape == chosen.slots.shape == (3, 4)
        sent = {(int(i), int(s)) for i, s in zip(chosen.islands.flat, chosen.slots.flat, strict=True)}
        assert all(len({slot for island, slot in sent if island == number}) <= 4 for number in range(3))
        for own in zip(chosen.islands, chosen.slots, strict=True):
            assert len(set(zip(*(part.tolist() for part in own), strict=True))) == 4
        senders.update(chosen.islands[0].tolist())
    assert all(near(senders[number], 1600, 1 / 3) for number in range(3))


def test_in_a_ring_every_island_sends_to_the_next():
    chosen = routes(np.random.default_rng(0), 4, 10, 3, ring=True)
    assert chosen.islands.tolist() == [[3] * 3, [0] * 3, [1] * 3, [2] * 3]
    assert all(len(set(slots)) == 3 and set(slots) <= set(range(10)) for slots in chosen.slots.tolist())
