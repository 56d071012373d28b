"""The drawing by matplotlib: nothing is cut off, and what is written can be read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.transforms import Bbox

from automl_zero import programs
from automl_zero.explain import explain
from automl_zero.explain.graph import arrows, nodes
from automl_zero.explain.plot import figure_of
from automl_zero.program import Program
from tests.explain.examples import LATE
from tests.explain.written import random_program

CASES = {
    "linear": (programs.linear(), False),
    "network": (programs.neural_net(), False),
    "several classes": (programs.softmax_net(), True),
    "late": (LATE, False),
    **{f"random {seed}": (random_program(seed), False) for seed in (11, 42, 279, 289)},
}


def drawn(program: Program, vector_label: bool) -> Figure:
    explanation = explain(program, vector_label=vector_label)
    figure = figure_of(nodes(explanation), arrows(explanation))
    FigureCanvasAgg(figure)
    figure.canvas.draw()
    return figure


def boxes(figure: Figure) -> list[Bbox]:
    """Where the boxes are, in pixels."""
    (axes,) = figure.axes
    return [patch.get_window_extent() for patch in axes.patches if isinstance(patch, FancyBboxPatch)]


def labels(figure: Figure) -> dict[str, list[Bbox]]:
    """Where the names of registers are, which stand alone or before a sign."""
    found: dict[str, list[Bbox]] = {}
    for text in figure.axes[0].texts:
        if text.get_text().removesuffix(" ↻")[1:].isdigit():
            found.setdefault(text.get_text(), []).append(text.get_window_extent())
    return found


@pytest.mark.parametrize(("program", "vector_label"), CASES.values(), ids=CASES.keys())
def test_everything_is_within_the_picture(program: Program, vector_label: bool) -> None:
    figure = drawn(program, vector_label)
    (axes,) = figure.axes
    for artist in [*axes.patches, *axes.texts, axes.get_legend()]:
        extent = artist.get_window_extent()
        assert extent.x0 > 0
        assert extent.y0 > 0
        assert extent.x1 < figure.bbox.width
        assert extent.y1 < figure.bbox.height


@pytest.mark.parametrize(("program", "vector_label"), CASES.values(), ids=CASES.keys())
def test_names_of_registers_are_clear_of_boxes_and_of_each_other(program: Program, vector_label: bool) -> None:
    figure = drawn(program, vector_label)
    found = [extent for extents in labels(figure).values() for extent in extents]
    assert found
    for number, extent in enumerate(found):
        assert not any(extent.overlaps(other) for other in [*boxes(figure), *found[:number]])


@pytest.mark.parametrize(("program", "vector_label"), CASES.values(), ids=CASES.keys())
def test_no_arrow_runs_behind_a_box(program: Program, vector_label: bool) -> None:
    figure = drawn(program, vector_label)
    inside = [box.padded(-2.0) for box in boxes(figure)]
    ways = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]
    assert ways
    for way in ways:
        path = figure.axes[0].transData.transform_path(way.get_path())
        for polygon in path.to_polygons(closed_only=False):
            for start, end in itertools.pairwise(polygon):
                for point in np.linspace(start, end, 20):
                    assert not any(box.contains(*point) for box in inside)


def test_what_reads_its_own_last_result_has_a_sign() -> None:
    assert "v1 ↻" in labels(drawn(programs.linear(), False))
    assert len(labels(drawn(programs.softmax_net(), True))["m1 ↻"]) == 1
