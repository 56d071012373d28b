"""The explanation as a whole: records, tables and pictures."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from automl_zero import programs
from automl_zero.explain import Explanation, explain
from automl_zero.explain.graph import arrows, draw, nodes, to_dot
from automl_zero.explain.tables import sections
from automl_zero.tasks import linear_regression
from tests.explain.examples import DOT, RATE
from tests.explain.written import written


@pytest.fixture(scope="module")
def measured() -> Explanation:
    return explain(programs.linear(0.1), linear_regression(num_tasks=8))


def test_without_tasks_only_the_text_is_explained() -> None:
    explanation = explain(programs.linear())
    assert explanation.effects is None
    assert "knock_outs" not in explanation.to_dict()
    assert [section.heading for section in sections(explanation)] == ["Data flow", "Registers", "Motifs"]


def test_the_record_is_json_and_names_places(measured: Explanation) -> None:
    record = json.loads(json.dumps(measured.to_dict(), allow_nan=False))
    assert record["instructions"][1] == {
        "site": "predict[0]",
        "text": "s1 = dot(v1, v0)",
        "live": True,
        "depends_on": ["features", "state"],
        "depends_on_ever": ["features", "label", "constant"],
        "sources": {"in1": ["learn[3]", "zero"], "in2": ["features"]},
    }
    assert {"register": "v1", "roles": ["learned parameter"], "written_by": ["learn[3]"],
            "read_by": ["predict[0]", "learn[3]"]} in record["registers"]  # fmt: skip
    assert [motif["motif"] for motif in record["motifs"]] == ["inner_product_model", "gradient_step"]
    assert record["fitness"]["num_tasks"] == 8
    assert record["knock_outs"][0]["change"] < -0.2
    assert record["constants"][0]["site"] == "setup[0]"
    assert len(record["constants"][0]["curve"]) == 7


def test_the_tables_are_rectangular_and_say_what_was_measured(measured: Explanation) -> None:
    found = {section.heading: section for section in sections(measured)}
    for section in found.values():
        assert all(len(row) == len(section.headers) for row in section.rows)
    assert found["Knock-outs: instructions"].remarks[0].startswith("Fitness of the whole program: ")
    assert "on 8 tasks: linear regression" in found["Knock-outs: instructions"].remarks[0]
    assert found["Constants"].rows[0][:2] == ("setup[0]", "value 0.1")


def test_a_program_that_does_nothing_is_explained_too() -> None:
    found = list(sections(explain(programs.empty(), linear_regression(num_tasks=2))))
    assert "The prediction is always 0." in found[0].remarks
    assert found[-1].remarks == ("There are no constants.",)


def test_what_validation_changes_is_said() -> None:
    program = written(RATE, f"v1 = scalar_vector_product s1 v1\n{DOT}", "s1 = scalar_const_set 0.5")
    remarks = next(sections(explain(program))).remarks
    assert "In validation, predict[0] may find in s1 what predict[1] left there." in remarks


def test_the_label_of_several_classes_is_a_vector() -> None:
    learn = "v3 = vector_diff v1 v2\nm1 = vector_outer_product v3 v0\nm0 = matrix_sum m0 m1"
    program = written("", "v2 = matrix_vector_product m0 v0", learn)
    found = explain(program, vector_label=True)
    assert [match.motif for match in found.motifs] == ["linear_layer", "gradient_step"]
    assert explain(program).motifs == ()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("text",), TypeError, "expected a Program"),
        ((programs.linear(), "linear"), TypeError, "expected a TaskSet"),
        ((programs.linear(), None, "float16"), ValueError, "dtype is 'float16'"),
    ],
)
def test_wrong_arguments_are_refused(arguments: tuple[object, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        explain(*arguments)  # type: ignore[arg-type]


def test_the_graph_has_every_live_instruction_and_the_inputs(measured: Explanation) -> None:
    assert [node.text for node in nodes(measured)][:3] == ["features", "label", "s2 = 0.1"]
    assert len(nodes(measured)) == 2 + 6
    carried = {(str(arrow.start), str(arrow.end)) for arrow in arrows(measured) if arrow.carried}
    assert carried == {("learn[3]", "predict[0]"), ("learn[3]", "learn[3]")}
    text = to_dot(measured)
    assert '"learn[3]" -> "predict[0]" [label="v1", style=dashed' in text
    assert '"features" -> "predict[0]" [label="v0"]' in text
    assert text.count("{") == text.count("}")


def test_matplotlib_draws_where_there_is_no_graphviz(
    measured: Explanation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("one.svg", "two.svg"):
        draw(measured, tmp_path / name)
    text = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert "<svg" in text
    for node in nodes(measured):
        assert node.text in text
    assert text == (tmp_path / "two.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(("status", "by_graphviz"), [(0, True), (1, False)])
def test_graphviz_draws_where_it_works(
    measured: Explanation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, by_graphviz: bool
) -> None:
    tool = tmp_path / "dot"
    tool.write_text(
        f'#!/bin/sh\nread line\necho "<svg>drawn by $1 from $line</svg>"\nexit {status}\n', encoding="utf-8"
    )
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    draw(measured, tmp_path / "graph.svg")
    text = (tmp_path / "graph.svg").read_text(encoding="utf-8")
    assert ("drawn by -Tsvg from digraph program {" in text) == by_graphviz
    assert "<svg" in text


def test_a_graph_goes_into_svg_or_dot(measured: Explanation, tmp_path: Path) -> None:
    draw(measured, tmp_path / "graph.dot")
    assert (tmp_path / "graph.dot").read_text(encoding="utf-8") == to_dot(measured)
    with pytest.raises(ValueError, match=r"ends in \.svg or \.dot, not graph\.png"):
        draw(measured, tmp_path / "graph.png")
