"""Progress bars of an experiment: one for every run that goes on, and one for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from benchmarks.board import Describe, key_text
from benchmarks.ledger import Key


class LiveBoard:
    """Bars that are redrawn in place; a line stays above them for every run that has ended.

    Args:
        title: of the experiment.
        finished: runs that were finished before.
        total: runs, where their number is known.
        describe: words about a result.
        console: where to draw; stderr by default.
    """

    def __init__(
        self, title: str, finished: int, total: int | None, describe: Describe, console: Console | None = None
    ) -> None:
        self._describe = describe
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            console=console or Console(stderr=True),
        )
        self._all = self._bars.add_task(title, completed=finished, total=total, text="")
        self._running: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bars.stop()

    def begin(self, key: Key) -> None:
        """Add a bar."""
        self._running[key_text(key)] = self._bars.add_task(key_text(key), total=100, text="")

    def tell(self, key: Key, fraction: float, text: str) -> None:
        """Move a bar."""
        if key_text(key) in self._running:
            self._bars.update(self._running[key_text(key)], completed=round(100 * fraction), text=text)

    def end(self, key: Key, result: Mapping[str, Any]) -> None:
        """Replace a bar by a line."""
        self._bars.remove_task(self._running.pop(key_text(key)))
        self._bars.advance(self._all)
        self._bars.console.print(Text(f"{key_text(key)}: {self._describe(key, result)}"))
