"""The data flow of a program drawn by matplotlib: a column of boxes for each component function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch

from automl_zero.explain.data_flow import Input, Site, Value
from automl_zero.explain.graph import COLOURS, TITLES, Arrow, Node

_COLUMN, _ROW, _WIDTH, _HEIGHT = 4.0, 0.75, 3.0, 0.42  # in inches
_SMALL = 8


def plot(nodes: Sequence[Node], arrows: Sequence[Arrow], path: Path) -> None:
    """Draw nodes and arrows into an SVG file; the same program gives the same bytes."""
    places = _places(nodes)
    rows = max((round(-y / _ROW) for _, y in places.values()), default=0) + 1
    figure = Figure(figsize=(3 * _COLUMN, (rows + 3) * _ROW))
    FigureCanvasSVG(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(-_COLUMN / 2, 2.5 * _COLUMN)
    axes.set_ylim(-(rows + 0.8) * _ROW, 1.6 * _ROW)
    for column, title in enumerate(TITLES):
        axes.text(column * _COLUMN, _ROW, title, ha="center", va="center", fontsize=13, fontweight="bold")
    for node in nodes:
        _draw_box(axes, node, *places[node.value])
    for arrow in arrows:
        _draw_arrow(axes, arrow, places[arrow.start], places[arrow.end])
    roles = [role for role in COLOURS if any(node.role == role for node in nodes)]
    boxes = [Patch(facecolor=COLOURS[role], edgecolor="black", label=role) for role in roles]
    carried = matplotlib.lines.Line2D([], [], color="black", linestyle="--", label="to the next example")
    axes.legend(handles=[*boxes, carried], loc="lower center", ncols=len(boxes) + 1, frameon=False, fontsize=_SMALL)
    with matplotlib.rc_context({"svg.hashsalt": "automl-zero", "svg.fonttype": "none"}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Title": "Data flow of a program"})


def _places(nodes: Sequence[Node]) -> dict[Value, tuple[float, float]]:
    """Centre of every box: instructions in their order, inputs above the functions that have them set."""
    places: dict[Value, tuple[float, float]] = {Input.FEATURES: (_COLUMN, 0.0), Input.LABEL: (2 * _COLUMN, 0.0)}
    used = [0, 1, 1]
    for node in nodes:
        if isinstance(node.value, Site):
            column = node.value.component
            places[node.value] = (column * _COLUMN, -used[column] * _ROW)
            used[column] += 1
    return places


def _draw_box(axes: Axes, node: Node, x: float, y: float) -> None:
    shape = "round,pad=0.04,rounding_size=0.2" if isinstance(node.value, Input) else "round,pad=0.04,rounding_size=0.06"
    colour = COLOURS.get(node.role, "#ffffff")
    corner = (x - _WIDTH / 2, y - _HEIGHT / 2)
    axes.add_patch(FancyBboxPatch(corner, _WIDTH, _HEIGHT, shape, facecolor=colour, edgecolor="black", zorder=2))
    text = node.text if len(node.text) <= 34 else node.text[:33] + "…"
    axes.text(x, y, text, ha="center", va="center", family="monospace", fontsize=_SMALL, zorder=3)


def _draw_arrow(axes: Axes, arrow: Arrow, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = "--" if arrow.carried else "-"
    colour = "#1f5fa8" if arrow.carried else "#444444"
    if arrow.start == arrow.end:
        x, y = start[0] + _WIDTH / 2 - 0.1, start[1] - _HEIGHT / 2 + 0.1
        axes.text(x, y, f"↻ {arrow.register}", ha="right", fontsize=6, family="monospace", color=colour, zorder=4)
        return
    if start[0] == end[0]:  # on the right side when it leads down, on the left when it leads back up
        side = _WIDTH / 2 * (-1 if arrow.carried else 1)
        a, b = (start[0] + side, start[1]), (end[0] + side, end[1])
        connection = "arc3,rad=-0.5" if abs(start[1] - end[1]) < 1.5 * _ROW else "arc3,rad=-0.25"
    else:
        side = _WIDTH / 2 if end[0] > start[0] else -_WIDTH / 2
        a, b = (start[0] + side, start[1]), (end[0] - side, end[1])
        connection = "arc3,rad=0.08"
    axes.add_patch(
        FancyArrowPatch(
            a,
            b,
            connectionstyle=connection,
            arrowstyle="-|>",
            mutation_scale=9,
            linestyle=style,
            color=colour,
            zorder=1,
        )
    )
    axes.text(a[0] + 0.06, a[1] + 0.06, arrow.register, fontsize=6, family="monospace", color=colour, zorder=4)
