"""Reading of golden files: recorded behaviour of the authors' C++ implementation.

Two kinds of JSON files (plain or gzip). A list holds op cases: one instruction, its registers before, and its output
register after. An object with ``tasks`` and ``programs`` holds whole programs and their fitness on each task.
Instructions are written as ``{"op": id, "in1", "in2", "out", "act", "f": [..]}``: ``act`` is the constant of
scalar_const_set, ``f`` holds those of the other ops, and fields that an op does not use are 0. Non-finite numbers are
the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.memory import MemorySpec
from automl_zero.ops import NUM_BUILT_IN, TABLE, Op, RegisterType
from automl_zero.program import COMPONENTS, Instruction, Program
from automl_zero.tasks import Evaluation, TaskSet, from_arrays

Floats = npt.NDArray[np.float64]
_EVALUATIONS: dict[str, Evaluation] = {"RMS_ERROR": "rmse", "ACCURACY": "accuracy"}


@dataclass(frozen=True)
class OpCase:
    """One instruction and its effect; ``operands`` are the values of in1 and in2 (None where the op has none)."""

    position: int
    op: Op
    constants: tuple[float, ...]
    num_features: int
    operands: tuple[Floats | None, Floats | None]
    out_before: Floats
    expected: Floats
    addresses: tuple[int | None, int | None, int | None]
    special: bool


@dataclass(frozen=True)
class Pair:
    """Recorded fitness of a program on a task, and the absolute errors of a short run (10 + 10 examples)."""

    program: int
    task: int
    fitness: float
    train_errors: list[float]
    valid_errors: list[float]


@dataclass(frozen=True)
class ProgramCases:
    """Programs, tasks (each a set of one) by id, and the recorded results."""

    programs: list[Program]
    tasks: dict[int, TaskSet]
    pairs: list[Pair]


def read(path: Path) -> list[OpCase] | ProgramCases:
    """Read a golden file of either kind; ValueError that names the file and the place when it is malformed."""
    try:
        content = path.read_bytes()
        return _cases(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _cases(content: bytes) -> list[OpCase] | ProgramCases:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a JSON file ({error})") from None
    if isinstance(data, list) and data:
        return [_op_case(position, record) for position, record in enumerate(data)]
    if isinstance(data, dict):
        return _program_cases(data)
    raise ValueError("expected a list of op cases, or an object with tasks and programs")


def _op_case(position: int, record: Any) -> OpCase:
    try:
        instruction = _instruction(record["instruction"])
        if instruction.out is None or instruction.spec.random:
            raise ValueError(f"op {instruction.op} has no output that could be compared")
        op, F = instruction.spec, int(record["F"])
        before = {RegisterType.SCALAR: record["scalars"]}

        def value(kind: RegisterType, suffix: str, address: int) -> Floats:
            held = before[kind][address] if kind == RegisterType.SCALAR else record[f"{kind.letter}_{suffix}"]
            return _register(kind, held, F)

        names = ("in1", "in2")
        operands = [value(kind, name, getattr(instruction, name)) for name, kind in zip(names, op.inputs, strict=False)]
        in1, in2 = (*operands, None, None)[:2]
        return OpCase(
            position=position,
            op=op,
            constants=instruction.constants,
            num_features=F,
            operands=(in1, in2),
            out_before=value(op.output, "out_before", instruction.out),
            expected=_register(op.output, record[f"{op.output.letter}_after"], F),
            addresses=(instruction.in1, instruction.in2, instruction.out),
            special=bool(record["special"]),
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"case {position}: {_reason(error)}") from None


def _program_cases(data: dict[str, Any]) -> ProgramCases:
    place = "memory"
    try:
        memory = MemorySpec(*(data[f"{kind}_addresses"] for kind in ("scalar", "vector", "matrix")))
        tasks = {}
        for position, record in enumerate(data["tasks"]):
            place = f"task {position}"
            tasks[int(record["id"])] = _task(record)
        programs: list[Program] = []
        pairs: list[Pair] = []
        for position, record in enumerate(data["programs"]):
            place = f"program {position}"
            components = (tuple(_instruction(i) for i in record["program"][component]) for component in COMPONENTS)
            programs.append(Program(memory, *components))
            pairs += [_pair(position, int(record["F"]), entry, tasks) for entry in record["fitness"]]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"{place}: {_reason(error)}") from None
    if not pairs:
        raise ValueError("no program has a recorded fitness")
    return ProgramCases(programs, tasks, pairs)


def _pair(program: int, F: int, entry: Any, tasks: dict[int, TaskSet]) -> Pair:
    task = int(entry["task"])
    if task not in tasks:
        raise ValueError(f"there is no task {task}")
    if tasks[task].num_features != F:
        raise ValueError(f"task {task} has {tasks[task].num_features} features, the program {F}")
    errors = (_numbers(entry.get(f"probe_{part}_abs_errors", ())).tolist() for part in ("train", "valid"))
    return Pair(program, task, float(entry["fitness"]), *errors)


def _task(record: Any) -> TaskSet:
    if record["eval"] not in _EVALUATIONS:
        raise ValueError(f"eval is {record['eval']!r}: expected {' or '.join(_EVALUATIONS)}")
    train_x, train_y, valid_x, valid_y = (
        _numbers(record[f"{part}_{axis}"]) for part in ("train", "valid") for axis in "xy"
    )
    tasks = from_arrays(train_x, train_y, valid_x, valid_y, _EVALUATIONS[record["eval"]])
    if tasks.num_features != record["F"]:
        raise ValueError(f"F is {record['F']}, but the examples have {tasks.num_features} features")
    return tasks


def _instruction(record: Any) -> Instruction:
    number = record["op"]
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < NUM_BUILT_IN:
        raise ValueError(f"op is {number!r}: expected an id from 0 to {NUM_BUILT_IN - 1}")
    op = TABLE[number]
    in1, in2 = (record[name] if position < len(op.inputs) else None for position, name in enumerate(("in1", "in2")))
    constants = (record["act"],) if op.name == "scalar_const_set" else record["f"][: len(op.constants)]
    out = None if op.output == RegisterType.NONE else record["out"]
    return Instruction(op.name, in1, in2, out, tuple(_numbers(constants).tolist()))


def _register(kind: RegisterType, held: Any, F: int) -> Floats:
    values = _numbers(held)
    shape = ((), (F,), (F, F))[kind - 1]
    if values.size != int(np.prod(shape)):
        raise ValueError(f"a {kind.name.lower()} register holds {values.size} numbers, but F is {F}")
    return values.reshape(shape)


def _numbers(held: float | str | Sequence[Any]) -> Floats:
    return np.array(held, dtype=np.float64)  # "nan", "inf" and "-inf" are understood


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return f"a value of the wrong type ({error})" if isinstance(error, TypeError) else str(error)
