"""The threads of a run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


class Crew(ThreadPoolExecutor):
    """Threads that know how many they are.

    Args:
        size: how many.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size, thread_name_prefix="automl-zero")
        self.size = size
