"""Programs: three component functions over typed registers (paper, Section 3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from automl_zero.instruction import Instruction
from automl_zero.memory import MemorySpec, first_output
from automl_zero.ops import RegisterType
from automl_zero.pseudocode import Names, render

__all__ = ["COMPONENTS", "FORMAT", "Instruction", "Program"]

COMPONENTS = ("setup", "predict", "learn")
FORMAT = "automl-zero-program/1"
_REGISTERS = ("scalars", "vectors", "matrices")
_PLURAL = ("", *_REGISTERS)
_RESERVED = {RegisterType.SCALAR: "s0 is the label", RegisterType.VECTOR: "v0 holds the features"}


@dataclass(frozen=True)
class Program:
    """A program: its register files and its three component functions.

    Programs are immutable, hashable, and equal when they are written alike.

    Attributes:
        memory: numbers of registers.
        setup: instructions run once per evaluation.
        predict: instructions run for every example, with the features in v0.
        learn: instructions run for every training example after ``predict``, with the label in s0.

    Raises:
        TypeError: a component holds something other than instructions.
        ValueError: an address is out of range or reserved; the message names the place.
    """

    memory: MemorySpec
    setup: tuple[Instruction, ...]
    predict: tuple[Instruction, ...]
    learn: tuple[Instruction, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.memory, MemorySpec):
            raise TypeError(f"memory: {self.memory!r} is not a MemorySpec")
        for component in COMPONENTS:
            instructions = tuple(getattr(self, component))
            object.__setattr__(self, component, instructions)
            for position, instruction in enumerate(instructions):
                place = f"{component}[{position}]"
                if not isinstance(instruction, Instruction):
                    raise TypeError(f"{place}: {instruction!r} is not an Instruction")
                _check_ranges(instruction, self.memory, place)

    @property
    def components(self) -> tuple[tuple[Instruction, ...], tuple[Instruction, ...], tuple[Instruction, ...]]:
        """The component functions in the order of :data:`COMPONENTS`."""
        return self.setup, self.predict, self.learn

    def __str__(self) -> str:
        return self.pseudocode()

    def pseudocode(self, num_features: int | None = None, num_classes: int = 0, names: Names | None = None) -> str:
        """The program as text in the notation of the paper's figures; valid Python syntax, no_ops left out.

        Args:
            num_features: F; when it is given, the elements that index constants select are written as integers.
            num_classes: 0 for scalar labels, else C; which registers are label and prediction depends on it.
            names: names of operands, such as :func:`automl_zero.analysis.names.infer_names` finds.
        """
        return render(self.components, num_features, num_classes, names)

    def to_dict(self) -> dict[str, Any]:
        """JSON object of the program file."""
        return {
            "format": FORMAT,
            "memory": {name: getattr(self.memory, name) for name in _REGISTERS},
            **{component: [i.to_dict() for i in getattr(self, component)] for component in COMPONENTS},
        }

    def to_json(self) -> str:
        """Text of the program file, one instruction a line."""
        record = self.to_dict()
        fields = [f'"format": {json.dumps(FORMAT)}', f'"memory": {json.dumps(record["memory"])}']
        for component in COMPONENTS:
            lines = ",\n".join(f"    {json.dumps(instruction)}" for instruction in record[component])
            fields.append(f'"{component}": [\n{lines}\n  ]' if lines else f'"{component}": []')
        return "{\n  " + ",\n  ".join(fields) + "\n}\n"

    @classmethod
    def from_json(cls, source: str | Mapping[str, Any]) -> Program:
        """Read a program from the text of a program file or from the object that it holds.

        Raises:
            TypeError: ``source`` is neither text nor a mapping.
            ValueError: the file is malformed; the message names the place.
        """
        if isinstance(source, str):
            try:
                record = json.loads(source, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
            except RecursionError:
                raise ValueError("program: nested too deeply") from None
        elif isinstance(source, Mapping):
            record = source
        else:
            raise TypeError(f"program: expected JSON text or a dict, got {type(source).__name__}")
        _check_keys("program", record, ("format", "memory", *COMPONENTS))
        if record["format"] != FORMAT:
            raise ValueError(f"format: {record['format']!r} is not supported, expected {FORMAT!r}")
        _check_keys("memory", record["memory"], _REGISTERS)
        try:
            memory = MemorySpec(**record["memory"])
        except TypeError as error:
            raise ValueError(str(error)) from None
        return cls(memory, *(_read_component(name, record[name]) for name in COMPONENTS))

    @classmethod
    def load(cls, path: str | Path) -> Program:
        """Read a program file (UTF-8 JSON); ValueError that names the file when it is malformed."""
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} is not JSON; it may have been cut off: {error}") from None
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def save(self, path: str | Path) -> None:
        """Write a program file."""
        Path(path).write_text(self.to_json(), encoding="utf-8")


def _check_ranges(instruction: Instruction, memory: MemorySpec, place: str) -> None:
    for name, kind, address in instruction.operands():
        count = memory.count(kind)
        if address >= count:
            register = f"{kind.letter}{address}"
            raise ValueError(f"{place}.{name}: register {register} is out of range ({count} {_PLURAL[kind]})")
        if name == "out" and address < first_output(kind):
            raise ValueError(f"{place}.out: {_RESERVED[kind]} and cannot be written")


def _read_component(component: str, records: Any) -> tuple[Instruction, ...]:
    if not isinstance(records, list | tuple):
        raise ValueError(f"{component}: expected a list of instructions, got {records!r:.80}")
    return tuple(_read_instruction(f"{component}[{i}]", record) for i, record in enumerate(records))


def _read_instruction(place: str, record: Any) -> Instruction:
    _check_keys(place, record, ("op",), optional=("in1", "in2", "out", "constants"))
    try:
        instruction = Instruction(**record)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}.{error}") from None
    for key in sorted(
        record.keys() - instruction.to_dict().keys()
    ):  # an unused operand given as null, or constants as []
        raise ValueError(f"{place}.{key}: {instruction.op} does not use it, leave the key out")
    return instruction


def _check_keys(place: str, record: Any, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    if not isinstance(record, Mapping):
        raise ValueError(f"{place}: expected an object, got {record!r:.80}")
    for key in required:
        if key not in record:
            raise ValueError(f"{place}: key {key!r} is missing")
    for key in record:
        if key not in required and key not in optional:
            raise ValueError(f"{place}: unknown key {key!r}; expected {', '.join((*required, *optional))}")


def _refuse_constant(token: str) -> NoReturn:
    raise ValueError(f"program: {token} is not a finite number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"program: key {repeated!r} appears twice")
    return record
