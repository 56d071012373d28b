"""The CPU backend: programs run in lockstep on all tasks of a set (see README.md in this folder)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.aligned import aligned_bytes, padded
from automl_zero.analysis.compiled import canonicalise, new_canonical
from automl_zero.interpreters import record
from automl_zero.interpreters.execute import encode, run_kernel
from automl_zero.interpreters.kernel import Kernel, Observer, get_kernel
from automl_zero.interpreters.lane_data import (
    LARGEST_SPECIALISED,
    Arena,
    LaneData,
    kernel_for,
    lay_out,
    new_arena,
)
from automl_zero.jit import entry_point
from automl_zero.memory import MemorySpec
from automl_zero.ops import Op, RegisterType
from automl_zero.ops.arrays import OpArrays, op_arrays
from automl_zero.program import Instruction, Program
from automl_zero.program_arrays import pack, starts_of
from automl_zero.tasks import TaskSet
from automl_zero.vector_labels import check_program


class Evaluator:
    """Evaluates programs on one task set, again and again, without any cache.

    Args:
        tasks: the tasks; they are laid out in lanes once.
        dtype: "float32" or "float64".
        observer: told about kernels that have to be compiled.
    """

    def __init__(self, tasks: TaskSet, dtype: str, observer: Observer | None = None) -> None:
        self._kernel = kernel_for(tasks.num_tasks, tasks.num_features, tasks.num_classes, dtype, observer)
        self.data: LaneData = lay_out(tasks, dtype, self._kernel)
        self.ops: OpArrays = op_arrays()
        self._arena: Arena | None = None
        self._room = (0, MemorySpec(2, 1, 0))

    def evaluate(self, program: Program) -> tuple[npt.NDArray[np.float64], int]:
        """Fitness on every task, float64[D], and the train steps taken.

        Raises:
            ValueError: the program cannot run on vector labels, and the tasks have them.
        """
        check_program(program, self.data.num_classes)
        code, constants, sizes = pack(program)
        arena = self._arena_for(len(code), program.memory)
        form = new_canonical(len(code))
        steps = _evaluate(code, constants, sizes, starts_of(sizes), form, self.data, self.ops, arena)
        return arena.fitness.reshape(-1)[: self.data.num_tasks].copy(), int(steps)

    def time(self, program: Program, count: int) -> float:
        """Seconds that the kernel takes to evaluate a program `count` times on the tasks of one block of lanes.

        Raises:
            ValueError: there are tasks for more than one block.
        """
        if self.data.blocks != 1:
            raise ValueError(f"num_tasks is {self.data.num_tasks}: expected at most {self.data.lanes}")
        self.evaluate(program)
        assert self._arena is not None
        job = self._arena.job_at
        start = time.perf_counter()
        for _ in range(count):
            self._kernel(job)
        return time.perf_counter() - start

    def _arena_for(self, slots: int, memory: MemorySpec) -> Arena:
        if self._arena is None or slots > self._room[0] or memory != self._room[1]:
            self._arena = new_arena(self.data, slots, memory.scalars, memory.vectors, memory.matrices)
            self._room = (slots, memory)
        return self._arena


@entry_point
def _evaluate(code, constants, sizes, starts, form, data, ops, arena):  # type: ignore[no-untyped-def]
    canonicalise(code, constants, sizes, starts, data.num_features, data.num_classes, ops, form)
    encode(form, data, ops, arena)
    steps, _ = run_kernel(form, data, arena, data.num_train, data.num_valid, data.epochs, 0, 0)
    return steps


def evaluate_programs(programs: Sequence[Program], tasks: TaskSet, dtype: str) -> npt.NDArray[np.float64]:
    """Fitness of programs on tasks, float64[n, D]."""
    evaluator = Evaluator(tasks, dtype)
    return np.array([evaluator.evaluate(program)[0] for program in programs]).reshape(len(programs), tasks.num_tasks)


def execute(
    op: Op,
    constants: Sequence[float],
    num_features: int,
    in1: Any,
    in2: Any,
    out_before: Any,
    dtype: str,
    alias: tuple[int | None, int | None, int | None] = (None, None, None),
) -> npt.NDArray[Any]:
    """Execute one instruction by the kernel and return its output register; the numpy interpreter has the same.

    Args:
        op: the op.
        constants: its constants.
        num_features: F.
        in1: contents of the first operand, or None; a number, [F] or [F, F].
        in2: the second operand.
        out_before: contents of the output register before.
        dtype: "float32" or "float64".
        alias: addresses of (in1, in2, out); operands of one type and address are one register.

    Returns:
        Contents of the output register after, in the dtype.
    """
    specialised = num_features if num_features <= LARGEST_SPECIALISED else None
    machine = _Bench(get_kernel(16, specialised, dtype), num_features)
    places: dict[Any, int] = {}
    for name, kind, contents, address in (
        ("out", op.output, out_before, alias[2]),
        *zip(("in1", "in2"), op.inputs, (in1, in2), alias, strict=False),
    ):
        key = (kind, address) if address is not None else name
        if key not in places:
            places[key] = machine.allocate(kind, contents)
        machine.operands[name] = places[key]
    instruction = Instruction(op.name, **dict.fromkeys(machine.operands, 0), constants=tuple(constants))
    return machine.run(op, instruction.constants)  # rounded as in any program


class _Bench:
    """One instruction on a kernel, outside any program."""

    def __init__(self, kernel: Kernel, num_features: int) -> None:
        self.kernel, self.num_features = kernel, num_features
        self.row = kernel.lanes * np.dtype(kernel.dtype).itemsize
        self.matrix = padded(num_features**2 * self.row)
        self.memory = aligned_bytes(4 * self.matrix)
        self.used = self.matrix  # the first one is scratch
        self.operands: dict[str, int] = {}

    def _view(self, at: int, kind: RegisterType) -> npt.NDArray[Any]:
        rows = self.num_features ** (kind - 1)
        view = self.memory[at : at + rows * self.row].view(self.kernel.dtype)
        return view.reshape(*[self.num_features] * (kind - 1), self.kernel.lanes)

    def allocate(self, kind: RegisterType, contents: Any) -> int:
        """Fill a new register, the same in every lane; returns its place."""
        at = self.used
        self.used += self.matrix
        self._view(at, kind)[...] = np.asarray(contents, self.kernel.dtype)[..., None]
        return at

    def run(self, op: Op, constants: Sequence[float]) -> npt.NDArray[Any]:
        """Execute the op on the registers allocated."""
        base = self.memory.ctypes.data
        records = aligned_bytes(record.SIZE)
        integers, doubles = records.view(np.int64), records.view(np.float64)
        integers[0] = op.id
        element = 0
        values = []
        for (_, kind), value in zip(op.constants, constants, strict=True):
            if kind.name == "INDEX":
                element = element * self.num_features + int(self.num_features * value)
            else:
                values.append(value)
        doubles[6 : 6 + len(values)] = values
        for field, name in ((1, "in1"), (2, "in2"), (3, "out")):
            integers[field] = base + self.operands.get(name, 0)
        integers[3] += element * self.row
        job = np.zeros(record.JOB_FIELDS, np.int64)
        fitness, seeds = np.zeros(self.kernel.lanes), np.zeros((2, self.kernel.lanes), np.uint32)
        job[record.JOB_PROGRAM], job[record.JOB_SETUP] = records.ctypes.data, 1
        job[record.JOB_MEMORY], job[record.JOB_SCRATCH] = base, base
        job[record.JOB_FEATURES], job[record.JOB_LANES] = self.num_features, self.kernel.lanes
        job[record.JOB_FITNESS], job[record.JOB_SEEDS] = fitness.ctypes.data, seeds.ctypes.data
        self.kernel(job.ctypes.data)
        return self._view(self.operands["out"], op.output)[..., 0].copy()
