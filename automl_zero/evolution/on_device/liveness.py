"""Dead-code removal of one program as an array program; the readable twin is :mod:`automl_zero.analysis.liveness`.

Sets of registers are words of 32 bits: scalars first, then vectors, then matrices.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from automl_zero.evolution.on_device.genome import Genome, component_sizes, fields
from automl_zero.evolution.on_device.op_facts import facts_of
from automl_zero.evolution.on_device.plan import Plan
from automl_zero.interpreters.jax_lockstep import Programs
from automl_zero.memory import FEATURES, LABEL, PREDICTION, VECTOR_LABEL, VECTOR_PREDICTION
from automl_zero.ops import RegisterType

Registers = tuple[jax.Array, ...]


class Effects(NamedTuple):
    """What each slot's instruction does to registers: tuples of words uint32[slots].

    Attributes:
        reads: the registers that it reads.
        writes: the one that it writes.
        kills: the one whose old contents it makes irrelevant; none for a partial write.
    """

    reads: Registers
    writes: Registers
    kills: Registers


class Live(NamedTuple):
    """The live part of a program.

    Attributes:
        flags: bool[slots].
        programs: it, as the interpreter takes it (without the leading axis).
        uses_matrices: bool, whether an instruction of it reads or writes a matrix.
    """

    flags: jax.Array
    programs: Programs
    uses_matrices: jax.Array


def live_flags(genome: Genome, plan: Plan) -> jax.Array:
    """Which slots hold an instruction that can influence a prediction, bool[slots]."""
    effects = _effects(genome, plan)
    prediction = (
        _word(plan, RegisterType.VECTOR, VECTOR_PREDICTION)
        if plan.num_classes
        else _word(plan, RegisterType.SCALAR, PREDICTION)
    )
    reserved = [_word(plan, RegisterType.SCALAR, LABEL), _word(plan, RegisterType.VECTOR, FEATURES)]
    if plan.num_classes:
        reserved.append(_word(plan, RegisterType.VECTOR, VECTOR_LABEL))
    free = tuple(np.uint32(~np.bitwise_or.reduce([words[i] for words in reserved])) for i in range(len(prediction)))

    def before_learn_and_predict(
        wanted: tuple[Registers, Registers],
    ) -> tuple[tuple[Registers, Registers], list[jax.Array]]:
        before_predict, before_learn = wanted
        after_predict = tuple(
            (p | q | r) & f for p, q, r, f in zip(prediction, before_predict, before_learn, free, strict=True)
        )
        predict, predict_flags = _backward(1, after_predict, effects, plan)
        learn, learn_flags = _backward(2, _and(predict, free), effects, plan)
        return (predict, learn), predict_flags + learn_flags

    Carry = tuple[tuple[Registers, Registers], jax.Array]

    def body(carry: Carry) -> Carry:
        wanted, _ = carry
        new, _ = before_learn_and_predict(wanted)
        joined = tuple(_or(old, more) for old, more in zip(wanted, new, strict=True))
        changed = [a != b for old, more in zip(wanted, joined, strict=True) for a, b in zip(old, more, strict=True)]
        return (joined[0], joined[1]), jnp.stack(changed).any()

    nothing = tuple(jnp.uint32(0) for _ in prediction)
    (wanted, _) = jax.lax.while_loop(lambda carry: carry[1], body, ((nothing, nothing), jnp.bool_(True)))
    (predict, _), flags = before_learn_and_predict(wanted)
    _, setup_flags = _backward(0, _and(predict, free), effects, plan)
    return jnp.stack(setup_flags + flags) if plan.slots else jnp.zeros(0, bool)


def live_part(genome: Genome, flags: jax.Array, plan: Plan) -> Live:
    """The live instructions, bool[slots] from :func:`live_flags`, moved to the front of each component."""
    room = max(1, *plan.max_sizes)
    code, constants, counts = [], [], []
    bits = jax.lax.bitcast_convert_type(genome.constants, jnp.uint32)
    words = jnp.concatenate([genome.code[:, None], bits], axis=-1)  # of bits, which keep the sign of a zero
    for start, size in zip(plan.starts, plan.max_sizes, strict=True):
        live = flags[start : start + size]
        target = jnp.cumsum(live, dtype=jnp.int32) - 1
        moves = live & (target == np.arange(room)[:, None])
        packed = jnp.where(moves[..., None], words[start : start + size], np.uint32(0)).sum(axis=1, dtype=jnp.uint32)
        code.append(jnp.stack(fields(packed[:, 0]), axis=-1))
        constants.append(jax.lax.bitcast_convert_type(packed[:, 1:], jnp.float32))
        counts.append(live.sum(dtype=jnp.int32))
    programs = Programs(jnp.stack(code), jnp.stack(constants), jnp.stack(counts))
    facts = facts_of(fields(genome.code).op)
    touches = jnp.stack([*facts.inputs, facts.output]) == RegisterType.MATRIX
    return Live(flags, programs, (touches & flags).any())


def _first_bits(plan: Plan) -> list[int]:
    """Bit of the first register of each type."""
    return [sum(plan.registers[:kind]) for kind in range(4)]


def _num_words(plan: Plan) -> int:
    return -(-sum(plan.registers) // 32)


def _word(plan: Plan, kind: RegisterType, address: int) -> tuple[np.uint32, ...]:
    """The set of one register."""
    bit = _first_bits(plan)[kind] + address
    return tuple(np.uint32(1 << bit % 32 if bit // 32 == word else 0) for word in range(_num_words(plan)))


def _sets(kind: jax.Array, address: jax.Array, plan: Plan) -> Registers:
    """The sets of one register each, empty for absent operands."""
    bit = jnp.asarray(_first_bits(plan), jnp.int32)[kind] + address
    mask = np.uint32(1) << (bit & 31).astype(jnp.uint32)
    return tuple(jnp.where((kind != 0) & (bit >> 5 == word), mask, np.uint32(0)) for word in range(_num_words(plan)))


def _effects(genome: Genome, plan: Plan) -> Effects:
    instruction = fields(genome.code)
    facts = facts_of(instruction.op)
    reads = _or(_sets(facts.inputs[0], instruction.in1, plan), _sets(facts.inputs[1], instruction.in2, plan))
    filled = plan.place_of < component_sizes(genome, plan)
    writes = tuple(jnp.where(filled, word, np.uint32(0)) for word in _sets(facts.output, instruction.out, plan))
    kills = tuple(jnp.where(facts.partial_write, np.uint32(0), word) for word in writes)
    return Effects(reads, writes, kills)


def _backward(component: int, wanted: Registers, effects: Effects, plan: Plan) -> tuple[Registers, list[jax.Array]]:
    """The registers wanted before a component, and which of its slots are live, given those wanted after it."""
    flags = []
    start = plan.starts[component]
    for slot in reversed(range(start, start + plan.max_sizes[component])):
        hits = [words[slot] & word for words, word in zip(effects.writes, wanted, strict=True)]
        live = sum(hits[1:], hits[0]) != 0
        after = [word & ~words[slot] for words, word in zip(effects.kills, wanted, strict=True)]
        wanted = tuple(
            jnp.where(live, rest | words[slot], word)
            for rest, words, word in zip(after, effects.reads, wanted, strict=True)
        )
        flags.append(live)
    return wanted, flags[::-1]


def _or(a: Registers, b: Registers) -> Registers:
    return tuple(x | y for x, y in zip(a, b, strict=True))


def _and(a: Registers, b: tuple[np.uint32, ...]) -> Registers:
    return tuple(x & y for x, y in zip(a, b, strict=True))
