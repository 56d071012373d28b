"""A plot of the progress of several runs, by matplotlib."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from automl_zero.report.comparison import Comparison

SUFFIXES = (".png", ".svg", ".pdf")
_MAX_NAMED = 12  # runs in the legend


def plot(comparison: Comparison, path: str | Path) -> None:
    """Draw the best search fitness of each run so far against its individuals.

    Args:
        comparison: the runs.
        path: file to write; its suffix says in which format.

    Raises:
        OSError: it cannot be written.
        ValueError: the suffix is not known, or no run has reported any progress.
    """
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise ValueError(f"the plot goes into a file that ends in {', '.join(SUFFIXES)}, not {file.name}")
    if not any(comparison.curves):
        raise ValueError("there is nothing to plot: no run has reported any progress")
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for row, metrics in zip(comparison.rows, comparison.curves, strict=True):
        known = [(metric.individuals, metric.best) for metric in metrics if metric.best is not None]
        best = list(accumulate((fitness for _, fitness in known), max))
        (line,) = axes.step([at for at, _ in known], best, where="post", label=_escaped(row.run), linewidth=1.5)
        axes.plot([at for at, _ in known[-1:]], best[-1:], "o", markersize=4, color=line.get_color())
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_xlabel("individuals")
    axes.set_ylabel("best search fitness so far")
    axes.grid(color="#dddddd", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    if len(comparison.rows) <= _MAX_NAMED:
        axes.legend(frameon=False, fontsize=9)
    figure.savefig(file, dpi=150)


def _escaped(text: str) -> str:
    """A name without what matplotlib reads as mathematics, or as a line to leave out of the legend."""
    return text.replace("$", r"\$").removeprefix("_")
