"""Charts as SVG. Colours come from the style sheet, so that they follow the theme; lines differ in their dashes too."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from automl_zero.report.markup import Markup, element

WIDTH, HEIGHT = 400, 240  # about the width of a phone, so that text keeps its size there
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 10, 34
_MAX_POINTS = 300  # in a line; more cannot be seen
_MAX_BREAKS = 40
_TICKS = 5
_MARK_SPACE = 12

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """A line of a chart.

    Attributes:
        name: what it shows.
        style: 1 to 4, the look that the style sheet gives it.
        parts: its points, in parts that are not connected.
        steps: whether the value stays until the next point.
    """

    name: str
    style: int
    parts: tuple[tuple[Point, ...], ...]
    steps: bool = False


@dataclass(frozen=True)
class Axis:
    """An axis: what it shows and how its numbers are written."""

    label: str
    text: Callable[[float], str]
    low: float | None = None
    high: float | None = None


def line_chart(
    ident: str,
    title: str,
    description: str,
    lines: Sequence[Line],
    x: Axis,
    y: Axis,
    breaks: Sequence[float] = (),
    marks: Sequence[tuple[Point, str]] = (),
) -> Markup:
    """A figure with lines.

    Args:
        ident: a name that is unique in the page.
        title: what it shows, which is also its caption.
        description: the same in a sentence with figures, for those who cannot see it.
        lines: the lines; without points there is no figure.
        x: the horizontal axis.
        y: the vertical axis.
        breaks: where vertical lines divide the chart.
        marks: points with a short text beside them.
    """
    points = [point for line in lines for part in line.parts for point in part]
    if not points:
        return Markup()
    to_x, x_ticks = _scale(x, [p[0] for p in points], _LEFT, WIDTH - _RIGHT)
    to_y, y_ticks = _scale(y, [p[1] for p in points], HEIGHT - _BOTTOM, _TOP)
    base = HEIGHT - _BOTTOM
    drawn = [
        element("title", title, id=f"{ident}-title"),
        element("desc", description, id=f"{ident}-desc"),
    ]
    for value in y_ticks:
        height = to_y(value)
        drawn.append(element("line", class_="grid", x1=_LEFT, x2=WIDTH - _RIGHT, y1=height, y2=height))
        drawn.append(element("text", y.text(value), x=_LEFT - 6, y=height + 3.5, text_anchor="end"))
    for value in x_ticks:
        at = to_x(value)
        drawn.append(element("line", class_="axis", x1=at, x2=at, y1=base, y2=base + 4))
        anchor = "end" if at > WIDTH - 2 * _RIGHT - 8 else "middle"
        drawn.append(element("text", x.text(value), x=at, y=base + 15, text_anchor=anchor))
    drawn.append(element("line", class_="axis", x1=_LEFT, x2=WIDTH - _RIGHT, y1=base, y2=base))
    drawn.append(
        element("text", x.label, class_="label", x=(_LEFT + WIDTH - _RIGHT) / 2, y=HEIGHT - 4, text_anchor="middle")
    )
    if len(breaks) <= _MAX_BREAKS:
        drawn += [element("line", class_="break", x1=to_x(b), x2=to_x(b), y1=_TOP, y2=base) for b in breaks]
    for line in lines:
        path = " ".join(_path(part, line.steps, to_x, to_y) for part in line.parts if part)
        drawn.append(element("path", class_=f"line line-{line.style}", d=path))
    drawn += _marks([(to_x(at), to_y(value), text) for (at, value), text in marks])
    return figure(ident, title, WIDTH, HEIGHT, drawn, y.label, legend(lines))


def _marks(places: Sequence[tuple[float, float, str]]) -> list[Markup]:
    """Dots, and beside them their texts as far as there is room."""
    drawn = [element("circle", class_="mark", cx=x, cy=y, r=3.5) for x, y, _ in places]
    last: Point = (-math.inf, -math.inf)
    for x, y, text in places:
        if max(abs(x - last[0]), abs(y - last[1])) >= _MARK_SPACE:
            last = (x, y)
            drawn.append(element("text", text, class_="mark-text", x=x, y=y - 7, text_anchor="middle"))
    return drawn


def figure(
    ident: str, title: str, width: float, height: float, drawn: Iterable[Markup], subtitle: str, below: Markup
) -> Markup:
    """A drawing with its caption and what belongs below it."""
    svg = element(
        "svg",
        drawn,
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_labelledby=f"{ident}-title {ident}-desc",
        class_="chart",
    )
    return element("figure", caption(title, subtitle), svg, below)


def caption(title: str, subtitle: str) -> Markup:
    """The caption of a figure."""
    return element("figcaption", element("strong", title), element("span", subtitle, class_="subtitle"))


def legend(lines: Sequence[Line]) -> Markup:
    """Names of the lines, each with a piece of it."""
    if len(lines) < 2:
        return Markup()
    entries = [
        element(
            "li",
            element(
                "svg",
                element("path", class_=f"line line-{line.style}", d="M0 5H26"),
                viewBox="0 0 26 10",
                width=26,
                height=10,
                aria_hidden="true",
            ),
            line.name,
        )
        for line in lines
    ]
    return element("ul", *entries, class_="legend")


def thinned(points: Sequence[Point], limit: int = _MAX_POINTS) -> tuple[Point, ...]:
    """At most so many points, evenly spread over the given ones, the first and the last among them."""
    if len(points) <= limit:
        return tuple(points)
    chosen = {round(i * (len(points) - 1) / (limit - 1)) for i in range(limit)}
    return tuple(points[i] for i in sorted(chosen))


def ticks(low: float, high: float, wanted: int = _TICKS) -> list[float]:
    """Round numbers from ``low`` to ``high``, about as many as wanted."""
    span = high - low
    raw = span / max(wanted - 1, 1)
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _scale(
    axis: Axis, values: Sequence[float], start: float, end: float
) -> tuple[Callable[[float], float], list[float]]:
    low = min(values) if axis.low is None else axis.low
    high = max(values) if axis.high is None else axis.high
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    margin = 0.04 * (high - low)
    low, high = (low if axis.low is not None else low - margin), (high if axis.high is not None else high + margin)

    def place(value: float) -> float:
        return round(start + (value - low) / (high - low) * (end - start), 1)

    return place, ticks(low, high)


def _path(part: Sequence[Point], steps: bool, to_x: Callable[[float], float], to_y: Callable[[float], float]) -> str:
    (first_x, first_y), *others = part
    commands = [f"M{to_x(first_x):g} {to_y(first_y):g}"]
    for x, y in others:
        commands.append(f"H{to_x(x):g}V{to_y(y):g}" if steps else f"L{to_x(x):g} {to_y(y):g}")
    return "".join(commands) if others else f"{commands[0]}h0"  # a dot
