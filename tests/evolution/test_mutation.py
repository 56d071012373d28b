"""Random instructions and mutations, against their specification by statistics with fixed seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from automl_zero.evolution.config import MUTATION_TYPES, load_config
from automl_zero.evolution.mutation import make_space
from automl_zero.evolution.random_numbers import new_generator
from automl_zero.ops import TABLE, RegisterType
from automl_zero.program import Instruction, Program
from automl_zero.program_arrays import pack, unpack
from tests.compiled import draw_instruction, mutate
from tests.mutators import (
    ALL_OPS,
    LONG,
    MEMORY,
    NO_OP,
    Mutator,
    altered,
    changed_fields,
    children,
    const,
    make_config,
    near,
    new_values,
    only,
    only_in_predict,
    predicting,
)

REGISTERS = {RegisterType.SCALAR: 4, RegisterType.VECTOR: 3, RegisterType.MATRIX: 2}
PREDICT = 1
SUM = Instruction("scalar_sum", 2, 3, 1)


# -- which mutation, and where ---------------------------------------------------------------------------------------


def test_types_are_drawn_by_their_weights():
    weights = dict(zip(MUTATION_TYPES, (1.0, 2.0, 0.0, 0.5, 0.25, 1.0, 0.0, 4.0), strict=True))
    mutator, n = Mutator(make_space(make_config(weights))), 20_000
    counts: Counter[str] = Counter()
    code, constants, sizes = pack(LONG, mutator.space.max_sizes.tolist())
    for _ in range(n):
        counts[MUTATION_TYPES[mutate(code, constants, sizes, mutator.space, mutator.rng)]] += 1
    assert counts.total() == n
    for kind, weight in weights.items():
        assert near(counts[kind], n, weight / 8.75), kind


def test_a_type_of_weight_zero_never_happens_however_weights_round():
    for seed in range(200):
        values = np.random.default_rng(seed).random(8)
        values[7] = values[seed % 7] = 0.0
        shares = make_space(make_config(dict(zip(MUTATION_TYPES, values.tolist(), strict=True)))).mutations
        assert shares[6] == shares[7] == 1.0  # draws are below 1
        assert shares[seed % 7] == (shares[seed % 7 - 1] if seed % 7 else 0.0)


def test_a_component_is_picked_uniformly_among_those_that_have_ops():
    for ops, share in (((ALL_OPS,) * 3, 1 / 3), ((ALL_OPS, (), ALL_OPS), 1 / 2), (((), ALL_OPS, ()), 1)):
        counts = np.zeros(3, int)
        for child in children(LONG, only("remove_instruction", ops=ops), 1500):
            counts += [len(a) != len(b) for a, b in zip(child.components, LONG.components, strict=True)]
        assert counts.sum() == 1500
        for count, allowed in zip(counts, ops, strict=True):
            assert near(count, 1500, share if allowed else 0)


def test_the_same_generator_makes_the_same_children():
    space = make_space(make_config())
    assert list(children(LONG, space, 50, seed=1)) == list(children(LONG, space, 50, seed=1))
    assert list(children(LONG, space, 50, seed=1)) != list(children(LONG, space, 50, seed=2))


def test_every_op_is_drawn_from_the_list_of_its_component():
    lists = (["scalar_const_set", "no_op"], ["scalar_sum", "vector_mean", "matrix_abs"], ["vector_sum"])
    space = make_space(make_config(ops=lists))
    mutator, program = Mutator(space), Program(MEMORY, (), (), ())
    seen: tuple[set[str], ...] = (set(), set(), set())
    for _ in range(1500):
        program = mutator(program)
        for names, component in zip(seen, program.components, strict=True):
            names |= {instruction.op for instruction in component}
    assert list(seen) == [set(names) for names in lists]


# -- random instructions ---------------------------------------------------------------------------------------------


def drawn(ops: Sequence[str], count: int, seed: int = 0) -> list[Instruction]:
    space = make_space(make_config(ops=(ops,) * 3, sizes=(0, 1, 1)))
    code, constants, rng = np.ones((3, 4), np.uint8), np.ones((3, 3)), new_generator(seed)
    instructions = []
    for _ in range(count):
        draw_instruction(PREDICT, 1, code, constants, space, rng)
        program = unpack(MEMORY, code, constants, np.array([0, 1, 0]), space.starts)
        instructions.append(program.predict[0])
        op = TABLE[int(code[1, 0])]
        assert (code[1, 1 + len(op.inputs) : 3] == 0).all()
        assert (constants[1, len(op.constants) :] == 0).all()
    assert (code[[0, 2]] == 1).all()  # the neighbours
    return instructions


def test_ops_are_uniform_over_the_list():
    n = 6500
    counts = Counter(instruction.op for instruction in drawn(ALL_OPS, n))
    assert all(near(counts[name], n, 1 / 65) for name in ALL_OPS)


def test_addresses_are_uniform_and_outputs_spare_label_and_features():
    n = 3000
    for name in ("scalar_sum", "vector_sum", "matrix_sum", "scalar_vector_product", "vector_outer_product"):
        op, instructions = TABLE[name], drawn([name], n)
        for field, kind in zip(("in1", "in2", "out"), (*op.inputs, op.output), strict=True):
            first = 1 if field == "out" and kind != RegisterType.MATRIX else 0
            counts = Counter(getattr(instruction, field) for instruction in instructions)
            assert set(counts) == set(range(first, REGISTERS[kind]))
            assert all(near(count, n, 1 / (REGISTERS[kind] - first)) for count in counts.values())


@pytest.mark.parametrize(
    ("name", "ranges"),
    [
        ("scalar_const_set", [(-1, 1)]),
        ("vector_const_set", [(0, 1), (-1, 1)]),
        ("matrix_const_set", [(0, 1), (0, 1), (-1, 1)]),
        ("vector_gaussian_set", [(-1, 1), (0, 1)]),
        ("matrix_uniform_set", [(-1, 1), (-1, 1)]),
    ],
)
def test_constants_are_uniform_in_the_range_of_their_kind(name, ranges):
    values = np.array([instruction.constants for instruction in drawn([name], 2000)])
    for column, (low, high) in zip(values.T, ranges, strict=True):
        assert low <= column.min() < low + 0.01
        assert high - 0.01 < column.max() <= high
        np.testing.assert_allclose(np.quantile(column, [0.25, 0.5, 0.75]), np.linspace(low, high, 5)[1:4], atol=0.1)
    if name == "matrix_uniform_set":  # drawn bounds are not ordered
        assert near(int((values[:, 0] > values[:, 1]).sum()), 2000, 0.5)


def test_constants_are_float32_but_for_that_of_scalar_const_set():
    for name in (op.name for op in TABLE if op.constants):
        values = np.array([instruction.constants for instruction in drawn([name], 30)])
        assert (values == values.astype(np.float32)).all() == (name != "scalar_const_set")


# -- alter_param -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instruction", "changes"),
    [
        # An address is drawn anew, and may be what it was: inputs have 4 scalars or 3 vectors, outputs one less.
        (SUM, {"in1": 1 / 3 * 3 / 4, "in2": 1 / 3 * 3 / 4, "out": 1 / 3 * 2 / 3}),
        (
            Instruction("scalar_vector_product", 0, 0, 1),
            {"in1": 1 / 3 * 3 / 4, "in2": 1 / 3 * 2 / 3, "out": 1 / 3 * 1 / 2},
        ),
        (Instruction("matrix_row_norm", 0, out=2), {"in1": 1 / 2 * 1 / 2, "out": 1 / 2 * 1 / 2}),
        (Instruction("scalar_abs", 3, out=3), {"in1": 1 / 2 * 3 / 4, "out": 1 / 2 * 2 / 3}),
        (const(0.5), {"out": 1 / 2 * 2 / 3, "constants": 1 / 2}),
        (Instruction("matrix_gaussian_set", out=0, constants=(0.5, 0.5)), {"out": 1 / 2 * 1 / 2, "constants": 1 / 2}),
    ],
    ids=lambda case: case.op if isinstance(case, Instruction) else "",
)
def test_one_operand_or_the_data_is_altered(instruction, changes):
    n = 4000  # half of them alter the no_op
    fields = Counter(frozenset(changed_fields(instruction, new)) for new in altered(instruction, n // 2))
    assert set(fields) <= {frozenset(), *(frozenset({name}) for name in changes)}
    for name, share in changes.items():
        assert near(fields[frozenset({name})], n, share / 2), name


def test_altered_addresses_stay_in_range_and_spare_label_and_features():
    outs = Counter(new.out for new in altered(Instruction("vector_sum", 0, 0, 1)))
    assert set(outs) == {1, 2}
    assert {new.in1 for new in altered(SUM)} == {0, 1, 2, 3}
    assert {new.out for new in altered(SUM)} == {1, 2, 3}
    assert {new.out for new in altered(Instruction("matrix_abs", 0, out=0))} == {0, 1}


@pytest.mark.parametrize("old", [0.5, -0.25, 40.0])
def test_a_value_flips_its_sign_one_time_in_ten_and_is_scaled_otherwise(old):
    values = new_values(const(old), 0)
    n = values.size
    assert near(n, 5000, 1 / 4)
    flipped = values == -old
    assert near(int(flipped.sum()), n, 0.1)
    factors = values[~flipped] / old
    assert (factors > 0).all()
    logarithms = np.log(factors)
    assert logarithms.mean() == pytest.approx(0, abs=4.5 / np.sqrt(n))
    assert logarithms.std() == pytest.approx(1, abs=0.1)


def test_a_value_of_zero_can_only_flip():
    for new in altered(const(0.0)):
        assert new.constants[0] == 0.0
    signs = Counter(np.signbit(new.constants[0]) for new in altered(const(0.0)))
    assert near(signs[True], 4000, 1 / 4 * 0.1)


def test_half_of_the_changes_of_a_gaussian_are_of_the_mean_and_a_deviation_never_flips():
    gaussian = Instruction("vector_gaussian_set", out=1, constants=(0.5, 0.25))
    means, deviations = new_values(gaussian, 0), new_values(gaussian, 1)
    assert near(means.size, 5000, 1 / 8)
    assert near(deviations.size, 5000, 1 / 8)
    assert near(int((means == -0.5).sum()), means.size, 0.1)
    assert (deviations > 0).all()
    assert np.log(deviations / 0.25).std() == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize("op", ["vector_const_set", "matrix_const_set"])
def test_an_index_is_drawn_anew_and_a_value_is_altered(op):
    old = (0.25,) * (op == "matrix_const_set") + (0.75, 0.5)
    instruction = Instruction(op, out=1, constants=old)
    for position in range(len(old) - 1):
        indices = new_values(instruction, position)
        assert near(indices.size, 5000, 1 / 4 / len(old))
        assert 0 <= indices.min() < 0.02
        assert 0.98 < indices.max() < 1
        np.testing.assert_allclose(np.quantile(indices, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.08)
    values = new_values(instruction, len(old) - 1)
    assert near(values.size, 5000, 1 / 4 / len(old))
    assert near(int((values == -0.5).sum()), values.size, 0.1)


def test_one_bound_is_altered_and_the_bounds_are_sorted():
    old = (0.25, 0.5)
    pairs = [new.constants for new in altered(Instruction("scalar_uniform_set", out=1, constants=old), 2500)]
    changed = [pair for pair in pairs if pair != old]
    assert near(len(changed), 5000, 1 / 4)
    assert all(low <= high for low, high in changed)
    low_kept, high_kept = (sum(bound in pair for pair in changed) for bound in old)
    assert low_kept + high_kept == len(changed)
    assert near(low_kept, len(changed), 1 / 2)
    assert sum(pair[0] == 0.5 for pair in changed) > 100  # the low bound was altered beyond the high one


def test_unsorted_bounds_are_sorted_by_an_alteration_alone():
    old = (0.5, 0.25)
    pairs = [new.constants for new in altered(Instruction("scalar_uniform_set", out=1, constants=old), 500)]
    assert old in pairs
    assert all(low <= high for low, high in pairs if (low, high) != old)


def test_altered_constants_are_rounded_to_float32_but_for_that_of_scalar_const_set():
    for name in (op.name for op in TABLE if op.constants):
        op = TABLE[name]
        instruction = Instruction(name, out=1, constants=(0.3,) * len(op.constants))
        values = np.array([new.constants for new in altered(instruction, 100)])
        assert (values == values.astype(np.float32)).all() == (name != "scalar_const_set")


@pytest.mark.parametrize("op", ["scalar_const_set", "scalar_gaussian_set"])
def test_constants_stay_finite_however_often_they_are_scaled(op):
    largest = 1.7e308 if op == "scalar_const_set" else 3.4e38
    instruction = Instruction(op, out=1, constants=(largest,) * len(TABLE[op].constants))
    mutator, program = Mutator(only_in_predict("alter_param")), predicting(instruction)
    for _ in range(500):
        program = mutator(program)  # constants of instructions are finite, or this is an error
    assert program.predict[0] != instruction


def test_a_no_op_and_an_empty_component_stay_as_they_are():
    for program in (predicting(NO_OP, NO_OP), predicting()):
        assert set(children(program, only("alter_param"), 200)) == {program}


# -- the other mutations ---------------------------------------------------------------------------------------------


def test_one_instruction_is_drawn_anew():
    n = 1500
    positions: Counter[tuple[int, int]] = Counter()
    ops: Counter[str] = Counter()
    for child in children(LONG, only("randomize_instruction"), n):
        places = [
            (c, i)
            for c in range(3)
            for i, pair in enumerate(zip(child.components[c], LONG.components[c], strict=True))
            if pair[0] != pair[1]
        ]
        (place,) = places
        positions[place] += 1
        ops[child.components[place[0]][place[1]].op] += 1
    assert len(positions) == 12
    assert all(near(count, n, 1 / 12) for count in positions.values())
    assert set(ops) == set(ALL_OPS)


def test_one_component_function_is_drawn_anew_with_its_size_kept():
    n = 900
    counts = np.zeros(3, int)
    for child in children(LONG, only("randomize_component_function"), n):
        changed = [a != b for a, b in zip(child.components, LONG.components, strict=True)]
        assert sum(changed) == 1
        counts += changed
        assert [len(component) for component in child.components] == [4, 4, 4]
        component = changed.index(True)
        assert all(a != b for a, b in zip(child.components[component], LONG.components[component], strict=True))
    assert all(near(int(count), n, 1 / 3) for count in counts)


def test_the_whole_algorithm_is_drawn_anew_but_for_components_without_ops():
    for child in children(LONG, only("randomize_algorithm", ops=(ALL_OPS, (), ALL_OPS)), 200):
        assert child.predict == LONG.predict
        for component, old in ((child.setup, LONG.setup), (child.learn, LONG.learn)):
            assert len(component) == 4
            assert all(a != b for a, b in zip(component, old, strict=True))


def test_the_identity_changes_nothing():
    assert set(children(LONG, only("identity"), 200)) == {LONG}


def test_an_instruction_is_inserted_at_any_position():
    n = 2000
    positions: Counter[int] = Counter()
    for child in children(LONG, only("insert_instruction"), n):
        (component,) = (c for c in range(3) if child.components[c] != LONG.components[c])
        new, old = child.components[component], LONG.components[component]
        assert len(new) == len(old) + 1
        position = next((i for i in range(4) if new[i] != old[i]), 4)
        assert new[:position] + new[position + 1 :] == old
        positions[position] += 1
    assert all(near(positions[position], n, 1 / 5) for position in range(5))


def test_an_instruction_is_removed_from_any_position():
    n = 2000
    positions: Counter[tuple[int, int]] = Counter()
    for child in children(LONG, only("remove_instruction"), n):
        (component,) = (c for c in range(3) if child.components[c] != LONG.components[c])
        new, old = child.components[component], LONG.components[component]
        position = next((i for i in range(3) if new[i] != old[i]), 3)
        assert new == old[:position] + old[position + 1 :]
        positions[component, position] += 1
    assert len(positions) == 12
    assert all(near(count, n, 1 / 12) for count in positions.values())


def test_trading_inserts_one_instruction_and_removes_one():
    n = 3000
    unchanged = 0
    moves: Counter[tuple[int, int]] = Counter()
    ops = ((), ["scalar_abs"], ())  # the new instruction is known by its op
    program = predicting(*LONG.predict)
    for child in children(program, only("trade_instruction", ops=ops), n):
        new, old = child.predict, program.predict
        assert len(new) == 4
        if child == program:
            unchanged += 1
            continue
        (at,) = (i for i in range(4) if new[i].op == "scalar_abs")
        kept = new[:at] + new[at + 1 :]
        (missing,) = (i for i in range(4) if old[i] not in kept)
        assert kept == old[:missing] + old[missing + 1 :]
        moves[at, missing] += 1
    assert near(unchanged, n, 1 / 5)  # the new one of five is removed again
    # Inserted at one of five places, removed another of five: each outcome has one or two ways of the 25.
    assert len(moves) == 16
    assert sum(moves.values()) + unchanged == n
    for (at, missing), count in moves.items():
        ways = sum(
            i != r and (i if r > i else i - 1) == at and (r - 1 if r > i else r) == missing
            for i in range(5)
            for r in range(5)
        )
        assert near(count, n, ways / 25), (at, missing)


def test_sizes_stay_within_their_bounds():
    # Insertion stops one short of the greatest size, as in the reference; removal stops at the least.
    kinds = {"insert_instruction": 1.0, "remove_instruction": 1.0, "trade_instruction": 1.0}
    mutator = Mutator(make_space(make_config(kinds, sizes=(2, 6, 3))))
    program, seen = Program(MEMORY, *(component[:3] for component in LONG.components)), set()
    for _ in range(1500):
        program = mutator(program)
        seen |= {len(component) for component in program.components}
    assert seen == {2, 3, 4, 5}


def test_insertion_is_refused_at_the_bound_and_beyond():
    for size, refused in ((4, False), (5, True), (6, True)):
        program = predicting(*[SUM] * size)
        made = set(children(program, only_in_predict("insert_instruction", sizes=(2, 6, 3)), 100))
        assert (made == {program}) == refused


def test_removal_is_refused_at_the_least_size_and_below():
    for size, refused in ((3, False), (2, True), (1, True), (0, True)):
        program = predicting(*[SUM] * size)
        made = set(children(program, only_in_predict("remove_instruction", sizes=(2, 6, 3)), 100))
        assert (made == {program}) == refused
    assert set(children(predicting(), only_in_predict("remove_instruction"), 100)) == {predicting()}


def test_trading_works_at_the_greatest_size_and_leaves_an_empty_component_empty():
    full = predicting(*(const(i) for i in range(6)))
    made = set(children(full, only_in_predict("trade_instruction", sizes=(6, 6, 6)), 200))
    assert len(made) > 50
    assert {len(child.predict) for child in made} == {6}
    assert set(children(predicting(), only_in_predict("trade_instruction"), 100)) == {predicting()}


@pytest.mark.parametrize("preset", ["linear", "linear-reference", "affine"])
def test_presets_of_fixed_size_never_change_the_size(preset):
    config = load_config(preset)
    space = make_space(config)
    rng, sizes = new_generator(0), space.initial_sizes.copy()
    code, constants = np.zeros((int(space.max_sizes.sum()), 4), np.uint8), np.zeros((int(space.max_sizes.sum()), 3))
    kinds = {MUTATION_TYPES[mutate(code, constants, sizes, space, rng)] for _ in range(2000)}
    assert kinds == {name for name, weight in config.mutations.weights.items() if weight}
    assert sizes.tolist() == space.initial_sizes.tolist()
    unpack(config.search_space.memory, code, constants, sizes, space.starts)


def test_whatever_happens_a_child_is_a_valid_program():
    space = make_space(make_config(sizes=(0, 8, 3)))
    mutator, program = Mutator(space), LONG
    sizes = set()
    for _ in range(3000):
        program = mutator(program)  # unpacked into a Program, which checks every operand
        sizes |= {len(component) for component in program.components}
    assert sizes == set(range(8))
    largest = Mutator(make_space(make_config({"randomize_algorithm": 1.0})))
    ops = {i.op for _ in range(100) for component in largest(LONG).components for i in component}
    assert ops == set(ALL_OPS)
