"""Compiled analysis: liveness, canonical form and its hash."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import compress

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.analysis.compiled import Canonical, new_canonical
from automl_zero.analysis.liveness import live_instructions, remove_dead_code
from automl_zero.evolution.config import load_config
from automl_zero.evolution.mutation import make_space
from automl_zero.evolution.random_numbers import new_generator
from automl_zero.interpreters.lane_data import lay_out, new_arena
from automl_zero.interpreters.numpy_interpreter import TaskRun, evaluate_program
from automl_zero.jit import entry_point
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE, ConstantKind, RegisterType
from automl_zero.ops.arrays import op_arrays
from automl_zero.program import COMPONENTS, Instruction, Program
from automl_zero.program_arrays import pack, starts_of, unpack
from automl_zero.tasks import TaskSet, from_arrays
from tests.compiled import canonicalise, encode, find_live, mutate, randomize_algorithm, run_kernel

MEMORY = MemorySpec(4, 3, 2)
WIDE_MEMORY = MemorySpec(4, 5, 2)  # two vectors more, for label and prediction of vector labels
OPS = op_arrays()
SCALAR, VECTOR = RegisterType.SCALAR, RegisterType.VECTOR
ALL_OPS = [op.name for op in TABLE]
PARTIAL_WRITES_AND_READERS = ["vector_const_set", "vector_inner_product", "matrix_const_set", "matrix_norm"]
OFTEN_LIVE = [
    *(f"scalar_{op}" for op in ("sum", "diff", "product", "min", "max", "const_set", "uniform_set", "gaussian_set")),
    *("vector_mean", "scalar_vector_product", "vector_inner_product", "vector_const_set", "vector_diff"),
]
FEW_OPS = ["scalar_sum", "scalar_min", "vector_sum", "vector_mean", "scalar_const_set", "no_op"]


def analyse(program: Program, F: int = 4, C: int = 0) -> tuple[int, Canonical]:
    """Canonical hash and form."""
    code, constants, sizes = pack(program)
    form = new_canonical(len(code))
    return int(canonicalise(code, constants, sizes, starts_of(sizes), F, C, OPS, form)), form


def hash_of(program: Program, F: int = 4, C: int = 0) -> int:
    return analyse(program, F, C)[0]


def canonical_program(form: Canonical) -> Program:
    """The program that a canonical form is."""
    scalars, vectors, matrices = form.registers[1:].tolist()
    memory = MemorySpec(max(scalars, 2), vectors, matrices)  # with vector labels s1 may be unused
    return unpack(memory, form.code, form.constants, form.counts, starts_of(form.counts))


def random_programs(
    count: int, seed: int, ops: Sequence[str] = ALL_OPS, size: int = 8, memory: MemorySpec | None = None, C: int = 0
) -> list[Program]:
    memory = memory or (WIDE_MEMORY if C else MEMORY)
    generator, allowed = np.random.default_rng(seed), dict.fromkeys(COMPONENTS, ops)
    sizes = ({name: int(generator.integers(size + 1)) for name in COMPONENTS} for _ in range(count))
    return [programs.random(memory, allowed, size, generator, C) for size in sizes]


def map_instructions(program: Program, change: object) -> Program:
    return Program(program.memory, *(tuple(map(change, component)) for component in program.components))  # type: ignore[arg-type]


# -- liveness --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("C", [0, 3])
@pytest.mark.parametrize(
    "ops", [ALL_OPS, PARTIAL_WRITES_AND_READERS * 2 + ALL_OPS, FEW_OPS], ids=["all", "partial", "few"]
)
def test_live_instructions_are_those_of_the_readable_analysis(ops, C):
    generator = np.random.default_rng(0)
    seen = np.zeros(2, int)
    for program in random_programs(1000, seed=len(ops), ops=ops, C=C):
        room = [len(component) + int(generator.integers(3)) for component in program.components]
        code, _, sizes = pack(program, room)
        starts = starts_of(room)
        for start, size, slots in zip(starts, sizes, room, strict=True):  # what is beyond the size does not matter
            code[start + size : start + slots] = (TABLE["scalar_sum"].id, 1, 1, 1)
        form = new_canonical(len(code))
        find_live(code, sizes, starts, C, OPS, form)
        for start, expected in zip(starts, live_instructions(program, C), strict=True):
            assert form.live[start : start + len(expected)].tolist() == list(expected)
            seen += (len(expected) - sum(expected), sum(expected))
    assert (seen > 700).all()


@pytest.mark.parametrize("C", [0, 2])
def test_all_registers_of_the_largest_memory_are_told_apart(C):
    large = MemorySpec(20, 20, 20)
    for program in random_programs(300, seed=1, size=20, memory=large, C=C):
        form = analyse(program, C=C)[1]
        assert form.counts.tolist() == [sum(flags) for flags in live_instructions(program, C)]


# -- canonical form --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["rmse", "accuracy", "classes"])
def tasks(request: pytest.FixtureRequest) -> TaskSet:
    generator = np.random.default_rng(0)
    x, valid_x = generator.normal(size=(2, 6, 3)), generator.normal(size=(2, 4, 3))
    if request.param == "classes":
        y, valid_y = np.eye(3)[x.argmax(2)], np.eye(3)[valid_x.argmax(2)]
        return from_arrays(x, y, valid_x, valid_y, "accuracy", epochs=2)
    y, valid_y = (a.sum(2) if request.param == "rmse" else a.sum(2) > 0 for a in (x, valid_x))
    return from_arrays(x, y, valid_x, valid_y, request.param, epochs=2, max_abs_error=1e6)


def errors_of(program: Program, tasks: TaskSet) -> list[object]:
    """All errors of two epochs by the definition, in full precision."""
    with np.errstate(all="ignore"):
        run = TaskRun(program, tasks, 0, "float64")
        return [step for epoch in (0, 1) for step in (run.train(epoch, range(6)), run.validate(epoch, range(4)))]


def test_the_canonical_form_makes_the_same_errors_to_the_bit(tasks):
    reordered = 0
    C = tasks.num_classes
    for program in random_programs(150, seed=2, ops=PARTIAL_WRITES_AND_READERS + ALL_OPS, size=10, C=C):
        canonical = canonical_program(analyse(program, F=3, C=C)[1])
        assert errors_of(canonical, tasks) == errors_of(program, tasks)
        reordered += canonical.components != remove_dead_code(program, C).components
    assert reordered > 30


def test_the_kernel_makes_the_same_of_a_program_as_it_is_written_and_of_its_canonical_form(tasks):
    data = lay_out(tasks, "float64")
    deterministic = [op.name for op in TABLE if not op.random]  # dead random ops would shift the draws
    arena = new_arena(data, 30, 4, 5, 2)
    kinds = set()
    for program in random_programs(400, seed=3, ops=deterministic, size=10, C=tasks.num_classes):
        outcomes = []
        for form in (as_written(program, F=3), analyse(program, F=3, C=tasks.num_classes)[1]):
            encode(form, data, OPS, arena)
            steps, _ = run_kernel(form, data, arena, data.num_train, data.num_valid, data.epochs, 0, 0)
            outcomes.append((steps, arena.fitness.tolist()))
        assert outcomes[0] == outcomes[1]
        kinds.add(outcomes[0][1][0][0])
    assert len(kinds) >= 4


def as_written(program: Program, F: int) -> Canonical:
    """A form with the program's own registers, order and dead code."""
    code, constants, sizes = pack(program)
    form = new_canonical(len(code))
    form.code[:], form.constants[:], form.counts[:] = code, constants, sizes
    form.registers[1:] = program.memory.scalars, program.memory.vectors, program.memory.matrices
    for slot, instruction in enumerate(i for component in program.components for i in component):
        if instruction.spec.partial_write:
            indices = [int(F * fraction) for fraction in instruction.constants[:-1]]
            form.elements[slot] = np.ravel_multi_index(indices, (F,) * len(indices))
    return form


