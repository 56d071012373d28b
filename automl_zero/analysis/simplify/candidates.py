"""Changes that may make a program simpler at a price: what approximate simplification tries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from automl_zero.analysis.simplify.drops import dropped, joined_products, merged_constants, moved_scalings, registers_of
from automl_zero.analysis.simplify.edits import (
    Edit,
    applied,
    describe,
    swapped,
    with_operands,
)
from automl_zero.analysis.simplify.flow import Site, reads_of, sites
from automl_zero.analysis.simplify.frame import LEARN, SETUP, Frame
from automl_zero.analysis.simplify.rules import Analysis, analyse
from automl_zero.instruction import Instruction
from automl_zero.interpreters.numpy_bodies import body_of
from automl_zero.ops import ConstantKind, RegisterType
from automl_zero.program import Program
from automl_zero.pseudocode import render_instruction


class Candidate(NamedTuple):
    """A program that may replace another one: what was done, where, and the outcome."""

    edit: Edit
    text: str
    program: Program


def candidates(program: Program, frame: Frame, number: Any) -> Iterator[Candidate]:
    """Programs that differ from a program in one place; those that take more away come first."""
    a = analyse(program, frame, number)
    edits = (
        *dropped(a),
        *merged_constants(a),
        *joined_products(a),
        *_constants_instead(a),
        *_other_operands(a),
        *_moved(a),
        *moved_scalings(a),
        *_flipped_signs(a),
    )
    seen = {program}
    for edit in edits:
        new = applied(program, edit)
        if new not in seen:
            seen.add(new)
            yield Candidate(edit, describe(program, edit), new)


def _constants_instead(a: Analysis) -> Iterator[Edit]:
    """Each scalar instruction replaced by a constant: what it computes if it always does, 1, or one of the program."""
    known = sorted({1.0, *(i.constants[0] for _, i in sites(a.program) if i.op == "scalar_const_set")})
    for site, instruction in sites(a.program):
        op = instruction.spec
        if op.output != RegisterType.SCALAR or op.name == "scalar_const_set":
            continue
        numbers = [value.number for value in a.values.operands[site]]
        own = []
        if set(op.inputs) == {RegisterType.SCALAR} and None not in numbers and op.source != "user":
            with np.errstate(all="ignore"):
                own = [float(body_of(op)(*map(a.values.algebra.number, numbers)))]
        for value in (*own, *known):
            if np.isfinite(value):
                new = Instruction("scalar_const_set", out=instruction.out, constants=(value,))
                yield Edit("constant instead", site, "", {site: new})


def _other_operands(a: Analysis) -> Iterator[Edit]:
    """Each operand replaced by another register."""
    for site, instruction in sites(a.program):
        for operand, register in reads_of(instruction):
            if operand != "out":
                for target in registers_of(a, register[0]):
                    new = with_operands(instruction, {operand: target[1]})
                    yield Edit("other operand", site, "", {site: new})


def _flipped_signs(a: Analysis) -> Iterator[Edit]:
    """Each difference of scalars the other way round, where a constant or a vector takes a plus sign for it."""
    turned: list[tuple[Site, Instruction]] = []
    for site, instruction in sites(a.program):
        if instruction.op == "scalar_const_set" and instruction.constants[0] < 0:
            turned.append((site, replace(instruction, constants=(-instruction.constants[0],))))
        elif instruction.op == "vector_diff":
            turned.append((site, replace(instruction, op="vector_sum")))
    for site, instruction in sites(a.program):
        if instruction.op == "scalar_diff":
            for place, new in turned:
                yield Edit("sign", site, render_instruction(new), {site: swapped(instruction), place: new})


def _moved(a: Analysis) -> Iterator[Edit]:
    """Each instruction of Predict and Learn moved to either end of Learn."""
    for site, instruction in sites(a.program):
        if site.component != SETUP and not instruction.spec.random:
            yield Edit("moved instruction", site, "", {site: None}, appended=(instruction,), target=SETUP)
            yield Edit("moved instruction", site, "", {site: None}, appended=(instruction,), target=LEARN)
            yield Edit("moved instruction", site, "", {site: None}, prepended=(instruction,), target=LEARN)


def rounded(program: Program) -> Iterator[tuple[Site, list[Instruction]]]:
    """For each instruction with constants: the same with fewer digits, fewest first."""
    for site, instruction in sites(program):
        choices = []
        for digits in range(1, 7):
            values = tuple(
                value if kind == ConstantKind.INDEX else float(f"{value:.{digits}g}")
                for value, (_, kind) in zip(instruction.constants, instruction.spec.constants, strict=True)
            )
            new = replace(instruction, constants=values)
            if values and new != instruction and new not in choices:
                choices.append(new)
        if choices:
            yield site, choices
