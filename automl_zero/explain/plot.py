"""The data flow of a program drawn by matplotlib: a column of boxes for each component function.

Boxes stand in columns, arrows keep to the gutters between the columns and to the gaps between the rows, and the name
of the register that carries a value stands beside the box that the value comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.path import Path as Curve

from automl_zero.explain.data_flow import Input, Site, Value
from automl_zero.explain.graph import COLOURS, TITLES, Arrow, Node

_ROW, _WIDTH, _HEIGHT, _PAD = 0.75, 3.0, 0.42, 0.04  # in inches
_GUTTER = 2.2  # between the columns; arrows on either side bulge into less than half of it
_COLUMN = _WIDTH + _GUTTER
_BULGE = 0.4 * _GUTTER
_PORT = 0.11  # arrows leave below the middle of a box's right side and arrive above it; on the left, the reverse
_SMALL, _TINY = 8, 7
_LONGEST = 38  # characters that fit into a box

Point = tuple[float, float]


def plot(nodes: Sequence[Node], arrows: Sequence[Arrow], path: Path) -> None:
    """Draw nodes and arrows into an SVG file; the same program gives the same bytes."""
    figure = figure_of(nodes, arrows)
    FigureCanvasSVG(figure)
    with matplotlib.rc_context({"svg.hashsalt": "automl-zero", "svg.fonttype": "none"}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Title": "Data flow of a program"})


def figure_of(nodes: Sequence[Node], arrows: Sequence[Arrow]) -> Figure:
    """The drawing."""
    places = _places(nodes)
    rows = max((round(-y / _ROW) for _, y in places.values()), default=0) + 1
    left, right = -_WIDTH / 2 - _GUTTER / 2, 2 * _COLUMN + _WIDTH / 2 + _GUTTER / 2
    bottom, top = -(rows + 0.8) * _ROW, 1.6 * _ROW
    figure = Figure(figsize=(right - left, top - bottom))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    for column, title in enumerate(TITLES):
        axes.text(column * _COLUMN, _ROW, title, ha="center", va="center", fontsize=13, fontweight="bold")
    for node in nodes:
        _draw_box(axes, node, *places[node.value])
    for arrow in arrows:
        _draw_arrow(axes, arrow, places[arrow.start], places[arrow.end])
    _draw_labels(axes, arrows, places)
    _draw_legend(axes, nodes)
    return figure


def _draw_labels(axes: Axes, arrows: Sequence[Arrow], places: dict[Value, Point]) -> None:
    """Name what leaves a box, beside it; a box that reads its own last result has no arrow for that, but a sign."""
    loops = {(arrow.start, -1) for arrow in arrows if arrow.start == arrow.end}
    labels = {}
    for arrow in arrows:
        start = places[arrow.start]
        side = _sides(arrow, start, places[arrow.end])[0]
        sign = " ↻" if (arrow.start, side) in loops else ""
        labels[side, start] = (arrow.register + sign, _colour(arrow.carried))
    for (side, (x, y)), (text, colour) in labels.items():
        axes.text(
            x + side * (_WIDTH / 2 + _PAD + 0.05),
            y,
            text,
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=_TINY,
            family="monospace",
            color=colour,
            zorder=4,
        )


def _draw_legend(axes: Axes, nodes: Sequence[Node]) -> None:
    roles = [role for role in COLOURS if any(node.role == role for node in nodes)]
    boxes = [Patch(facecolor=COLOURS[role], edgecolor="black", label=role) for role in roles]
    carried = Line2D([], [], color=_colour(True), linestyle="--", label="to the next example")
    axes.legend(handles=[*boxes, carried], loc="lower center", ncols=len(boxes) + 1, frameon=False, fontsize=_SMALL)


def _places(nodes: Sequence[Node]) -> dict[Value, Point]:
    """Centre of every box: instructions in their order, inputs above the functions that have them set."""
    places: dict[Value, Point] = {Input.FEATURES: (_COLUMN, 0.0), Input.LABEL: (2 * _COLUMN, 0.0)}
    used = [0, 1, 1]
    for node in nodes:
        if isinstance(node.value, Site):
            column = node.value.component
            places[node.value] = (column * _COLUMN, -used[column] * _ROW)
            used[column] += 1
    return places


def _draw_box(axes: Axes, node: Node, x: float, y: float) -> None:
    rounding = 0.2 if isinstance(node.value, Input) else 0.06
    shape = f"round,pad={_PAD},rounding_size={rounding}"
    colour = COLOURS.get(node.role, "#ffffff")
    corner = (x - _WIDTH / 2, y - _HEIGHT / 2)
    axes.add_patch(FancyBboxPatch(corner, _WIDTH, _HEIGHT, shape, facecolor=colour, edgecolor="black", zorder=2))
    text = node.text if len(node.text) <= _LONGEST else node.text[: _LONGEST - 1] + "…"
    axes.text(x, y, text, ha="center", va="center", family="monospace", fontsize=_SMALL, zorder=3)


def _colour(carried: bool) -> str:
    return "#1f5fa8" if carried else "#444444"


def _sides(arrow: Arrow, start: Point, end: Point) -> tuple[int, int]:
    """Sides, 1 on the right and -1 on the left, at which an arrow leaves its start and arrives at its end."""
    if start[0] == end[0]:  # on the right when it leads down, on the left when it leads to the next example
        return (-1, -1) if arrow.carried else (1, 1)
    return (1, -1) if end[0] > start[0] else (-1, 1)


def _draw_arrow(axes: Axes, arrow: Arrow, start: Point, end: Point) -> None:
    if arrow.start == arrow.end:
        return
    axes.add_patch(
        FancyArrowPatch(
            path=_curve(arrow, start, end),
            arrowstyle="-|>",
            mutation_scale=9,
            linestyle="--" if arrow.carried else "-",
            color=_colour(arrow.carried),
            fill=False,
            zorder=1,
        )
    )


def _curve(arrow: Arrow, start: Point, end: Point) -> Curve:
    """The way of an arrow, in cubic curves and straight lines."""
    sides = _sides(arrow, start, end)
    edge = _WIDTH / 2 + _PAD
    a = start[0] + sides[0] * edge, start[1] - sides[0] * _PORT
    b = end[0] + sides[1] * edge, end[1] + sides[1] * _PORT
    if start[0] == end[0]:
        # A cubic curve reaches 3/4 of the way to its control points.
        rows = abs(start[1] - end[1]) / _ROW
        bulge = sides[0] * min(_BULGE, 0.2 + 0.07 * rows) / 0.75
        return Curve([a, (a[0] + bulge, a[1]), (b[0] + bulge, b[1]), b], [1, 4, 4, 4])
    if abs(start[0] - end[0]) < 1.5 * _COLUMN:
        return Curve([a, *_controls(a, b), b], [1, 4, 4, 4])
    # Past the column in between, in the gap above the row of the end.
    middle, gap = (start[0] + end[0]) / 2, end[1] + _ROW / 2
    c, d = (middle - edge, gap), (middle + edge, gap)
    return Curve([a, *_controls(a, c), c, d, *_controls(d, b), b], [1, 4, 4, 4, 2, 4, 4, 4])


def _controls(start: Point, end: Point) -> tuple[Point, Point]:
    """Control points of a curve that leaves and arrives horizontally."""
    middle = (start[0] + end[0]) / 2
    return (middle, start[1]), (middle, end[1])
