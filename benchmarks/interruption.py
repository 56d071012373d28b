"""Ctrl-C and SIGTERM, noticed between two looks at what the workers do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from automl_zero.evolution.interrupts import requests_to_stop

HEARTBEAT = 0.5
"""Seconds between two looks."""


@contextmanager
def interruption() -> Iterator[Callable[[], None]]:
    """Give a function that raises KeyboardInterrupt once an interruption was asked for.

    An exception raised by the signal itself may come while concurrent.futures has a lock, which then stays locked.
    """
    asked: list[bool] = []

    def request() -> bool:
        asked.append(True)
        return True

    def check() -> None:
        if asked:
            raise KeyboardInterrupt

    with requests_to_stop(request):
        yield check
