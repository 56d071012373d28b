"""Plots of measurements, as PNG files. Only this module needs matplotlib, which the extra `dev` installs."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fits import PowerLaw


@dataclass(frozen=True)
class Curve:
    """Measurements to be drawn.

    Attributes:
        label: for the legend.
        x, y: the points.
        low, high: ends of the error bars, absolute; empty for none.
        fit: drawn as a dashed line over its range.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    fit: PowerLaw | None = None


def check_available() -> None:
    """Raise RuntimeError when matplotlib is missing, before anything is measured in vain."""
    if importlib.util.find_spec("matplotlib") is None:
        raise RuntimeError("plots need matplotlib: pip install -e '.[dev]'")


def draw(path: Path, title: str, x_label: str, y_label: str, curves: Sequence[Curve], logarithmic: bool) -> None:
    """Draw curves into a PNG file.

    Args:
        path: the file; its folder is made.
        title: above the axes.
        x_label, y_label: of the axes, with units.
        curves: what to draw.
        logarithmic: both axes, or none.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    if logarithmic:
        axes.set_xscale("log")
        axes.set_yscale("log", nonpositive="mask")
    for curve in curves:
        (line,) = axes.plot(curve.x, curve.y, "o-" if logarithmic else "-", markersize=4, linewidth=1)
        if curve.low:
            axes.fill_between(curve.x, curve.low, curve.high, color=line.get_color(), alpha=0.2, linewidth=0)
        label = curve.label
        if curve.fit is not None:
            ends = (curve.fit.low, curve.fit.high)
            axes.plot(ends, [curve.fit(x) for x in ends], "--", color=line.get_color(), linewidth=2)
            label = f"{label}: exponent {curve.fit.exponent:.2f}"
        line.set_label(label)
    axes.grid(True, which="both", linewidth=0.3)
    figure.legend(loc="outside lower center", fontsize="small", ncols=1 if len(curves) < 3 else 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


@dataclass(frozen=True)
class Points:
    """Figures with error bars.

    Attributes:
        label: for the legend.
        x, y: the points.
        low, high: ends of the error bars, absolute; empty for none.
        marker: as matplotlib names it.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    marker: str = "o"


def draw_points(
    path: Path,
    title: str,
    x_label: str,
    y_label: str,
    series: Sequence[Points],
    names: Sequence[str] = (),
    logarithmic: bool = False,
) -> None:
    """Draw points with error bars into a PNG file.

    Args:
        path: the file; its folder is made.
        title: above the axes.
        x_label, y_label: of the axes, with units.
        series: what to draw.
        names: of the places 0, 1, ... on the horizontal axis; without them it is an axis of numbers.
        logarithmic: the vertical axis.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    if logarithmic:
        axes.set_yscale("log")
    if names:
        axes.set_xticks(range(len(names)), names)
    for points in series:
        bars = None
        if points.low:
            below = [y - low for y, low in zip(points.y, points.low, strict=True)]
            above = [high - y for y, high in zip(points.y, points.high, strict=True)]
            bars = (below, above)
        axes.errorbar(points.x, points.y, bars, fmt=points.marker, capsize=4, label=points.label)
    axes.grid(True, which="both", linewidth=0.3)
    figure.legend(loc="outside lower center", fontsize="small", ncols=1 if len(series) < 3 else 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
