"""What an experiment shows while it runs, on stderr: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from automl_zero.cli.consoles import is_rich
from benchmarks import report
from benchmarks.ledger import Key

Describe = Callable[[Key, Mapping[str, Any]], str]
"""A few words about the result of a run."""


class Board(Protocol):
    """Something that shows runs."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop showing."""

    def begin(self, key: Key) -> None:
        """A run begins."""

    def tell(self, key: Key, fraction: float, text: str) -> None:
        """A share of a run is done."""

    def end(self, key: Key, result: Mapping[str, Any]) -> None:
        """A run has ended."""


def make_board(title: str, finished: int, total: int | None, describe: Describe) -> Board:
    """The board that suits stderr.

    Args:
        title: of the experiment.
        finished: runs that were finished before.
        total: runs, where their number is known.
        describe: words about a result.
    """
    if is_rich(sys.stderr):
        from benchmarks.live_board import LiveBoard

        return LiveBoard(title, finished, total, describe)
    return PlainBoard(title, finished, total, describe)


def key_text(key: Key) -> str:
    """A key in words, such as ``full, seed 3``."""
    return ", ".join(str(part) if isinstance(part, str) else f"{name} {part}" for name, part in key.items())


class PlainBoard:
    """A line for every run that ends, and now and then one about those that go on.

    Args:
        title, finished, total, describe: as for :func:`make_board`.
        every: seconds between lines about runs that go on.
        clock: the time in seconds.
    """

    def __init__(
        self,
        title: str,
        finished: int,
        total: int | None,
        describe: Describe,
        every: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._finished, self._total, self._describe = finished, total, describe
        self._every, self._clock = every, clock
        self._next = clock() + every
        self._running: dict[str, str] = {}
        begun = f", {finished} runs are finished already" if finished else ""
        report.say(f"{title}{begun}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def begin(self, key: Key) -> None:
        """Remember the run."""
        self._running[key_text(key)] = "begins"

    def tell(self, key: Key, fraction: float, text: str) -> None:
        """Remember how far it is; print that if it is time."""
        if key_text(key) not in self._running:
            return  # told just before its end
        self._running[key_text(key)] = f"{fraction:.0%} {text}".rstrip()
        if self._clock() >= self._next:
            self._next = self._clock() + self._every
            report.say("  " + "; ".join(f"{run}: {state}" for run, state in self._running.items()))

    def end(self, key: Key, result: Mapping[str, Any]) -> None:
        """Print a line."""
        del self._running[key_text(key)]
        self._finished += 1
        of = "" if self._total is None else f" of {self._total}"
        report.say(f"{self._finished}{of}: {key_text(key)}: {self._describe(key, result)}")
