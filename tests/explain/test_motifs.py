"""Motifs: found where they were planted, however they are written, and not in what merely looks like them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.explain.data_flow import DataFlow, Site
from automl_zero.explain.motifs import MOTIFS, Anatomy, Match, Motif, find_motifs, register_motif
from automl_zero.instruction import Instruction
from automl_zero.memory import MemorySpec, first_output
from automl_zero.program import Program
from tests.explain.examples import LOOK_ALIKES, PLANTED
from tests.explain.written import MEMORY, random_program, written


def found(program: Program) -> Counter[str]:
    return Counter(match.motif for match in find_motifs(DataFlow(program)))


def matches(program: Program, motif: str) -> list[Match]:
    return [match for match in find_motifs(DataFlow(program)) if match.motif == motif]


def cases(table: dict[str, list[Program]]) -> list[object]:
    return [
        pytest.param(motif, program, id=f"{motif}-{i}")
        for motif, several in table.items()
        for i, program in enumerate(several)
    ]


def test_every_motif_has_planted_examples_and_look_alikes() -> None:
    assert set(PLANTED) == set(LOOK_ALIKES) == set(MOTIFS)


@pytest.mark.parametrize(("motif", "program"), cases(PLANTED))
def test_planted_motifs_are_found(motif: str, program: Program) -> None:
    assert motif in found(program)


@pytest.mark.parametrize(("motif", "program"), cases(LOOK_ALIKES))
def test_look_alikes_do_not_match(motif: str, program: Program) -> None:
    assert motif not in found(program)


def renamed(program: Program, seed: int) -> Program:
    """The same program with its registers shuffled, apart from s0, s1 and v0, and the operands of sums exchanged."""
    rng = np.random.default_rng(seed)
    memory = MemorySpec(12, 12, 8)
    names = {}
    for kind in (1, 2, 3):
        fixed = max(first_output(kind), 2 if kind == 1 else 0)
        free = [int(address) for address in rng.permutation(np.arange(fixed, memory.count(kind)))]
        names[kind] = [*range(fixed), *free]

    def rename(instruction: Instruction) -> Instruction:
        new = {name: names[kind][address] for name, kind, address in instruction.operands()}
        if instruction.spec.commutative and rng.random() < 0.5:
            new["in1"], new["in2"] = new["in2"], new["in1"]
        return replace(instruction, **new)

    return Program(memory, *(tuple(map(rename, instructions)) for instructions in program.components))


@pytest.mark.parametrize(("motif", "program"), cases(PLANTED))
def test_names_of_registers_and_order_of_operands_do_not_matter(motif: str, program: Program) -> None:
    places = {match.sites for match in matches(program, motif)}
    for seed in range(3):
        assert {match.sites for match in matches(renamed(program, seed), motif)} == places


@pytest.mark.parametrize(("motif", "program"), cases(PLANTED))
def test_dead_code_in_between_does_not_matter(motif: str, program: Program) -> None:
    dead = Instruction("vector_sum", 0, 0, 11)
    stuffed = Program(MEMORY, *(tuple(i for one in c for i in (dead, one)) for c in program.components))
    assert len(matches(stuffed, motif)) == len(matches(program, motif))


def test_a_match_names_its_instructions_and_their_parts() -> None:
    (step,) = matches(programs.linear(), "gradient_step")
    assert step.sites == (Site(2, 1), Site(2, 2), Site(2, 3))
    assert step.detail == "parameters v1, error s3, inputs v0, rate s2"


def test_the_network_is_made_of_what_it_was_designed_from() -> None:
    assert found(programs.neural_net()) == {
        "inner_product_model": 1,
        "linear_layer": 1,
        "relu": 1,
        "relu_gradient": 1,
        "gradient_step": 4,
    }


def test_any_program_can_be_looked_at() -> None:
    for seed in range(200):
        flow = DataFlow(random_program(seed))
        for match in find_motifs(flow):
            assert set(match.sites) <= set(flow.live)


def test_the_discoveries_of_the_papers_best_program_are_found() -> None:
    # Supplement and Figure 6: noisy inputs, a bilinear form, a normalised gradient, accumulated weights.
    program = written(
        "s2 = scalar_const_set 0.1",
        """v2 = vector_uniform_set -0.1 0.1
v3 = vector_sum v0 v2
v4 = vector_diff v0 v2
v5 = matrix_vector_product m0 v4
s1 = vector_inner_product v3 v5""",
        """s3 = scalar_diff s0 s1
m1 = vector_outer_product v3 v4
m1 = scalar_matrix_product s3 m1
s4 = matrix_norm m1
s5 = scalar_division s2 s4
m1 = scalar_matrix_product s5 m1
m2 = matrix_sum m2 m1
m0 = matrix_sum m0 m2""",
    )
    assert found(program) == {
        "noise_injection": 2,
        "linear_layer": 1,
        "bilinear_form": 1,
        "gradient_step": 1,
        "normalised_gradient": 1,
        "weight_averaging": 1,
    }


def test_a_motif_can_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl_zero.explain.motifs.registry.MOTIFS", {})

    def matcher(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
        for site in anatomy.values.sites(frozenset({"scalar_sin"})):
            yield {site}, "of something"

    motif = register_motif(Motif("sine", "a sine", matcher))
    program = written("", "s1 = scalar_sin s2", "s2 = scalar_sin s0")
    assert [match.sites for match in find_motifs(DataFlow(program))] == [(Site(1, 0),), (Site(2, 0),)]
    with pytest.raises(ValueError, match="'sine' exists already"):
        register_motif(motif)
