"""Ctrl-C and SIGTERM as requests to stop, so that a run that is stopped anywhere still ends with its result."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def requests_to_stop(request: Callable[[], bool]) -> Iterator[None]:
    """Call `request` on Ctrl-C and SIGTERM; when it returns False, they do what they did before.

    Signals that are ignored or end the process at once stay as they are. In threads other than the main one, where
    signals cannot be handled, nothing changes.
    """
    previous = {}
    if threading.current_thread() is threading.main_thread():
        previous = {number: handler for number in _SIGNALS if callable(handler := signal.getsignal(number))}

    def handle(number: int, frame: FrameType | None) -> None:
        if not request():
            previous[signal.Signals(number)](number, frame)

    for number in previous:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
