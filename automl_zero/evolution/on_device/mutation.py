"""Random instructions and mutations of one program, as array programs; the compiled twin of evolution/mutation.py.

Every slot is treated alike, with masks for what is chosen, so that thousands of programs mutate in a few kernels.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from automl_zero.evolution.method import MUTATION_TYPES
from automl_zero.evolution.on_device.draws import Draws, below, between, normal, unit
from automl_zero.evolution.on_device.genome import Fields, Genome, component_sizes, fields, word_of
from automl_zero.evolution.on_device.op_facts import facts_of
from automl_zero.evolution.on_device.plan import Plan
from automl_zero.ops import ConstantKind

_SIGN_FLIP_PROBABILITY = 0.1
_NOWHERE = 1 << 20  # a position that no slot has
_ALTER, _INSTRUCTION, _COMPONENT, _IDENTITY, _ALGORITHM, _INSERT, _REMOVE, _TRADE = range(len(MUTATION_TYPES))

FRESH_WORDS = 7
"""Random words of a random instruction: op, three addresses, three constants."""
MUTATION_WORDS = 11
"""Random words of a mutation, besides those of new instructions."""


def _addresses(words: jax.Array, kind: jax.Array, plan: Plan, is_output: bool) -> jax.Array:
    """Addresses of a type, 0 for absent operands; outputs spare labels and features."""
    first = np.asarray(plan.first_output if is_output else (0, 0, 0, 0), np.int32)
    count = np.maximum(np.asarray(plan.registers, np.int32) - first, 0)
    return jnp.where(kind == 0, 0, jnp.asarray(first)[kind] + below(words, jnp.asarray(count)[kind]))


def _constant(words: jax.Array, kind: jax.Array) -> jax.Array:
    positive = (kind == ConstantKind.INDEX) | (kind == ConstantKind.ST_DEV)
    return jnp.where(positive, unit(words), between(words, -1.0, 1.0))


def random_instructions(words: jax.Array, plan: Plan) -> tuple[jax.Array, jax.Array]:
    """A random instruction for every slot: op uniform over the component's, then addresses, then constants.

    Args:
        words: uint32[FRESH_WORDS * slots].
        plan: the plan.

    Returns:
        uint32[slots] and float32[slots, 3]; no_op in components without ops.
    """
    by_part = words.reshape(FRESH_WORDS, plan.slots)
    counts = np.array([len(ops) for ops in plan.allowed], np.int32)
    table = np.zeros((3, max(1, *counts)), np.int32)
    for row, ops in zip(table, plan.allowed, strict=True):
        row[: len(ops)] = ops
    choice = below(by_part[0], jnp.asarray(counts[plan.component_of]))
    op = jnp.asarray(table)[plan.component_of, choice]
    facts = facts_of(op)
    in1, in2 = (_addresses(by_part[1 + i], facts.inputs[i], plan, False) for i in range(2))
    out = _addresses(by_part[3], facts.output, plan, True)
    constants = [
        jnp.where(j < facts.num_constants, _constant(by_part[4 + j], facts.kinds[j]), np.float32(0)) for j in range(3)
    ]
    return word_of(Fields(op, in1, in2, out)), jnp.stack(constants, axis=-1)


def randomized(genome: Genome, fresh: tuple[jax.Array, jax.Array], plan: Plan) -> Genome:
    """Every instruction drawn anew, and the initial sizes, in every component that has ops to choose from."""
    is_open = np.isin(plan.component_of, plan.open_components)
    open_components = np.isin(np.arange(3), plan.open_components)
    return Genome(
        jnp.where(is_open, fresh[0], genome.code),
        jnp.where(is_open[:, None], fresh[1], genome.constants),
        jnp.where(open_components, np.asarray(plan.initial_sizes, np.int32), genome.sizes),
    )


def cross(genome: Genome, mate: Genome, words: jax.Array, plan: Plan) -> Genome:
    """Take each component function that mutations may change from the mate with probability 1/2.

    Args:
        genome: the program.
        mate: the other parent.
        words: uint32[3].
        plan: the plan.
    """
    taken = (words >> np.uint32(31) == 1) & np.isin(np.arange(3), plan.open_components)
    at = taken[plan.component_of]
    return Genome(
        jnp.where(at, mate.code, genome.code),
        jnp.where(at[:, None], mate.constants, genome.constants),
        jnp.where(taken, mate.sizes, genome.sizes),
    )


def mutate(genome: Genome, fresh: tuple[jax.Array, jax.Array], draws: Draws, plan: Plan) -> Genome:
    """Apply one mutation of a type drawn by the configured weights; an impossible one changes nothing.

    Args:
        genome: the program.
        fresh: a random instruction for every slot.
        draws: yields MUTATION_WORDS words.
        plan: the plan.
    """
    kind = (unit(draws.word()) >= np.asarray(plan.weights[:-1], np.float32)).sum(dtype=jnp.int32)
    open_components = np.asarray(plan.open_components, np.int32)
    component = jnp.asarray(open_components)[below(draws.word(), len(open_components))]
    size = genome.sizes[component]
    grows = (kind == _INSERT) | (kind == _TRADE)
    position = below(draws.word(), size + grows)
    removal = below(draws.word(), size + 1)
    altered_code, altered_constants = _altered(genome, jnp.asarray(plan.starts)[component] + position, draws, plan)

    # The reference never fills the last slot.
    inserts = (kind == _INSERT) & (size < jnp.asarray(plan.max_sizes)[component] - (0 if plan.paper else 1))
    removes = (kind == _REMOVE) & (size > jnp.asarray(plan.min_sizes)[component])
    trades = (kind == _TRADE) & (position != removal)
    inserted = jnp.where(inserts | trades, position, _NOWHERE)
    removed = jnp.where(removes, position, jnp.where(trades, removal, _NOWHERE))

    within = plan.component_of == component
    place = plan.place_of
    filled = place < component_sizes(genome, plan)
    # A slot takes what has its place after an insertion and a removal, both counted before the removal.
    source = place + (place >= removed)
    is_new = within & (source == inserted)
    shift = jnp.where(within, source - (source > inserted) - place, 0)
    is_new |= within & (kind == _INSTRUCTION) & (size > 0) & (place == position)
    is_new |= filled & within & (kind == _COMPONENT)
    is_new |= filled & np.isin(plan.component_of, plan.open_components) & (kind == _ALGORITHM)
    alters = within & (kind == _ALTER) & (size > 0) & (place == position)
    return Genome(
        jnp.where(is_new, fresh[0], jnp.where(alters, altered_code, _shifted(genome.code, shift))),
        jnp.where(
            is_new[:, None],
            fresh[1],
            jnp.where(alters[:, None], altered_constants, _shifted(genome.constants, shift[:, None])),
        ),
        genome.sizes + jnp.where(np.arange(3) == component, inserts.astype(jnp.int32) - removes, 0),
    )


def _shifted(rows: jax.Array, shift: jax.Array) -> jax.Array:
    """Rows moved by -1, 0 or 1."""
    return jnp.where(shift == 0, rows, jnp.where(shift < 0, jnp.roll(rows, 1, axis=0), jnp.roll(rows, -1, axis=0)))


def _altered(genome: Genome, slot: jax.Array, draws: Draws, plan: Plan) -> tuple[jax.Array, jax.Array]:
    """The instruction of a slot with one address drawn anew, or one of its constants altered."""
    slot = jnp.minimum(slot, plan.slots - 1)
    instruction, constants = fields(genome.code[slot]), genome.constants[slot]
    facts = facts_of(instruction.op)
    num_inputs = (facts.inputs[0] != 0).astype(jnp.int32) + (facts.inputs[1] != 0)
    choice = below(draws.word(), num_inputs + (facts.num_constants > 0) + 1)
    word = draws.word()
    writes = facts.output != 0
    in1 = jnp.where(
        writes & (choice == 0) & (num_inputs > 0), _addresses(word, facts.inputs[0], plan, False), instruction.in1
    )
    in2 = jnp.where(
        writes & (choice == 1) & (num_inputs > 1), _addresses(word, facts.inputs[1], plan, False), instruction.in2
    )
    out = jnp.where(writes & (choice == num_inputs), _addresses(word, facts.output, plan, True), instruction.out)
    constants = jnp.where(writes & (choice > num_inputs), _altered_data(constants, facts, draws, plan), constants)
    return word_of(Fields(instruction.op, in1, in2, out)), constants


def _altered_data(constants: jax.Array, facts, draws: Draws, plan: Plan) -> jax.Array:  # type: ignore[no-untyped-def]
    """Constants float32[3] with one of them changed; the bounds of a uniform distribution are sorted afterwards."""
    j = below(draws.word(), facts.num_constants)
    kind = jnp.stack(facts.kinds)[j]
    value = constants[j]
    new = _altered_constant(value, kind, draws.words(4), plan)
    changed = jnp.where((np.arange(3) == j) & jnp.isfinite(new), new, constants)
    unordered = jnp.isfinite(new) & (kind == ConstantKind.BOUND) & (changed[0] > changed[1])
    return jnp.where(unordered, changed[np.array([1, 0, 2])], changed)


def _altered_constant(value: jax.Array, kind: jax.Array, words: jax.Array, plan: Plan) -> jax.Array:
    drawn = _constant(words[0], kind)
    flips = (kind != ConstantKind.ST_DEV) & (unit(words[1]) < _SIGN_FLIP_PROBABILITY)
    if plan.paper:
        scaled = value * between(words[2], 0.5, 2.0)
        altered = jnp.where(value == 0, drawn, jnp.where(flips, -scaled, scaled))
    else:
        altered = jnp.where(flips, -value, value * jnp.exp(normal(words[2], words[3])))
    return jnp.where(kind == ConstantKind.INDEX, drawn, altered)
