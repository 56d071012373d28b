"""Canonical hashes on the device: equal for programs that are equal after dead-code removal and renaming, and exact.

What is equal here is what is equal for :mod:`automl_zero.analysis.compiled`; the hashes themselves are others, since
here the order of first use, which gives the names, is found for all registers at once.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from automl_zero.evolution.on_device.caches import mixed
from automl_zero.evolution.on_device.genome import Genome, fields
from automl_zero.evolution.on_device.op_facts import Facts, facts_of
from automl_zero.evolution.on_device.plan import Plan
from automl_zero.memory import FEATURES, LABEL, PREDICTION, VECTOR_LABEL, VECTOR_PREDICTION
from automl_zero.ops import ConstantKind, RegisterType

_NEVER = 1 << 20  # the position of a first use that does not happen


def canonical_hash(genome: Genome, live: jax.Array, plan: Plan) -> jax.Array:
    """64 bits for the canonical form of a program, never 0: uint32[2].

    Args:
        genome: the program.
        live: bool[slots], its live instructions.
        plan: the plan.
    """
    instruction = fields(genome.code)
    facts = facts_of(instruction.op)
    names = _names(instruction, facts, live, plan)  # [3, slots]
    swapped = facts.commutative & (names[1] < names[0])
    first, second = jnp.where(swapped, names[1], names[0]), jnp.where(swapped, names[0], names[1])
    word = (instruction.op | first << 8 | second << 16 | names[2] << 24).astype(jnp.uint32)
    words = jnp.concatenate([word[None], _constants(genome, facts, plan)])  # [4, slots]
    place = jnp.concatenate(
        [
            jnp.cumsum(live[start : start + size], dtype=jnp.int32) - 1 + start
            for start, size in zip(plan.starts, plan.max_sizes, strict=True)
        ]
    )
    salts = np.random.default_rng(1).integers(0, 1 << 32, (2, 4, plan.slots), np.uint32)
    sums = [
        jnp.where(live, mixed(words ^ jnp.asarray(salt)[:, place]), np.uint32(0)).sum(dtype=jnp.uint32)
        for salt in salts
    ]
    return jnp.stack([sums[0], jnp.where((sums[0] | sums[1]) == 0, np.uint32(1), sums[1])])


def _names(instruction, facts: Facts, live: jax.Array, plan: Plan) -> jax.Array:  # type: ignore[no-untyped-def]
    """New names of the operands in1, in2 and out, in order of first use: int32[3, slots], 0 where absent."""
    kinds = jnp.stack([*facts.inputs, facts.output])
    addresses = jnp.stack([instruction.in1, instruction.in2, instruction.out])
    used = (kinds != RegisterType.NONE) & live
    position = 3 * np.arange(plan.slots) + np.arange(3)[:, None]
    reserved = _reserved(plan)
    named = jnp.zeros_like(addresses)
    for kind in (RegisterType.SCALAR, RegisterType.VECTOR, RegisterType.MATRIX):
        count = plan.registers[kind]
        if count == 0:
            continue
        mine = used & (kinds == kind)
        here = mine & (addresses == np.arange(count)[:, None, None])  # [count, 3, slots]
        first_use = jnp.where(here, position, _NEVER).min(axis=(1, 2))
        order = np.array([-(_NEVER - name) for name in range(count)], np.int32)
        kept = np.isin(np.arange(count), reserved[kind])
        first_use = jnp.where(kept, order, first_use)  # those that keep their names come first
        rank = (first_use[None] < first_use[:, None]).sum(axis=1, dtype=jnp.int32)
        named = jnp.where(mine, jnp.asarray(rank)[jnp.minimum(addresses, count - 1)], named)
    return named


def _reserved(plan: Plan) -> dict[RegisterType, tuple[int, ...]]:
    """The registers that the interpreter sets or reads."""
    if plan.num_classes:
        vectors = (FEATURES, VECTOR_LABEL, VECTOR_PREDICTION)
        return {RegisterType.SCALAR: (LABEL,), RegisterType.VECTOR: vectors, RegisterType.MATRIX: ()}
    return {RegisterType.SCALAR: (LABEL, PREDICTION), RegisterType.VECTOR: (FEATURES,), RegisterType.MATRIX: ()}


def _constants(genome: Genome, facts: Facts, plan: Plan) -> jax.Array:
    """Words of the constants that matter, uint32[3, slots]: their bits, or the number of the element."""
    words = []
    for j in range(3):
        value = genome.constants[:, j]
        bits = jax.lax.bitcast_convert_type(value, jnp.uint32)
        # Fractions are multiples of 2^-24, so this product is exact.
        scaled = (value * np.float32(2**24)).astype(jnp.uint32)
        high, low = scaled >> np.uint32(12), scaled & np.uint32(0xFFF)
        features = np.uint32(plan.num_features)
        element = (high * features + ((low * features) >> np.uint32(12))) >> np.uint32(12)
        word = jnp.where(facts.kinds[j] == ConstantKind.INDEX, element, bits)
        words.append(jnp.where(j < facts.num_constants, word, np.uint32(0)))
    return jnp.stack(words)