@pytest.mark.parametrize("C", [0, 3])
def test_the_canonical_form_is_its_own_canonical_form(C):
    for program in random_programs(300, seed=4, C=C):
        value, form = analyse(program, C=C)
        again, same = analyse(canonical_program(form), C=C)
        n = int(form.counts.sum())
        assert again == value
        assert same.counts.tolist() == form.counts.tolist()
        assert same.registers.tolist() == form.registers.tolist()
        for array, other in zip(form[:3], same[:3], strict=True):
            assert array[:n].tolist() == other[:n].tolist()


@pytest.mark.parametrize("C", [0, 3])
def test_registers_are_named_in_order_of_first_use(C):
    for program in random_programs(300, seed=5, C=C):
        form = analyse(program, C=C)[1]
        canonical = canonical_program(form)
        fresh = {SCALAR: 1 if C else 2, VECTOR: 3 if C else 1, RegisterType.MATRIX: 0}
        for instruction in (i for component in canonical.components for i in component):
            for _, kind, address in instruction.operands():
                assert address <= fresh[kind]
                fresh[kind] += address == fresh[kind]
        assert form.registers[1:].tolist() == list(fresh.values())


def test_the_empty_program_has_a_form():
    for C, registers in ((0, [0, 2, 1, 0]), (3, [0, 1, 3, 0])):
        value, form = analyse(programs.pad(programs.empty(), {"predict": 3}), C=C)
        assert value != 0
        assert form.counts.tolist() == [0, 0, 0]
        assert form.registers.tolist() == registers


