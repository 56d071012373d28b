"""The live display of a run: progress bar, figures and the best program so far."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.cli.highlighting import highlighted
from automl_zero.cli.progress_view import fitness, limit_text
from automl_zero.evolution.progress import Progress
from automl_zero.program import Program


class LiveView:
    """A display that is redrawn in place.

    Args:
        title: heading of the display.
        console: where to draw; stderr by default.
    """

    def __init__(self, title: str, num_classes: int = 0, console: Console | None = None) -> None:
        self._title, self._num_classes = title, num_classes
        self._live = Live(console=console or Console(stderr=True), refresh_per_second=4)
        self._spinner = Spinner("dots")
        self._program: Program | None = None
        self._code: RenderableType = Text()
        self._said = ""

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def update(self, progress: Progress) -> None:
        """Redraw; messages stay on screen above the display."""
        if progress.message and progress.message != self._said:
            self._said = progress.message
            self._live.console.print(Text(progress.message))
        if progress.program is not None and progress.program != self._program:
            self._program = progress.program
            live = remove_dead_code(progress.program, self._num_classes)
            self._code = highlighted(live.pseudocode(num_classes=self._num_classes))
        self._live.update(self._display(progress))

    def _display(self, progress: Progress) -> RenderableType:
        figures = Table.grid(padding=(0, 2))
        for row in _figures(progress):
            figures.add_row(*row)
        parts: list[RenderableType] = [self._bar(progress), figures]
        if self._program is not None:
            parts.append(Panel(self._code, title="best program, dead code removed", title_align="left"))
        return Panel(Group(*parts), title=Text(self._title), title_align="left")

    def _bar(self, progress: Progress) -> RenderableType:
        row = Table.grid(padding=(0, 1))
        if progress.limit is None or progress.fraction is None:
            row.add_row(self._spinner, Text(f"{progress.phase}, {progress.seconds:.0f} s"))
        else:
            bar = ProgressBar(total=1.0, completed=min(progress.fraction, 1.0), width=40)
            text = (
                f"{progress.phase}, {progress.seconds:.0f} s, {progress.fraction:.0%} of {limit_text(progress.limit)}"
            )
            row.add_row(self._spinner, bar, Text(text))
        return row


def _figures(progress: Progress) -> list[tuple[str, str, str, str]]:
    share = progress.evaluated / progress.individuals if progress.individuals else 0.0
    return [
        ("individuals", f"{progress.individuals:,}", "a second", f"{progress.individuals_per_second:,.0f}"),
        ("best fitness", fitness(progress.best), "mean", fitness(progress.mean)),
        ("canonical hits", f"{progress.canonical_hit_rate:.0%}", "functional hits", f"{progress.fec_hit_rate:.0%}"),
        ("full evaluations", f"{progress.evaluated:,} ({share:.0%})", "experiment", str(progress.experiment)),
    ]
