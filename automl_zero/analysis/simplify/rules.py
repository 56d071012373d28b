"""Exact rules: each finds one change that leaves every fitness as it was, to the bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from automl_zero.analysis.simplify.edits import Edit, name_of, redirected, unused_register, with_operands
from automl_zero.analysis.simplify.facts import Expression, Value, constant
from automl_zero.analysis.simplify.flow import (
    INITIAL,
    OBSERVATION,
    Flow,
    Read,
    Site,
    flow_of,
    reads_of,
    sites,
    written_by,
)
from automl_zero.analysis.simplify.frame import SETUP, Frame, Register
from automl_zero.analysis.simplify.values import Contents, Values, values_of
from automl_zero.instruction import Instruction
from automl_zero.ops import TABLE
from automl_zero.program import Program


@dataclass(frozen=True)
class Analysis:
    """A program and what is known about it."""

    program: Program
    frame: Frame
    flow: Flow
    values: Values

    def reads_after(self, register: Register, site: Site) -> list[Read]:
        """The reads by other instructions that may see what an instruction writes."""
        return [read for read in self.flow.readers(register, site) if read.site != site]


def analyse(program: Program, frame: Frame, number: Any) -> Analysis:
    """Analyse a program that computes in numbers of a type."""
    return Analysis(program, frame, flow_of(program, frame), values_of(program, frame, number))


Rule = Callable[[Analysis], Iterator[Edit]]


def dead_code(program: Program, flow: Flow) -> Iterator[Edit]:
    """Instructions that cannot influence a prediction."""
    for site, instruction in sites(program):
        if not flow.is_live(written_by(instruction), site):
            yield Edit("dead code", site, "" if instruction.op == "no_op" else "nothing reads it", {site: None})


def overwritten_elements(a: Analysis) -> Iterator[Edit]:
    """Partial writes of an element that another one sets again before anything reads it."""
    for component, instructions in enumerate(a.program.components):
        for index, instruction in enumerate(instructions):
            if not instruction.spec.partial_write:
                continue
            for later in instructions[index + 1 :]:
                if later.op == instruction.op and later.out == instruction.out:
                    if later.to_dict()["constants"][:-1] == instruction.to_dict()["constants"][:-1]:
                        site = Site(component, index)
                        yield Edit("dead code", site, "the element is written again", {site: None})
                        break
                elif written_by(instruction) in (written_by(later), *(r for _, r in reads_of(later))):
                    break


def no_effect(a: Analysis) -> Iterator[Edit]:
    """Instructions that write what the register holds already."""
    for site, instruction in sites(a.program):
        register = written_by(instruction)
        if register is not None and a.values.before[site][register] == a.values.result[site]:
            yield Edit("no effect", site, f"{name_of(register)} holds that already", {site: None})


def redundant(a: Analysis) -> Iterator[Edit]:
    """Instructions whose result is in another register wherever it is read."""
    for site, instruction in sites(a.program):
        register = written_by(instruction)
        if register is None or instruction.spec.random:
            continue
        reads = a.reads_after(register, site)
        if OBSERVATION in reads or any(read.operand == "out" for read in reads):
            continue
        targets = _registers_instead(a, register, reads)
        if targets is not None:
            names = " and ".join(sorted({name_of(target) for target in targets.values()}))
            rule = "common subexpression"
            value = a.values.result[site]
            if value.number == 0:
                rule = "zero"
            elif value in a.values.operands[site]:
                rule = "identity"
            yield Edit(rule, site, f"{names} holds the same", redirected(a.program, targets, {site: None}))


def _registers_instead(a: Analysis, register: Register, reads: list[Read]) -> dict[Read, Register] | None:
    """For each read of a register, another one that holds the same; one for all if possible."""
    choices = []
    for read in reads:
        before = a.values.before[read.site]
        holders = [r for r in _holders(a, before, before[register]) if r != register]
        if not holders:
            return None
        choices.append(holders)
    common = [r for r in choices[0] if all(r in holders for holders in choices)] if choices else []
    return {read: (common or holders)[0] for read, holders in zip(reads, choices, strict=True)}


def _holders(a: Analysis, contents: Contents, value: Value) -> list[Register]:
    """The registers that hold a value: those in use, and for a zero the first that nothing writes."""
    own = a.flow.registers.values()
    used = {*own, *(written_by(i) for _, i in sites(a.program))}
    if value == constant(value.kind, 0.0):
        spare = _never_written(a, value)
        return [] if spare is None else [spare]
    return [r for r in contents if contents[r] == value and r[0] == value.kind and r in used]


def _never_written(a: Analysis, value: Value) -> Register | None:
    """The lowest register of the value's type that is zero throughout."""
    written = {written_by(i) for _, i in sites(a.program)} | a.frame.reserved
    named = sorted(r for r in a.flow.registers.values() if r[0] == value.kind and r not in written)
    return named[0] if named else unused_register(a.program, a.frame, value.kind)


