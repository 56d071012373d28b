"""Charts as SVG."""

from __future__ import annotations

import pytest

from automl_zero.report.charts import Axis, Line, line_chart, thinned, ticks
from tests.report.pages import parsed

X, Y = Axis("steps", lambda value: f"{value:g}"), Axis("height", lambda value: f"{value:g}")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.25, 0.5, 0.75, 1]), (0, 9, [0, 2.5, 5, 7.5]), (0.97, 0.99, [0.97, 0.975, 0.98, 0.985, 0.99])],
)
def test_ticks_are_round_numbers_within_the_range(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_a_chart_says_in_words_what_it_shows() -> None:
    chart = parsed(line_chart("c", "Growth", "It grows.", [Line("a", 1, (((0, 0), (1, 2)),))], X, Y))
    (svg,) = chart.all("svg")
    assert svg.attributes["role"] == "img"
    assert svg.attributes["aria-labelledby"] == "c-title c-desc"
    assert svg.all("title")[0].text == "Growth"
    assert svg.all("desc")[0].text == "It grows."


def test_parts_of_a_line_are_not_connected() -> None:
    chart = parsed(line_chart("c", "", "", [Line("a", 1, (((0, 0), (1, 1)), ((2, 0), (3, 1)), ((4, 0),)))], X, Y))
    path = next(p.attributes["d"] for p in chart.all("path") if p.attributes["class"] == "line line-1")
    assert path is not None
    assert path.count("M") == 3
    assert path.endswith("h0")  # one point alone is a dot


def test_steps_keep_their_value_until_the_next_point() -> None:
    chart = parsed(line_chart("c", "", "", [Line("a", 1, (((0, 0), (1, 1)),), steps=True)], X, Y))
    assert "H" in str(chart.all("path")[0].attributes["d"])


def test_a_constant_line_has_room() -> None:
    assert "nan" not in line_chart("c", "", "", [Line("a", 1, (((5, 0.5), (5, 0.5)),))], X, Y)


def test_without_points_there_is_no_chart() -> None:
    assert line_chart("c", "", "", [Line("a", 1, ((),))], X, Y) == ""


def test_marks_that_would_cover_each_other_lose_their_text() -> None:
    line = Line("a", 1, (((0, 0), (100, 1)),))
    chart = parsed(line_chart("c", "", "", [line], X, Y, marks=[((0, 0), "1"), ((0.1, 0), "2"), ((100, 1), "3")]))
    texts = [text.text for text in chart.all("text") if text.attributes.get("class") == "mark-text"]
    assert texts == ["1", "3"]
    assert len(chart.all("circle")) == 3


def test_thinning_keeps_the_ends() -> None:
    points = [(float(i), 0.0) for i in range(1000)]
    few = thinned(points, 10)
    assert len(few) == 10
    assert (few[0], few[-1]) == (points[0], points[-1])
    assert thinned(points[:5], 10) == tuple(points[:5])
