"""Mutations on the device change programs as often, and in the same ways, as those of the CPU engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from automl_zero.evolution.config import MUTATION_TYPES
from automl_zero.evolution.mutation import make_space
from automl_zero.evolution.on_device.draws import Draws, island_keys
from automl_zero.evolution.on_device.genome import Genome, from_row, packed_of, rows_of, to_row
from automl_zero.evolution.on_device.mutation import (
    FRESH_WORDS,
    MUTATION_WORDS,
    cross,
    mutate,
    random_instructions,
    randomized,
)
from automl_zero.evolution.on_device.plan import Plan
from automl_zero.evolution.random_numbers import new_generator
from automl_zero.ops import TABLE
from automl_zero.program import Instruction, Program
from automl_zero.program_arrays import pack, unpack
from tests import compiled
from tests.mutators import ALL_OPS, LONG, MEMORY, NO_OP, const, make_config
from tests.on_device import plan_of, quick_compilation  # noqa: F401

N = 8000
ALPHA = 1e-5  # there are a few hundred comparisons
Packed = tuple[np.ndarray, np.ndarray, np.ndarray]

DATA = (
    const(0.5),
    Instruction("vector_const_set", out=1, constants=(0.25, 0.5)),
    Instruction("matrix_const_set", out=1, constants=(0.25, 0.75, -0.5)),
    Instruction("scalar_gaussian_set", out=1, constants=(0.5, 0.25)),
    Instruction("vector_uniform_set", out=1, constants=(0.25, 0.5)),
)
OPERANDS = (NO_OP, Instruction("scalar_vector_product", 0, 0, 1), Instruction("matrix_row_norm", 0, out=2), const(0.0))
PROGRAMS = {
    "mixed": Program(MEMORY, OPERANDS, DATA, (Instruction("scalar_sum", 1, 2, 3),)),
    "at the bounds": Program(MEMORY, DATA[:1] * 7, OPERANDS[:2] * 4, ()),
}


def both(
    mode: str, ops: Any = (ALL_OPS, ALL_OPS, ALL_OPS)
) -> tuple[Callable[[Packed], Packed], Callable[[Packed], Packed]]:
    """N children of a packed program, by the CPU engine and on the device."""
    config = make_config(dict.fromkeys(MUTATION_TYPES, 1.0), mode=mode, ops=ops)
    space, plan = make_space(config), plan_of(config)

    def on_cpu(packed: Packed) -> Packed:
        rng, children = new_generator(7), []
        for _ in range(N):
            child = tuple(array.copy() for array in packed)
            compiled.mutate(*child, space, rng)
            children.append(child)
        code, constants, sizes = (np.stack(parts) for parts in zip(*children, strict=True))
        return code, constants, sizes

    def child(number: jax.Array, row: jax.Array) -> jax.Array:
        draws = Draws(jnp.asarray(island_keys((7,), 1)[0]), number, FRESH_WORDS * plan.slots + MUTATION_WORDS)
        fresh = random_instructions(draws.words(FRESH_WORDS * plan.slots), plan)
        return to_row(mutate(from_row(row), fresh, draws, plan))

    every = jax.jit(jax.vmap(child, in_axes=(0, None)))

    def on_device(packed: Packed) -> Packed:
        return packed_of(np.asarray(every(jnp.arange(N, dtype=jnp.uint32), jnp.asarray(rows_of(*packed)))))

    return on_cpu, on_device


@pytest.fixture(scope="module", params=["reference", "paper"])
def engines(request: pytest.FixtureRequest) -> tuple[Callable[[Packed], Packed], Callable[[Packed], Packed]]:
    return both(request.param)


def changes(parent: Packed, children: Packed, starts: np.ndarray) -> list[tuple[Any, ...]]:
    """What happened to each child: sizes, and which parts of which instruction, or how many, are others."""
    code, constants, sizes = children
    filled = np.zeros(code.shape[:2], bool)
    for component, start in enumerate(starts):
        end = starts[component + 1] if component < 2 else code.shape[1]
        filled[:, start:end] = np.arange(end - start) < sizes[:, component, None]
    parts = np.concatenate([code != parent[0], constants != parent[1].astype(np.float32)], axis=-1) & filled[..., None]
    found: list[tuple[Any, ...]] = []
    for grown, changed in zip((sizes - parent[2]).tolist(), parts, strict=True):
        slots = np.flatnonzero(changed.any(axis=1))
        if any(grown) or slots.size != 1:  # where it begins tells the place of an insertion or a removal
            found.append((*grown, slots[0] if slots.size else -1, min(slots.size, 3)))
        else:
            found.append((int(slots[0]), *np.flatnonzero(changed[slots[0]]).tolist()))
    return found


def assert_equally_distributed(ours: list[Any], theirs: list[Any]) -> None:
    """By a chi-square test of homogeneity, with what is rare taken together."""
    one, other = Counter(ours), Counter(theirs)
    common = [key for key in one | other if one[key] + other[key] >= 20]
    table = np.array([[counts[key] for key in common] for counts in (one, other)])
    rest = np.array([[counts.total()] for counts in (one, other)]) - table.sum(axis=1, keepdims=True)
    table = np.concatenate([table, rest], axis=1) if rest.sum() >= 20 else table
    if table.shape[1] > 1:
        assert chi2_contingency(table).pvalue > ALPHA


@pytest.mark.parametrize("name", PROGRAMS)
def test_children_differ_from_their_parent_in_the_same_ways(engines, name):
    space = make_space(make_config())
    packed = pack(PROGRAMS[name], space.max_sizes.tolist())
    theirs, ours = (engine(packed) for engine in engines)
    kinds = [changes(packed, children, space.starts) for children in (ours, theirs)]
    assert len(set(kinds[1])) > 40
    assert_equally_distributed(*kinds)


def test_altered_constants_have_the_same_distribution(engines):
    space = make_space(make_config())
    packed = pack(PROGRAMS["mixed"], space.max_sizes.tolist())
    children = [engine(packed) for engine in engines]
    compared = 0
    for slot, instruction in enumerate(DATA, int(space.starts[1])):
        for j in range(len(instruction.constants)):
            values = []
            for code, constants, sizes in children:
                same = (code[:, slot] == packed[0][slot]).all(axis=1) & (sizes == packed[2]).all(axis=1)
                value = constants[same, slot, j]
                values.append(value[value != packed[1][slot, j]])
            assert min(len(value) for value in values) > 12
            compared += 1
            assert ks_2samp(*values).pvalue > ALPHA, (instruction, j)
    assert compared == 10


def test_new_instructions_have_the_same_distribution():
    config = make_config(ops=(ALL_OPS, ALL_OPS[:20], ALL_OPS[50:]))
    space, plan = make_space(config), plan_of(config)
    words = jnp.asarray(np.random.default_rng(3).integers(0, 1 << 32, (2000, FRESH_WORDS * plan.slots), np.uint32))
    code, constants = jax.jit(jax.vmap(lambda words: random_instructions(words, plan)))(words)
    sizes = np.tile(space.max_sizes, (2000, 1))
    ours = packed_of(np.asarray(to_row(Genome(code, constants, jnp.asarray(sizes)))))
    rng, theirs = new_generator(3), (np.zeros((2000, plan.slots, 4), np.uint8), np.zeros((2000, plan.slots, 3)))
    for code, constants in zip(*theirs, strict=True):
        compiled.randomize_algorithm(code, constants, space.max_sizes, space, rng)
    for component in range(3):
        at = plan.component_of == component
        mine, other = ([part[:, at].reshape(-1, part.shape[-1]) for part in parts[:2]] for parts in (ours, theirs))
        assert_equally_distributed(mine[0][:, 0].tolist(), other[0][:, 0].tolist())
        for op in (TABLE[i] for i in np.unique(other[0][:, 0])):
            here = [part[0][:, 0] == op.id for part in (mine, other)]
            for column in range(1, 4):
                pair = [part[0][rows, column].tolist() for part, rows in zip((mine, other), here, strict=True)]
                assert_equally_distributed(*pair)
            for j in range(3):
                pair = [part[1][rows, j] for part, rows in zip((mine, other), here, strict=True)]
                assert ks_2samp(*pair).pvalue > ALPHA, (op.name, j)


def test_every_child_is_a_program_of_the_space(engines):
    space = make_space(make_config())
    for program in PROGRAMS.values():
        code, constants, sizes = engines[1](pack(program, space.max_sizes.tolist()))
        assert (sizes >= 0).all()
        assert (sizes <= space.max_sizes).all()
        for row in range(0, N, 40):
            unpack(MEMORY, code[row], constants[row], sizes[row], space.starts)  # checks every operand


def test_constants_stay_finite_however_often_they_are_scaled():
    plan = plan_of(make_config({"alter_param": 1.0}, ops=((), ALL_OPS, ())))
    program = Program(MEMORY, (), (const(3e38), const(-3e38)), ())
    rows = jnp.tile(jnp.asarray(rows_of(*pack(program, list(plan.max_sizes)))), (500, 1))
    fresh = jnp.zeros(plan.slots, jnp.uint32), jnp.zeros((plan.slots, 3), jnp.float32)

    def child(number: jax.Array, row: jax.Array) -> jax.Array:
        draws = Draws(jnp.zeros(2, jnp.uint32), number, MUTATION_WORDS)
        return to_row(mutate(from_row(row), fresh, draws, plan))

    every = jax.jit(jax.vmap(child))
    for generation in range(5):
        rows = every(500 * generation + jnp.arange(500, dtype=jnp.uint32), rows)
    constants = packed_of(np.asarray(rows))[1]
    assert np.isfinite(constants).all()
    assert (abs(constants) > 3e38).any()


def test_components_without_ops_stay_when_everything_is_drawn_anew_or_crossed():
    plan = plan_of(make_config(ops=(ALL_OPS, (), ALL_OPS)))
    row = jnp.asarray(rows_of(*pack(LONG, list(plan.max_sizes))))
    words = jnp.asarray(np.random.default_rng(3).integers(0, 1 << 32, FRESH_WORDS * plan.slots, np.uint32))
    drawn = randomized(from_row(row), random_instructions(words, plan), plan)
    packed = packed_of(np.asarray(to_row(drawn)))
    new = unpack(MEMORY, *packed, make_space(make_config()).starts)
    assert new.predict == LONG.predict
    assert [len(component) for component in new.components] == [3, 4, 3]
    mate = unpack(MEMORY, *packed_of(np.asarray(to_row(drawn))), make_space(make_config()).starts)
    high, low = np.uint32(1 << 31), np.uint32(0)
    for taken in ((high, high, low), (low, high, high), (low, low, low)):
        crossed = cross(from_row(row), drawn, jnp.asarray(taken), plan)
        child = unpack(MEMORY, *packed_of(np.asarray(to_row(crossed))), make_space(make_config()).starts)
        expected = [mate if word and c != 1 else LONG for c, word in enumerate(taken)]
        assert child.components == tuple(source.components[c] for c, source in enumerate(expected))


def test_a_plan_is_the_same_for_equal_configurations():
    plans: set[Plan] = {plan_of(make_config()), plan_of(make_config())}
    assert len(plans) == 1
