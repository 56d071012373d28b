"""What each mutation on the way to a program changed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from automl_zero import programs
from automl_zero.explain.discoveries import Discovery, changes, read_discoveries
from tests.analysis.notation import program

START = Discovery(1, None, None, "start", None, 0.2, None, program("s2 = 0.5", "s1 = dot(v1, v0)", ""))
STEP = Discovery(1, 0, 7, "alter_param", 0.2, 0.4, START.program, program("s2 = 0.5", "s1 = dot(v0, v0)", ""))


def text(of: list[Discovery], **sizes: int) -> list[list[str]]:
    return [[f"{line.sign} {line.text.strip()}" for line in lines] for lines in changes(of, **sizes)]


def test_the_start_is_told_in_full_and_a_step_by_what_it_changed():
    assert text([START, STEP]) == [["+ s1 = dot(v1, v0)"], ["- s1 = dot(v1, v0)", "+ s1 = dot(v0, v0)"]]


def test_dead_code_does_not_count():
    dead = program("s2 = 0.7; s3 = 0.1", "s1 = dot(v1, v0)", "v2 = v0 + v0")
    assert text([START, replace(STEP, program=dead)])[1] == []


def test_a_step_is_compared_with_its_parent_and_a_refinement_with_the_step_before():
    drifted = replace(STEP, parent=program("", "s1 = dot(v1, v1)", ""))
    assert text([START, drifted])[1] == ["- s1 = dot(v1, v1)", "+ s1 = dot(v0, v0)"]
    refined = Discovery(1, None, None, "refinement", 0.4, 0.41, None, program("", "s1 = norm(v0)", ""))
    assert text([START, drifted, refined])[2] == ["- s1 = dot(v0, v0)", "+ s1 = norm(v0)"]


def test_index_constants_are_integers_where_the_number_of_features_is_known():
    start = replace(START, program=program("", "v1[0.5] = 1.5; s1 = dot(v1, v0)", ""))
    assert "+ v1[2] = 1.5" in text([start], num_features=4)[0]


def test_with_vector_labels_other_code_matters():
    labelled = replace(START, program=programs.softmax_linear())
    assert len(text([labelled], num_classes=3)[0]) > len(text([labelled])[0])


def test_reading_is_the_inverse_of_writing(tmp_path):
    path = tmp_path / "lineage.jsonl"
    path.write_text("".join(json.dumps(one.to_dict()) + "\n" for one in (START, STEP)), encoding="utf-8")
    assert read_discoveries(path) == [START, STEP]


def test_a_program_that_is_none_is_named_by_its_line(tmp_path):
    record = {**START.to_dict(), "program": {"format": "else"}}
    (tmp_path / "lineage.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"lineage\.jsonl: line 1 is not a step of a lineage: "):
        read_discoveries(tmp_path / "lineage.jsonl")
