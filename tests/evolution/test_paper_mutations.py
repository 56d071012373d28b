"""Mutations of the paper where they are not the reference's, crossover, and the label that is never written."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest

from automl_zero.evolution.config import MUTATION_TYPES, load_config
from automl_zero.evolution.mutation import make_space
from automl_zero.evolution.random_numbers import new_generator
from automl_zero.ops import TABLE, RegisterType
from automl_zero.program import Instruction, Program
from automl_zero.program_arrays import pack, unpack
from tests.compiled import cross, draw_instruction, mutate, randomize_algorithm
from tests.mutators import (
    ALL_OPS,
    LONG,
    MEMORY,
    Mutator,
    altered,
    children,
    const,
    make_config,
    near,
    new_values,
    only,
    only_in_predict,
    predicting,
)

# -- which mutation --------------------------------------------------------------------------------------------------

SHARES = {
    "insert_instruction": 1 / 9,
    "remove_instruction": 2 / 9,
    "randomize_component_function": 1 / 3,
    "alter_param": 1 / 3,
}


def test_one_of_three_mutations_is_drawn_and_removal_is_twice_as_likely_as_insertion():
    values = make_config().model_dump()
    values["mutations"] = {"mode": "paper"}
    config, n = load_config(values), 9000
    assert config.mutations.weights == {name: pytest.approx(SHARES.get(name, 0.0) * 9) for name in MUTATION_TYPES}
    space, rng = make_space(config), new_generator(1)
    code, constants, sizes = pack(LONG, space.max_sizes.tolist())
    counts = Counter(MUTATION_TYPES[mutate(code, constants, sizes, space, rng)] for _ in range(n))
    assert counts.total() == n
    assert set(counts) == set(SHARES)
    assert all(near(counts[kind], n, share) for kind, share in SHARES.items())


def test_the_default_weights_are_those_of_the_mode_and_weights_that_are_given_are_kept():
    values = make_config().model_dump()
    weights = {}
    for mode in ("reference", "paper"):
        values["mutations"] = {"mode": mode}
        weights[mode] = {name: weight for name, weight in load_config(values).mutations.weights.items() if weight}
        values["mutations"] = {"mode": mode, "weights": {"identity": 2}}
        given = load_config(values).mutations.weights
        assert given == {name: 2.0 * (name == "identity") for name in MUTATION_TYPES}
    assert weights["reference"] == {"alter_param": 1, "randomize_instruction": 1, "randomize_component_function": 1}
    assert weights["paper"].keys() == SHARES.keys()


# -- constants -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [0.5, -0.25, 40.0])
def test_a_value_is_multiplied_by_a_half_to_two_and_flips_its_sign_one_time_in_ten(old):
    values = new_values(const(old), 0, mode="paper")
    n = values.size
    assert near(n, 5000, 1 / 4)
    factors = values / old
    assert near(int((factors < 0).sum()), n, 0.1)
    for some in (abs(factors), abs(factors[factors < 0])):  # a value that flips is scaled as well
        assert 0.5 <= some.min() < 0.53
        assert 1.97 < some.max() < 2.0
        np.testing.assert_allclose(np.quantile(some, [0.25, 0.5, 0.75]), [0.875, 1.25, 1.625], atol=0.25)
    np.testing.assert_allclose(np.quantile(abs(factors), [0.25, 0.5, 0.75]), [0.875, 1.25, 1.625], atol=0.06)


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize(
    ("op", "position", "low"),
    [
        ("scalar_const_set", 0, -1.0),
        ("vector_const_set", 1, -1.0),
        ("vector_gaussian_set", 0, -1.0),
        ("vector_gaussian_set", 1, 0.0),
    ],
)
def test_a_value_of_zero_is_drawn_anew_from_the_range_of_its_kind(op, position, low, zero):
    old = [0.5] * len(TABLE[op].constants)
    old[position] = zero
    values = new_values(Instruction(op, out=1, constants=tuple(old)), position, mode="paper")
    assert near(values.size, 5000, 1 / 4 / len(old))
    assert low <= values.min() < low + 0.05
    assert 0.95 < values.max() < 1.0
    np.testing.assert_allclose(np.median(values), (low + 1) / 2, atol=0.12)


def test_a_deviation_is_scaled_and_never_flips():
    deviations = new_values(Instruction("vector_gaussian_set", out=1, constants=(0.5, 0.25)), 1, mode="paper")
    assert near(deviations.size, 5000, 1 / 8)
    assert 0.125 <= deviations.min() < 0.14
    assert 0.48 < deviations.max() < 0.5


def test_an_index_is_drawn_anew():
    indices = new_values(Instruction("vector_const_set", out=1, constants=(0.25, 0.5)), 0, mode="paper")
    assert near(indices.size, 5000, 1 / 8)
    np.testing.assert_allclose(np.quantile(indices, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.08)


def test_bounds_stay_sorted():
    instruction = Instruction("scalar_uniform_set", out=1, constants=(0.25, 0.5))
    pairs = [new.constants for new in altered(instruction, 1000, "paper")]
    assert all(low <= high for low, high in pairs)
    assert sum(pair[0] == 0.5 for pair in pairs) == 0  # 0.25 times less than 2
    assert sum(pair[1] == 0.25 for pair in pairs) > 10  # 0.5 flipped to below 0.25


def test_a_value_that_would_overflow_stays_as_it_is():
    largest = np.finfo(np.float64).max
    values = [new.constants[0] for new in altered(const(largest), 1000, "paper")]  # infinity would be an error
    changed = [abs(value) for value in values if value != largest]
    assert near(len(changed), 2000, 1 / 4 * 1 / 3)
    assert max(changed) < largest


# -- sizes -----------------------------------------------------------------------------------------------------------


def test_a_component_function_may_fill_its_greatest_size():
    kinds = {"insert_instruction": 1.0, "remove_instruction": 1.0}
    mutator = Mutator(make_space(make_config(kinds, sizes=(2, 6, 3), mode="paper")))
    program, seen = Program(MEMORY, *(component[:3] for component in LONG.components)), set()
    for _ in range(1500):
        program = mutator(program)
        seen |= {len(component) for component in program.components}
    assert seen == {2, 3, 4, 5, 6}


def test_insertion_is_refused_at_the_greatest_size():
    for size, refused in ((4, False), (5, False), (6, True)):
        program = predicting(*(const(i) for i in range(size)))
        made = set(children(program, only_in_predict("insert_instruction", sizes=(2, 6, 3), mode="paper"), 100))
        assert (made == {program}) == refused


# -- crossover -------------------------------------------------------------------------------------------------------

OTHER = Program(MEMORY, *(tuple(const(-10.0 * c - i - 1) for i in range(n)) for c, n in enumerate((2, 0, 8))))


def crossed(first: Program, second: Program, ops: tuple[object, ...], count: int) -> Counter[tuple[bool, ...]]:
    """How often a child has which component functions of the second parent; each must be of one or the other."""
    space, rng = make_space(make_config(ops=ops)), new_generator(7)  # type: ignore[arg-type]
    parents = [pack(program, space.max_sizes.tolist()) for program in (first, second)]
    counts: Counter[tuple[bool, ...]] = Counter()
    for _ in range(count):
        child, mate = (tuple(array.copy() for array in parent) for parent in parents)
        cross(*child, *mate, space, rng)
        assert all((array == old).all() for array, old in zip(mate, parents[1], strict=True))
        program = unpack(MEMORY, *child, space.starts)
        taken = tuple(new == of_mate for new, of_mate in zip(program.components, second.components, strict=True))
        for new, own, from_mate in zip(program.components, first.components, taken, strict=True):
            assert from_mate or new == own
        counts[taken] += 1
    return counts


@pytest.mark.parametrize(("first", "second"), [(LONG, OTHER), (OTHER, LONG)])
def test_each_component_function_is_taken_whole_from_either_parent(first, second):
    n = 4000
    counts = crossed(first, second, (ALL_OPS, ALL_OPS, ALL_OPS), n)
    assert set(counts) == set(product((False, True), repeat=3))
    assert all(near(count, n, 1 / 8) for count in counts.values())


@pytest.mark.parametrize("is_open", [(True, False, True), (False, True, False), (False, False, True)])
def test_a_component_function_without_ops_is_not_exchanged(is_open):
    n = 1000
    counts = crossed(LONG, OTHER, tuple(ALL_OPS if one else () for one in is_open), n)
    assert set(counts) == {
        taken
        for taken in product((False, True), repeat=3)
        if not any(t and not o for t, o in zip(taken, is_open, strict=True))
    }
    assert all(near(count, n, 0.5 ** sum(is_open)) for count in counts.values())


# -- vector labels ---------------------------------------------------------------------------------------------------


def outputs(program: Program) -> Counter[int]:
    """Vector registers that a program writes."""
    instructions = [i for component in program.components for i in component]
    return Counter(i.out for i in instructions if i.spec.output == RegisterType.VECTOR)


@pytest.mark.parametrize("mode", ["reference", "paper"])
def test_the_label_of_vector_label_tasks_is_never_written(mode):
    space = make_space(make_config(sizes=(0, 8, 3), mode=mode), vector_labels=True)
    mutator, program, written = Mutator(space), Program(MEMORY, (), (), ()), Counter[int]()
    read = set()
    for _ in range(2500):
        program = mutator(program)
        written += outputs(program)
        read |= {i.in1 for c in program.components for i in c if i.op == "vector_norm"}
    assert set(written) == {2}
    assert read == {0, 1, 2}  # but read


def test_outputs_are_uniform_over_the_registers_that_may_be_written():
    config = load_config(make_config(ops=(["vector_sum"],) * 3), ["search_space.vectors=5"])
    for vector_labels, registers in ((False, {1, 2, 3, 4}), (True, {2, 3, 4})):
        space, rng, n = make_space(config, vector_labels), new_generator(0), 3000
        code, constants = np.zeros((24, 4), np.uint8), np.zeros((24, 3))
        outs: Counter[int] = Counter()
        for _ in range(n):
            draw_instruction(0, 0, code, constants, space, rng)
            outs[int(code[0, 3])] += 1
        assert set(outs) == registers
        assert all(near(count, n, 1 / len(registers)) for count in outs.values())


def test_random_programs_and_altered_outputs_spare_the_label_too():
    space = make_space(make_config(sizes=(0, 8, 8)), vector_labels=True)
    code, constants, sizes = pack(LONG, space.max_sizes.tolist())
    sizes[:] = 8
    rng, written = new_generator(3), Counter[int]()
    for _ in range(200):
        randomize_algorithm(code, constants, sizes, space, rng)
        written += outputs(unpack(MEMORY, code, constants, sizes, space.starts))
    assert set(written) == {2}
    moved = Mutator(only("alter_param", vector_labels=True, ops=((), ALL_OPS, ())))
    program = predicting(Instruction("vector_sum", 0, 1, 2))
    for _ in range(300):
        program = moved(program)
        assert program.predict[0].out == 2


def test_scalars_and_matrices_are_written_as_with_scalar_labels():
    space = make_space(make_config(ops=(["scalar_abs", "matrix_abs"],) * 3), vector_labels=True)
    program, mutator = Program(MEMORY, *(component[:3] for component in LONG.components)), Mutator(space)
    outs = set()
    for _ in range(1000):
        program = mutator(program)
        outs |= {(i.op, i.out) for c in program.components for i in c}
    assert outs >= {("scalar_abs", 1), ("scalar_abs", 2), ("scalar_abs", 3), ("matrix_abs", 0), ("matrix_abs", 1)}
    assert ("scalar_abs", 0) not in outs
