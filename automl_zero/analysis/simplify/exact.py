"""Exact simplification: rules applied one change at a time until none applies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from automl_zero.analysis.simplify.edits import COMPONENT_NAMES, Edit, applied, describe
from automl_zero.analysis.simplify.flow import flow_of, sites, written_by
from automl_zero.analysis.simplify.frame import Frame
from automl_zero.analysis.simplify.registers import share, split
from automl_zero.analysis.simplify.rules import RULES, Analysis, analyse, dead_code
from automl_zero.instruction import Instruction
from automl_zero.program import Program


@dataclass(frozen=True)
class Step:
    """One change on the way to the simple program.

    Attributes:
        rule: name of the rule behind it.
        component: "Setup", "Predict" or "Learn"; "" for a change of registers throughout.
        index: position of the instruction in its component before the step; None for such a change.
        text: what changed.
        before: instructions of the program before the step.
        after: instructions after it.
        exact: whether it leaves every fitness as it was, to the bit; for a step after approximate ones, on tasks that
            are scored like those on which they were checked.
        program: the program after the step.
    """

    rule: str
    component: str
    index: int | None
    text: str
    before: int
    after: int
    exact: bool = True
    program: Program = field(repr=False, kw_only=True)


def count(program: Program) -> int:
    """Number of instructions."""
    return sum(map(len, program.components))


def split_step(program: Program, divided: Program, text: str) -> Step:
    """The step that gives values registers of their own."""
    return Step("one register per value", "", None, text, count(program), count(divided), program=divided)


def simplify_exactly(program: Program, frame: Frame, number: Any) -> tuple[Program, list[Step]]:
    """The simplest form that the exact rules lead to, and the steps; none if it is that already."""
    current = Program(program.memory, *map(_told_apart, program.components))
    steps: list[Step] = []

    def log(rule: str, new: Program, text: str, component: str = "", index: int | None = None) -> Program:
        steps.append(Step(rule, component, index, text, count(current), count(new), program=new))
        return new

    # Dead code goes first: its values would take registers when every value gets its own.
    while (edit := next(dead_code(current, flow_of(current, frame)), None)) is not None:
        current = log(edit.rule, applied(current, edit), describe(current, edit), *_place(edit))
    after, text = split(current, frame)
    if after is not current:
        steps.append(split_step(current, after, text))
        current = after
    for _ in range(_LIMIT * (count(current) + 1)):
        edit = next(_edits(analyse(current, frame, number)), None)
        if edit is None:
            break
        current = log(edit.rule, applied(current, edit), describe(current, edit), *_place(edit))
    after = share(current, frame)
    if after != current:
        current = log("registers in order of use", after, "named in order of use, shared where possible")
    # Registers told apart and put together again are no change worth telling.
    return (program, []) if current == program else (current, steps)


_LIMIT = 20  # edits an instruction; every rule makes the program smaller or simpler, so this is never reached


def _told_apart(instructions: tuple[Instruction, ...]) -> tuple[Instruction, ...]:
    """Equal instructions as different objects, so that those with random draws can be followed."""
    return tuple(replace(instruction) for instruction in instructions)


def _place(edit: Edit) -> tuple[str, int]:
    return COMPONENT_NAMES[edit.site.component], edit.site.position


def _edits(analysis: Analysis) -> Iterator[Edit]:
    edits = chain.from_iterable(rule(analysis) for rule in RULES)
    return (edit for edit in edits if keeps_draws(analysis.program, applied(analysis.program, edit), analysis.frame))


def keeps_draws(before: Program, after: Program, frame: Frame) -> bool:
    """Whether the random instructions that stay alive keep their numbers, which key what they draw."""
    for old, new in zip(_live_random(before, frame), _live_random(after, frame), strict=True):
        if any(a is not b for a, b in zip(old, new, strict=False)):
            return False
    return True


def _live_random(program: Program, frame: Frame) -> tuple[list[Instruction], ...]:
    result: tuple[list[Instruction], ...] = ([], [], [])
    if any(instruction.spec.random for _, instruction in sites(program)):
        flow = flow_of(program, frame)
        for site, instruction in sites(program):
            if instruction.spec.random and flow.is_live(written_by(instruction), site):
                result[site.component].append(instruction)
    return result
