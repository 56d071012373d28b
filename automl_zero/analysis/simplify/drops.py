"""Instructions left out, and what takes the place of their results: part of what approximate simplification tries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from automl_zero.analysis.simplify.edits import Edit, name_of, redirected, unused_register, with_operands
from automl_zero.analysis.simplify.flow import OBSERVATION, Site, reads_of, sites, written_by
from automl_zero.analysis.simplify.frame import Register
from automl_zero.analysis.simplify.rules import Analysis
from automl_zero.instruction import Instruction
from automl_zero.ops import RegisterType
from automl_zero.pseudocode import render_instruction

Changes = dict[Site, Instruction | None]

_FACTORS = (2.0, 0.5, -1.0)


def registers_of(a: Analysis, kind: RegisterType) -> list[Register]:
    """The registers of a type that the program names, and one that is zero."""
    named = {(k, at) for _, i in sites(a.program) for _, k, at in i.operands()} | a.frame.inputs
    spare = unused_register(a.program, a.frame, kind)
    return sorted(r for r in named if r[0] == kind) + ([] if spare is None else [spare])


def _instead(a: Analysis, site: Site) -> Iterator[tuple[Register, Changes]]:
    """Ways to do without the result of an instruction: a register to use in its place, and the changes for that."""
    instruction = a.program.components[site.component][site.position]
    register = written_by(instruction)
    if register is None:
        return
    yield register, {site: None}  # its readers find what was there before
    reads = a.reads_after(register, site)
    if any(read.operand == "out" for read in reads):
        return
    if OBSERVATION not in reads:
        for target in registers_of(a, register[0]):
            if target != register:
                yield target, redirected(a.program, dict.fromkeys(reads, target), {site: None})
        return
    # The prediction cannot be read elsewhere, but an earlier result can become the prediction.
    for position, earlier in enumerate(a.program.components[site.component][: site.position]):
        source, place = written_by(earlier), Site(site.component, position)
        if source is not None and source[0] == register[0] and not earlier.spec.partial_write:
            changed: Changes = {site: None, place: with_operands(earlier, {"out": register[1]})}
            yield source, redirected(a.program, dict.fromkeys(a.reads_after(source, place), register), changed)


def dropped(a: Analysis) -> Iterator[Edit]:
    """Each instruction removed."""
    for site, instruction in sites(a.program):
        for target, changed in _instead(a, site):
            note = "" if target == written_by(instruction) else f"{name_of(target)} in its place"
            yield Edit("dropped instruction", site, note, changed)


def merged_constants(a: Analysis) -> Iterator[Edit]:
    """Each scaling, doubling or negation removed, and one constant of the program scaled in its place."""
    settings = [(site, i) for site, i in sites(a.program) if i.op == "scalar_const_set" and i.constants[0] != 0]
    for site, instruction in sites(a.program):
        numbers = [value.number for value in a.values.operands.get(site, ())]
        factors = {f for n in numbers if n for f in (n, 1 / n)} | set(_FACTORS)
        operands = [register for _, register in reads_of(instruction)]
        for target, changed in _instead(a, site):
            for place, setting in settings if target in operands else ():
                for factor in sorted(factors):
                    scaled = setting.constants[0] * factor
                    if place != site and np.isfinite(scaled):
                        new = replace(setting, constants=(scaled,))
                        note = f"{name_of(target)} in its place, and {render_instruction(new)}"
                        yield Edit("merged constants", site, note, {**changed, place: new})


def moved_scalings(a: Analysis) -> Iterator[Edit]:
    """Each scaling by a constant removed, and a difference scaled in its place."""
    scaled = unused_register(a.program, a.frame, RegisterType.SCALAR)
    differences = [(site, i) for site, i in sites(a.program) if i.op == "scalar_diff"]
    for site, instruction in sites(a.program):
        operands = [register for _, register in reads_of(instruction)]
        if scaled is None or instruction.op not in ("scalar_product", "scalar_vector_product"):
            continue
        for factor, other in (operands, operands[::-1]):
            value = a.values.before[site][factor]
            if value.number is None or factor[0] != RegisterType.SCALAR:
                continue
            for place, difference in differences:
                source = (RegisterType.SCALAR, difference.out or 0)
                reads = a.reads_after(source, place)
                if a.values.before[place][factor] != value or OBSERVATION in reads:
                    continue
                product = Instruction("scalar_product", factor[1], source[1], scaled[1])
                for target, changed in _instead(a, site):
                    if target == other:
                        edits = redirected(a.program, dict.fromkeys(reads, scaled), changed)
                        note = f"{render_instruction(product)} instead"
                        yield Edit("moved scaling", site, note, edits, {place: product})


def joined_products(a: Analysis) -> Iterator[Edit]:
    """Each x * v + y * v made from (x + y) * v or (x - y) * v: two scalings of one vector become one."""
    products = [(site, i) for site, i in sites(a.program) if i.op == "scalar_vector_product"]
    sums = [(site, i) for site, i in sites(a.program) if i.op in ("vector_sum", "vector_diff")]
    factor = unused_register(a.program, a.frame, RegisterType.SCALAR)
    for site, gone in products:
        first = (RegisterType.SCALAR, gone.in1 or 0)
        reads = a.reads_after((RegisterType.VECTOR, gone.out or 0), site)
        for place, kept in products if factor is not None else ():
            scalar, vector = a.values.operands[site]
            if place == site or a.values.operands[place][1] != vector or a.values.before[place][first] != scalar:
                continue
            for where, total in sums:
                if [read.site for read in reads] != [where] or factor is None:
                    continue
                (other,) = (r for name, r in reads_of(total) if name != reads[0].operand)
                for op, x, y in (
                    ("scalar_sum", first[1], kept.in1),
                    ("scalar_diff", first[1], kept.in1),
                    ("scalar_diff", kept.in1, first[1]),
                ):
                    joined = Instruction(op, x, y, factor[1])
                    for target, changed in _instead(a, where):
                        if target == other:
                            scaled = with_operands(changed.get(place) or kept, {"in1": factor[1]})
                            edits = {**changed, site: None, place: joined}
                            note = f"{render_instruction(joined)} scales both"
                            yield Edit("joined products", site, note, edits, {place: scaled})