def one_zero(a: Analysis) -> Iterator[Edit]:
    """Reads of several registers that nothing writes: one of each type will do."""
    for read, register in a.flow.registers.items():
        if a.flow.seen[read] == {INITIAL} and register not in a.frame.inputs and read != OBSERVATION:
            if read.operand == "out":
                continue
            spare = _never_written(a, constant(register[0], 0.0))
            written = any(written_by(i) == register for _, i in sites(a.program))
            if spare is not None and spare != register and not written:
                yield Edit("zero", read.site, "both are zero", redirected(a.program, {read: spare}, {}))


def constant_result(a: Analysis) -> Iterator[Edit]:
    """Scalar instructions that always compute the same number."""
    for site, instruction in sites(a.program):
        number = a.values.result[site].number if instruction.op != "no_op" else None
        if number is None or instruction.spec.output.letter != "s" or instruction.op == "scalar_const_set":
            continue
        if math.isfinite(number):
            new = Instruction("scalar_const_set", out=instruction.out, constants=(number,))
            yield Edit("constant folding", site, "", {site: new})


def normal_form(a: Analysis) -> Iterator[Edit]:
    """Instructions that can be written with simpler operands or another op, and give the same bits."""
    for site, instruction in sites(a.program):
        op = instruction.spec
        expression = a.values.algebra.expressions.get(a.values.result[site]) if op.output else None
        if expression is None or op.random or op.partial_write or op.source == "user":
            continue
        operands = a.values.operands[site]
        if expression.op == op.name and sorted(map(repr, operands)) == sorted(map(repr, expression.inputs)):
            continue
        new = _written_as(a, expression, site, instruction)
        if new is not None and new != instruction:
            yield Edit("identity", site, "the same bits", {site: new})


def _written_as(a: Analysis, expression: Expression, site: Site, instruction: Instruction) -> Instruction | None:
    op = TABLE[expression.op]
    if op.random or op.partial_write:
        return None
    addresses = []
    for value in expression.inputs:
        holders = _holders(a, a.values.before[site], value)
        if not holders:
            return None
        addresses.append(holders[0][1])
    in1, in2 = (*addresses, None, None)[:2]
    return Instruction(op.name, in1, in2, instruction.out)


def hoist(a: Analysis) -> Iterator[Edit]:
    """Instructions of Predict and Learn that compute the same value every time, from what Setup leaves."""
    for site, instruction in sites(a.program):
        op, register = instruction.spec, written_by(instruction)
        if site.component == SETUP or register is None or op.random or op.partial_write:
            continue
        value = a.values.result[site]
        reads = a.reads_after(register, site)
        if OBSERVATION in reads or any(read.operand == "out" for read in reads):
            continue
        if any(a.values.before[read.site][register] != value for read in reads):
            continue
        operands = {}
        for (name, _), needed in zip(reads_of(instruction), a.values.operands[site], strict=True):
            holders = _holders(a, a.values.after_setup, needed)
            if not holders:
                break
            operands[name] = holders[0][1]
        else:
            target = register if _is_own(a, register, site, value) else unused_register(a.program, a.frame, register[0])
            if target is None:
                continue
            moved = with_operands(instruction, {**operands, "out": target[1]})
            changed = redirected(a.program, dict.fromkeys(reads, target), {site: None})
            yield Edit("hoisting", site, "it is the same every time", changed, appended=(moved,))


def _is_own(a: Analysis, register: Register, site: Site, value: Value) -> bool:
    """Whether nothing but the instruction writes its output, and nobody reads anything else there."""
    others = (s for s, i in sites(a.program) if s != site and written_by(i) == register)
    reads = (read for read, r in a.flow.registers.items() if r == register and read != OBSERVATION)
    return (
        register != a.frame.prediction
        and not any(others)
        and all(read.operand != "out" and a.values.before[read.site][register] == value for read in reads)
    )


def constants_first(a: Analysis) -> Iterator[Edit]:
    """Scalar constants of Setup that stand behind other instructions."""
    setup = a.program.setup
    for index in reversed(range(len(setup))):
        register, earlier = written_by(setup[index]), setup[:index]
        named = {(kind, at) for instruction in earlier for _, kind, at in instruction.operands()}
        if setup[index].op != "scalar_const_set" or register in named:
            continue
        if any(instruction.op != "scalar_const_set" for instruction in earlier):
            site = Site(SETUP, index)
            yield Edit("order", site, "", {site: None}, prepended=(setup[index],))


#: in the order in which they are tried
RULES: tuple[Rule, ...] = (
    lambda a: dead_code(a.program, a.flow),
    overwritten_elements,
    no_effect,
    redundant,
    one_zero,
    constant_result,
    normal_form,
    hoist,
    constants_first,
)