# -- hash: what does not matter --------------------------------------------------------------------------------------


@pytest.mark.parametrize("C", [0, 3])
def test_the_names_of_registers_do_not_matter(C):
    generator = np.random.default_rng(0)
    for program in random_programs(400, seed=6, C=C):
        new = {
            kind: list(range(fixed)) + (fixed + generator.permutation(program.memory.count(kind) - fixed)).tolist()
            for kind, fixed in ((SCALAR, 1 if C else 2), (VECTOR, 3 if C else 1), (RegisterType.MATRIX, 0))
        }

        def rename(instruction: Instruction, new: dict[RegisterType, list[int]] = new) -> Instruction:
            names = {name: new[kind][address] for name, kind, address in instruction.operands()}
            return replace(instruction, **names)

        assert hash_of(map_instructions(program, rename), C=C) == hash_of(program, C=C)


def test_dead_code_and_no_ops_do_not_matter():
    generator = np.random.default_rng(0)
    for program in random_programs(300, seed=7):
        unused = Program(replace(MEMORY, scalars=5), *program.components)
        dead = [
            Instruction("no_op"),
            Instruction("scalar_sum", 0, 1, 4),
            Instruction("scalar_gaussian_set", out=4, constants=(0, 1)),
        ]
        components = []
        for component in unused.components:
            instructions = list(component)
            for _ in range(int(generator.integers(4))):
                instructions.insert(int(generator.integers(len(instructions) + 1)), dead[generator.integers(3)])
            components.append(tuple(instructions))
        assert hash_of(Program(unused.memory, *components)) == hash_of(program)
        assert hash_of(remove_dead_code(program)) == hash_of(program)


def test_the_order_of_the_operands_of_commutative_ops_does_not_matter():
    # Unless neither register was used before: then their order is that of their first use.
    swapped = 0
    commutative = [op.name for op in TABLE if op.commutative]
    for program in random_programs(300, seed=8, ops=[*commutative, "scalar_diff", "vector_max", "vector_mean"]):
        used = {(SCALAR, 1), (SCALAR, 0), (VECTOR, 0)}
        live = [list(compress(c, f)) for c, f in zip(program.components, live_instructions(program), strict=True)]
        for component in live:
            for position, instruction in enumerate(component):
                registers = {(kind, address) for _, kind, address in instruction.operands()}
                inputs = {(kind, address) for name, kind, address in instruction.operands() if name != "out"}
                if instruction.spec.commutative and inputs & used:
                    component[position] = replace(instruction, in1=instruction.in2, in2=instruction.in1)
                    swapped += len(inputs) == 2
                used |= registers
        assert hash_of(Program(program.memory, *map(tuple, live))) == hash_of(program)
    assert swapped > 300


def test_fractions_that_select_the_same_element_do_not_matter():
    def setting(*fractions: float) -> Program:
        name, reader = (
            ("vector_const_set", "vector_mean") if len(fractions) == 1 else ("matrix_const_set", "matrix_mean")
        )
        return Program(
            MEMORY, (Instruction(name, out=1, constants=(*fractions, 0.5)),), (Instruction(reader, 1, out=1),), ()
        )

    assert hash_of(setting(0.05), F=4) == hash_of(setting(0.24), F=4)
    assert hash_of(setting(0.05), F=10) != hash_of(setting(0.24), F=10)
    assert hash_of(setting(0.0), F=4) != hash_of(setting(0.25), F=4)
    assert hash_of(setting(0.1, 0.9), F=4) == hash_of(setting(0.2, 0.8), F=4)
    elements = [(i / 4, j / 4) for i in range(4) for j in range(4)]
    assert len({hash_of(setting(*element), F=4) for element in elements}) == 16
    assert len({hash_of(setting((i + 0.5) / 33), F=33) for i in range(33)}) == 33


