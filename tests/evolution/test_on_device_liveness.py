"""Dead-code removal on the device agrees with the analysis of the CPU engine and with the readable one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from automl_zero import programs
from automl_zero.analysis.compiled import new_canonical
from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.evolution.mutation import Space, make_space
from automl_zero.evolution.on_device.genome import from_row, rows_of
from automl_zero.evolution.on_device.liveness import Live, live_flags, live_part
from automl_zero.evolution.on_device.plan import Plan
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE, RegisterType
from automl_zero.program import Program
from automl_zero.program_arrays import pack, unpack
from tests import compiled
from tests.mutators import ALL_OPS, make_config
from tests.on_device import plan_of, quick_compilation  # noqa: F401

ROOM = 6
PARTIAL = ["vector_const_set", "matrix_const_set", "vector_sum", "matrix_vector_product", "scalar_const_set"]
FEW = ["scalar_sum", "vector_sum", "vector_mean", "scalar_const_set", "no_op"]
SMALL, LARGEST = MemorySpec(4, 4, 2), MemorySpec(20, 20, 20)


def space_and_plan(memory: MemorySpec, num_classes: int, ops: list[str] = ALL_OPS) -> tuple[Space, Plan]:
    config = make_config(ops=(ops,) * 3, sizes=(0, ROOM, 3))
    registers = (0, memory.scalars, memory.vectors, memory.matrices)
    space = make_space(config, num_classes > 0)._replace(registers=np.array(registers, np.int64))
    return space, replace(
        plan_of(config), registers=registers, num_classes=num_classes, allowed=((), (), ()), shapes=()
    )


def analysed(code: np.ndarray, constants: np.ndarray, sizes: np.ndarray, plan: Plan) -> Live:
    return jax.tree.map(np.asarray, _analysed(jnp.asarray(rows_of(code, constants, sizes)), plan))


@partial(jax.jit, static_argnums=1)
def _analysed(rows: jax.Array, plan: Plan) -> Live:
    def one(row: jax.Array) -> Live:
        genome = from_row(row)
        return live_part(genome, live_flags(genome, plan), plan)

    return jax.vmap(one)(rows)


def random_code(
    rng: np.random.Generator, n: int, slots: int, ops: list[str], space: Space
) -> tuple[np.ndarray, np.ndarray]:
    op = rng.choice([TABLE[name].id for name in ops], (n, slots))
    kinds = np.stack([space.ops.inputs[op, 0], space.ops.inputs[op, 1], space.ops.output[op]])
    addresses = np.where(kinds == 0, 0, rng.integers(0, np.maximum(space.registers[kinds], 1)))
    code = np.concatenate([op[None], addresses]).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(code, 0, -1)), rng.uniform(size=(n, slots, 3))


@pytest.mark.parametrize(
    ("memory", "num_classes"), [(SMALL, 0), (SMALL, 3), (LARGEST, 0)], ids=["scalars", "classes", "largest memory"]
)
def test_the_live_part_is_that_of_the_cpu_engine(memory, num_classes):
    rng, seen = np.random.default_rng(1), 0
    for ops in (ALL_OPS, PARTIAL, FEW):
        space, plan = space_and_plan(memory, num_classes, ops)
        n, slots = 700, plan.slots
        code, constants = random_code(rng, n, slots, ops, space)
        sizes = rng.integers(ROOM // 2, ROOM + 1, (n, 3))  # what is beyond them does not matter
        form, expected = new_canonical(slots), np.zeros((n, slots), bool)
        for i in range(n):
            compiled.find_live(code[i], sizes[i], space.starts, num_classes, space.ops, form)
            expected[i] = form.live[:slots].astype(bool) & (plan.place_of < sizes[i][plan.component_of])
        live = analysed(code, constants, sizes, plan)
        assert (live.flags == expected).all()
        seen += expected.sum()
        op = code[..., 0]
        kinds = np.stack([space.ops.inputs[op, 0], space.ops.inputs[op, 1], space.ops.output[op]])
        assert (live.uses_matrices == ((kinds == RegisterType.MATRIX).any(axis=0) & expected).any(axis=1)).all()
        for component in range(3):
            kept = expected & (plan.component_of == component)
            counts = kept.sum(axis=1)
            assert (live.programs.sizes[:, component] == counts).all()
            filled = np.arange(live.programs.code.shape[2]) < counts[:, None]  # in the order of the slots
            assert (live.programs.code[:, component][filled] == code[kept]).all()
            assert (live.programs.constants[:, component][filled] == constants[kept].astype(np.float32)).all()
    assert seen > 300


def test_the_live_part_is_the_program_without_dead_code():
    _, plan = space_and_plan(SMALL, 0)
    sizes = {"setup": ROOM, "predict": ROOM, "learn": ROOM}
    several = [programs.random(SMALL, dict.fromkeys(sizes, PARTIAL + FEW), sizes, seed) for seed in range(50)]
    packed = [pack(program, plan.max_sizes) for program in several]
    live = analysed(*(np.stack(parts) for parts in zip(*packed, strict=True)), plan)
    seen = 0
    for i, program in enumerate(several):
        expected = remove_dead_code(program)
        code, counts = live.programs.code[i].reshape(-1, 4).astype(np.uint8), live.programs.sizes[i]
        found = unpack(SMALL, code, np.zeros((len(code), 3)), counts, np.arange(3) * ROOM)
        assert [[(i.op, i.in1, i.in2, i.out) for i in c] for c in found.components] == [
            [(i.op, i.in1, i.in2, i.out) for i in c] for c in expected.components
        ]
        seen += sum(len(component) for component in expected.components)
    assert seen > 25


def test_constants_keep_every_bit():
    _, plan = space_and_plan(SMALL, 0)
    text = {"setup": [{"op": "scalar_const_set", "out": 2, "constants": [-0.0]}], "learn": []}
    text |= {"format": "automl-zero-program/1", "memory": {"scalars": 4, "vectors": 4, "matrices": 2}}
    text["predict"] = [{"op": "scalar_reciprocal", "in1": 2, "out": 1}]
    code, constants, sizes = pack(Program.from_json(text), plan.max_sizes)
    live = analysed(code[None], constants[None], sizes[None], plan)
    assert live.programs.sizes.tolist() == [[1, 1, 0]]
    assert live.programs.code[0, 0, 0].tolist() == [TABLE["scalar_const_set"].id, 0, 0, 2]
    assert np.signbit(live.programs.constants[0, 0, 0, 0])
