"""A program as Python functions: the statements of its components, and the registers that pass between them."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.memory import FEATURES, LABEL, PREDICTION, VECTOR_LABEL, VECTOR_PREDICTION
from automl_zero.ops import ConstantKind, RegisterType
from automl_zero.program import Instruction, Program
from automl_zero.vector_labels import check_program

Register = tuple[RegisterType, int]

_LABEL, _PREDICTION = (RegisterType.SCALAR, LABEL), (RegisterType.SCALAR, PREDICTION)
_VECTOR_LABEL, _VECTOR_PREDICTION = (RegisterType.VECTOR, VECTOR_LABEL), (RegisterType.VECTOR, VECTOR_PREDICTION)
_FEATURES = (RegisterType.VECTOR, FEATURES)
_DRAWS = ("uniform", "gaussian")

#: functions of numpy by the same names, or of Python
IMPORTED = ("arccos", "arcsin", "arctan", "cos", "exp", "log", "sin", "tan")
BUILT_IN = ("abs", "int")
#: functions that a target has to define
DEFINED = (
    *("broadcast", "dot", "heaviside", "matmul", "maximum", "mean", "minimum", "norm", "outer"),
    *("put", "scalar", "std", "transpose"),
)


@dataclass(frozen=True)
class Listing:
    """A program without its dead code.

    Attributes:
        components: the statements of Setup, Predict and Learn, one an instruction.
        state: names of the registers that pass from one run of a component to another, the prediction first. All others
            are written before they are read.
        zeros: for each component, the registers that are zero when it starts and that it reads, or leaves as they are.
        draws: for each component, whether it draws random numbers.
        label: name of the register that holds the label in Learn.
    """

    components: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    state: tuple[str, ...]
    zeros: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    draws: tuple[bool, bool, bool]
    label: str

    def functions(self, numpy: str) -> list[str]:
        """Source of the component functions, to and from which the state passes as a tuple.

        Args:
            numpy: the name by which they call numpy, or a library like it.
        """
        docstrings = (
            "Registers before the first example.",
            f"Registers after Predict on features v0; the prediction is {self.state[0]}.",
            f"Registers after Learn from features v0 and label {self.label}.",
        )
        names = ("setup", "predict", "learn")
        return [self._function(component, names[component], docstrings[component], numpy) for component in range(3)]

    def _function(self, component: int, name: str, docstring: str, numpy: str) -> str:
        arguments = [("F",), ("memory", "v0"), ("memory", "v0", self.label)][component]
        statements = self.components[component]
        state = ", ".join(self.state) if len(self.state) > 1 else f"({self.state[0]},)"
        lines = [] if component == 0 else [f"{state} = memory"]
        zeros = {"s": "scalar(0.0)", "v": f"{numpy}.zeros(F)", "m": f"{numpy}.zeros((F, F))"}
        body = [*(f"{register} = {zeros[register[0]]}" for register in self.zeros[component]), *statements]
        if component > 0 and any(re.search(r"\bF\b", line) for line in body):
            lines.append("F = v0.size")
        lines += [*body, f"return {state}"]
        header = f"def {name}({', '.join([*arguments, *(['draw'] if self.draws[component] else [])])}):"
        return "\n    ".join([header, f'"""{docstring}"""', *lines])


def listing(program: Program, num_features: int | None, num_classes: int) -> Listing:
    """List a program.

    Args:
        program: the program.
        num_features: F, to write the elements that index constants select as numbers; None for any F.
        num_classes: C of vector labels, 0 for scalar labels.

    Raises:
        ValueError: ``num_features`` is not positive, the program cannot run on such labels, or an op is not a statement
            with known functions.
    """
    check_program(program, num_classes)
    if num_features is not None and num_features < 1:
        raise ValueError(f"num_features is {num_features!r}: expected a positive integer")
    live = remove_dead_code(program, num_classes)
    label, prediction = (_VECTOR_LABEL, _VECTOR_PREDICTION) if num_classes else (_LABEL, _PREDICTION)
    exposed = [_read_first(component) for component in live.components]
    hidden = {_LABEL, label}  # with vector labels s0 is zero in Learn too
    between = (exposed[1] | exposed[2] | {prediction}) - {*hidden, _FEATURES}
    state = (prediction, *sorted(between - {prediction}))
    setup_zeros = exposed[0] | (between - _written(live.setup))
    setup, predict, learn = (
        tuple(_statement(instruction, num_features) for instruction in component) for component in live.components
    )
    return Listing(
        (setup, predict, learn),
        tuple(map(_name, state)),
        (_names(setup_zeros), _names(exposed[1] & hidden), _names(exposed[2] & (hidden - {label}))),
        (_draws(live.setup), _draws(live.predict), _draws(live.learn)),
        _name(label),
    )


def _statement(instruction: Instruction, num_features: int | None) -> str:
    """The pseudocode of an instruction with exact constants, as an expression that changes nothing in place."""
    op = instruction.spec
    fields = {name: f"{kind.letter}{address}" for name, kind, address in instruction.operands()}
    constants = []
    for (_, kind), value in zip(op.constants, instruction.constants, strict=True):
        if kind != ConstantKind.INDEX:
            constants.append(repr(value))
        else:
            constants.append(f"int({value!r} * F)" if num_features is None else str(int(num_features * value)))
    if op.partial_write:
        place = ", ".join(constants[:-1])
        return f"{fields['out']} = put({fields['out']}, ({place},), {constants[-1]})"
    text = op.pseudocode.format(**fields, **{f"c{position}": constant for position, constant in enumerate(constants)})
    expression = text.removeprefix(f"{fields['out']} = ")
    _check(op.name, expression, _DRAWS if op.random else (*IMPORTED, *BUILT_IN, *DEFINED))
    if op.random:
        expression = f"draw.{expression}"
    elif not op.inputs:
        expression = f"scalar({expression})"
    return f"{fields['out']} = {expression}"


def _check(op: str, expression: str, known: Collection[str]) -> None:
    """Raise a ValueError unless the text is an expression with known functions: user ops may have any pseudocode."""
    try:
        unknown = _called(expression) - set(known)
    except SyntaxError:
        raise ValueError(
            f"op {op!r} cannot be exported: its pseudocode {expression!r} is not a Python expression"
        ) from None
    if unknown:
        raise ValueError(
            f"op {op!r} cannot be exported: its pseudocode calls {min(unknown)!r}; "
            f"known functions are {', '.join(sorted(known))}"
        )


def _called(code: str) -> set[str]:
    calls = [node.func for node in ast.walk(ast.parse(code, mode="eval")) if isinstance(node, ast.Call)]
    return {function.id for function in calls if isinstance(function, ast.Name)}


def _read_first(instructions: Sequence[Instruction]) -> frozenset[Register]:
    """Registers that are read, or changed in part, before they are written."""
    read: set[Register] = set()
    written: set[Register] = set()
    for instruction in instructions:
        registers = {name: (kind, address) for name, kind, address in instruction.operands()}
        output = registers.pop("out")
        read |= set(registers.values()) - written
        if instruction.spec.partial_write and output not in written:
            read.add(output)
        written.add(output)
    return frozenset(read)


def _written(instructions: Sequence[Instruction]) -> frozenset[Register]:
    return frozenset((i.spec.output, i.out) for i in instructions if i.out is not None)


def _draws(instructions: Sequence[Instruction]) -> bool:
    return any(instruction.spec.random for instruction in instructions)


def _names(registers: Iterable[Register]) -> tuple[str, ...]:
    return tuple(map(_name, sorted(registers)))


def _name(register: Register) -> str:
    kind, address = register
    return f"{kind.letter}{address}"