# -- hash: what matters ----------------------------------------------------------------------------------------------


def predicting(*instructions: Instruction) -> Program:
    return Program(MEMORY, (), instructions, ())


def constant(value: float, out: int = 1) -> Instruction:
    return Instruction("scalar_const_set", out=out, constants=(value,))


DRAWING = Instruction("scalar_uniform_set", out=1, constants=(0.25, 0.75))
DIFFERENT = {
    "a constant": (predicting(constant(0.5)), predicting(constant(0.5 + 2**-53))),
    "the sign of zero": (predicting(constant(0.0)), predicting(constant(-0.0))),
    "the order of constants": (predicting(DRAWING), predicting(replace(DRAWING, constants=(0.75, 0.25)))),
    "the distribution": (predicting(DRAWING), predicting(replace(DRAWING, op="scalar_gaussian_set"))),
    "the order of min": tuple(predicting(Instruction("scalar_min", a, 1 - a, 1)) for a in (0, 1)),
    "the order of max": tuple(predicting(Instruction("scalar_max", a, 1 - a, 1)) for a in (0, 1)),
    "the order of a difference": tuple(predicting(Instruction("scalar_diff", a, 1 - a, 1)) for a in (0, 1)),
    "the order of a division": tuple(predicting(Instruction("scalar_division", a, 1 - a, 1)) for a in (0, 1)),
    "min and max": tuple(predicting(Instruction(op, 0, 1, 1)) for op in ("scalar_min", "scalar_max")),
    "the component": (Program(MEMORY, (DRAWING,), (), ()), predicting(DRAWING)),
    "setup and learn": (Program(MEMORY, (DRAWING,), (), ()), Program(MEMORY, (), (), (DRAWING,))),
    "one draw or two": (
        predicting(DRAWING, Instruction("scalar_product", 1, 1, 1)),
        predicting(DRAWING, replace(DRAWING, out=2), Instruction("scalar_product", 1, 2, 1)),
    ),
    "the order of instructions": (
        predicting(constant(2.0), Instruction("scalar_sum", 1, 0, 1), Instruction("scalar_abs", 1, out=1)),
        predicting(constant(2.0), Instruction("scalar_abs", 1, out=1), Instruction("scalar_sum", 1, 0, 1)),
    ),
    "a register of its own": (
        predicting(Instruction("vector_mean", 0, out=2), Instruction("scalar_sum", 2, 1, 1)),
        predicting(Instruction("vector_mean", 0, out=1), Instruction("scalar_sum", 1, 1, 1)),
    ),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_matters_changes_the_hash(what):
    one, other = DIFFERENT[what]
    assert hash_of(one) != hash_of(other)


def test_every_live_constant_op_and_address_matters_or_the_errors_stay():
    """Two programs that differ in one place have other hashes, or make the same errors."""
    x = np.random.default_rng(0).normal(size=(6, 3))
    tasks = from_arrays(x, x.sum(1), x[:4], x[:4].sum(1), max_abs_error=1e6)
    generator = np.random.default_rng(1)
    same = 0
    for program in random_programs(300, seed=9):
        components = [list(component) for component in program.components]
        if not any(components):
            continue
        chosen = components[generator.choice([i for i in range(3) if components[i]])]
        at = int(generator.integers(len(chosen)))
        chosen[at] = programs.random_instruction(chosen[at].spec, MEMORY, generator)
        changed = Program(MEMORY, *map(tuple, components))
        if hash_of(changed, F=3) == hash_of(program, F=3):
            same += 1
            assert errors_of(changed, tasks) == errors_of(program, tasks)
    assert 50 < same < 250


@entry_point
def _walk(count, code, constants, sizes, space, rng, form, hashes, forms, numbers):  # type: ignore[no-untyped-def]
    """Hashes and forms of programs with some live code, each a mutation of the one before, with fresh starts."""
    made = 0
    for i in range(count):
        while True:
            if made % 6 == 0:
                for c in range(3):
                    sizes[c] = space.max_sizes[c]
                randomize_algorithm(code, constants, sizes, space, rng)
            else:
                mutate(code, constants, sizes, space, rng)
            made += 1
            hashes[i] = canonicalise(code, constants, sizes, space.starts, 4, 0, space.ops, form)
            if form.counts[0] + form.counts[1] + form.counts[2] > 6:
                break
        n = 0
        for c in range(3):
            forms[i, 0, c] = form.counts[c]
            for _ in range(form.counts[c]):
                for j in range(4):
                    forms[i, 1 + n, j] = form.code[n, j]
                forms[i, 1 + n, 4] = form.elements[n]
                for j in range(space.ops.num_constants[form.code[n, 0]]):
                    if space.ops.kinds[form.code[n, 0], j] != 1:
                        numbers[i, n, j] = form.constants[n, j]
                n += 1


def test_a_hundred_thousand_forms_do_not_collide():
    count, max_sizes = 230_000, {"setup": 4, "predict": 9, "learn": 7}
    config = load_config(
        "digits",
        [
            *(
                f"search_space.{name}={{ ops = {OFTEN_LIVE}, min_size = 0, max_size = {size}, initial_size = {size} }}"
                for name, size in max_sizes.items()
            ),
            *("search_space.scalars=3", "search_space.vectors=2", "search_space.matrices=1"),
            "mutations.weights={ alter_param = 4, randomize_instruction = 1, remove_instruction = 1 }",
        ],
    )
    space = make_space(config)
    slots = sum(max_sizes.values())
    code, constants, sizes = np.zeros((slots, 4), np.uint8), np.zeros((slots, 3)), space.initial_sizes.copy()
    hashes, forms = np.zeros(count, np.uint64), np.zeros((count, 1 + slots, 5), np.uint8)
    numbers = np.zeros((count, slots, 2))
    _walk(count, code, constants, sizes, space, new_generator(1), new_canonical(slots), hashes, forms, numbers)
    of_form: dict[bytes, int] = {}
    for value, form, number in zip(hashes.tolist(), forms, numbers, strict=True):
        assert of_form.setdefault(form.tobytes() + number.tobytes(), value) == value
    assert len(of_form) > 100_000
    assert len(set(of_form.values())) == len(of_form)
    low_bits = np.bincount(np.array(list(of_form.values()), np.uint64).astype(np.int64) & 63, minlength=64)
    assert low_bits.min() > 0.8 * len(of_form) / 64  # they choose a cache's set
    assert low_bits.max() < 1.2 * len(of_form) / 64


def test_programs_of_equal_hash_have_equal_fitness(tasks):
    groups = defaultdict(set)
    members: dict[int, set[Program]] = defaultdict(set)
    C = tasks.num_classes
    ops = ["scalar_sum", "vector_mean", "scalar_uniform_set", "no_op"]
    if C:
        ops = ["vector_sum", "vector_abs", "vector_uniform_set", "no_op"]
    for program in random_programs(400, seed=10, ops=ops, size=2, memory=MEMORY, C=C):
        value = hash_of(program, F=3, C=C)
        groups[value].add(tuple(evaluate_program(program, tasks)))
        members[value].add(program)
    assert sum(len(group) > 1 for group in members.values()) > 20
    assert all(len(fitness) == 1 for fitness in groups.values())
    assert len(groups) > 20


def test_index_constants_are_the_only_ones_that_the_hash_takes_by_element():
    for op in TABLE:
        kinds = [kind for _, kind in op.constants]
        if kinds:
            reader = {SCALAR: "scalar_abs", VECTOR: "vector_mean", RegisterType.MATRIX: "matrix_mean"}[op.output]
            out = 1 if op.output != SCALAR else 2

            def using(constants: list[float], op=op, out=out, reader=reader) -> Program:
                return predicting(
                    Instruction(op.name, out=out, constants=tuple(constants)), Instruction(reader, out, out=1)
                )

            base = [0.5] * len(kinds)
            for j, kind in enumerate(kinds):
                nearby = [*base[:j], 0.5 + 2**-20, *base[j + 1 :]]
                assert (hash_of(using(base)) == hash_of(using(nearby))) == (kind == ConstantKind.INDEX)
