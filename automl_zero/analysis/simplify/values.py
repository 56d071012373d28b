"""Global value numbering: which registers are certain to hold equal values where.

Every register is assigned a value before every instruction, and every instruction a value that it computes. Equal
values mean equal bits whenever the program gets there, on any task. What Predict finds in a register may come from
Setup, from Learn or from Predict itself; two registers are equal there when they are equal on all three ways, and a
register that none of them changes keeps its value from Setup.

The analysis is optimistic, as it must be to see that two registers are updated alike: it assumes what Setup leaves and
corrects that until nothing changes (Simpson, "Value-driven redundancy elimination", 1996, chapter 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automl_zero.analysis.simplify.algebra import Algebra
from automl_zero.analysis.simplify.facts import Expression, Value, constant
from automl_zero.analysis.simplify.flow import Site, reads_of, sites, written_by
from automl_zero.analysis.simplify.frame import FEATURES_REGISTER, LEARN, PREDICT, SETUP, Frame, Register
from automl_zero.memory import MAX_REGISTERS
from automl_zero.ops import RegisterType
from automl_zero.program import Program

Contents = dict[Register, Value]

_DIVISIONS = ("division", "reciprocal")
_MAX_PASSES = 100


@dataclass(frozen=True)
class Values:
    """What is known about values.

    Attributes:
        before: contents of every register before each instruction.
        result: what each instruction computes.
        operands: the values that it reads, in order.
        after_setup: contents of every register when Setup has run.
        algebra: what the values are made of.
    """

    before: dict[Site, Contents]
    result: dict[Site, Value]
    operands: dict[Site, tuple[Value, ...]]
    after_setup: Contents
    algebra: Algebra


def values_of(program: Program, frame: Frame, number: Any) -> Values:
    """Analyse a program; ``number`` is np.float64 or np.float32, the type that it computes in."""
    zero_signs = any(i.spec.source == "user" or i.spec.elementwise in _DIVISIONS for _, i in sites(program))
    numbering = _Numbering(program, frame, number, zero_signs)
    for _ in range(_MAX_PASSES):
        entry, ends = numbering.entry, numbering.ends
        numbering.run()
        if (numbering.entry, numbering.ends) == (entry, ends):
            return numbering.values
    numbering.pessimistic = True
    numbering.run()
    return numbering.values


class _Numbering:
    def __init__(self, program: Program, frame: Frame, number: Any, zero_signs: bool) -> None:
        self.program, self.frame, self.number, self.zero_signs = program, frame, number, zero_signs
        # Registers beyond the program's memory are zero as well; a simpler program may read one of them.
        self.zeros: Contents = {
            (kind, address): constant(kind, 0.0)
            for kind in (RegisterType.SCALAR, RegisterType.VECTOR, RegisterType.MATRIX)
            for address in range(MAX_REGISTERS)
        }
        self.written = {written_by(i) for _, i in sites(program)} | {frame.prediction}
        self.pessimistic = False
        self.entry: Contents | None = None  # of Predict
        self.ends: tuple[Contents, Contents] | None = None  # of Predict and Learn

    def run(self) -> None:
        """One pass over the components, given what the last one found at the ends of Predict and Learn."""
        algebra = Algebra(self.number, self.zero_signs)
        self.values = Values({}, {}, {}, {}, algebra)
        self.names: dict[Expression, Value] = {}
        after_setup = self._component(SETUP, dict(self.zeros))
        self.values.after_setup.update(after_setup)
        entry = self._entry(after_setup)
        after_predict = self._component(PREDICT, dict(entry))
        contents = dict(after_predict)
        contents[self.frame.label] = Value(self.frame.label[0], "label")
        if not self.frame.keeps_prediction:
            contents[self.frame.prediction] = Value(self.frame.prediction[0], "prediction")
        after_learn = self._component(LEARN, contents)
        self.entry, self.ends = entry, (after_predict, after_learn)

    def _entry(self, after_setup: Contents) -> Contents:
        """What Predict finds."""
        entry: Contents = {}
        names: dict[tuple[Value, ...], Value] = {}
        for register, initial in after_setup.items():
            kind, address = register
            if register == FEATURES_REGISTER:
                entry[register] = Value(kind, "features")
            elif register in self.frame.inputs:
                entry[register] = initial
            elif self.pessimistic:
                entry[register] = Value(kind, "loop", address) if register in self.written else initial
            elif self.entry is None or self.ends is None:
                entry[register] = initial
            else:
                ways = (initial, *(end[register] for end in self.ends))
                others = {value for value in ways if value != self.entry[register]} or {initial}
                same = others == {initial}
                entry[register] = initial if same else names.setdefault(ways, Value(kind, "loop", address))
        return entry

    def _component(self, component: int, contents: Contents) -> Contents:
        values = self.values
        for index, instruction in enumerate(self.program.components[component]):
            site = Site(component, index)
            written = written_by(instruction)
            if written is None:
                continue
            values.before[site] = dict(contents)
            values.operands[site] = tuple(contents[register] for _, register in reads_of(instruction))
            op = instruction.spec
            reduced = values.algebra.reduce(op, values.operands[site], instruction.constants)
            if isinstance(reduced, Expression):
                name = self.names.get(reduced)  # never for random draws
                if name is None:
                    name = Value(op.output, "instruction", site)
                    values.algebra.expressions[name] = reduced
                    if not op.random:
                        self.names[reduced] = name
                reduced = name
            values.result[site] = contents[written] = reduced
        return contents
