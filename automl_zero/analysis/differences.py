"""What differs between two programs, instruction by instruction."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from automl_zero.instruction import Instruction
from automl_zero.program import Program
from automl_zero.pseudocode import Names, body_lines, headers


class Line(NamedTuple):
    """A line of a comparison.

    Attributes:
        sign: "-" for what only the first program has, "+" for what only the second has, " " for what both have.
        text: the line of pseudocode.
    """

    sign: str
    text: str


def differences(
    old: Program,
    new: Program,
    num_features: int | None = None,
    names: tuple[Names | None, Names | None] = (None, None),
) -> list[Line]:
    """Compare two programs by their instructions; no_ops are left out.

    Args:
        old: the first program.
        new: the second program.
        num_features: F, to write index constants as integers.
        names: names of operands in the two programs.

    Returns:
        The pseudocode of both, with what they have in common once.
    """
    lines = []
    if old.memory != new.memory:
        lines = [Line("-", f"# {old.memory}"), Line("+", f"# {new.memory}")]
    for component, header in enumerate(headers(any(names))):
        before, after = _without_no_ops(old, component), _without_no_ops(new, component)
        texts = [
            body_lines(component, program.components[component], num_features, own)
            for program, own in zip((old, new), names, strict=True)
        ]
        lines += [Line(" ", header), *_compared(before, after, *texts)]
    return lines


def _without_no_ops(program: Program, component: int) -> list[Instruction]:
    return [instruction for instruction in program.components[component] if instruction.op != "no_op"]


def _compared(
    before: list[Instruction], after: list[Instruction], old_lines: list[str], new_lines: list[str]
) -> Iterator[Line]:
    for tag, i, i_end, j, j_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        # An instruction that both have may still read otherwise, where its operands have other names.
        if tag == "equal" and old_lines[i:i_end] == new_lines[j:j_end]:
            yield from (Line(" ", line) for line in new_lines[j:j_end])
        else:
            yield from (Line("-", line) for line in old_lines[i:i_end])
            yield from (Line("+", line) for line in new_lines[j:j_end])
