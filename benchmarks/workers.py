"""Runs of an experiment, side by side in processes of one thread each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import connection
from typing import Any

from benchmarks.board import Board
from benchmarks.interruption import HEARTBEAT, interruption
from benchmarks.ledger import Key, Ledger

Tell = Callable[[float, str], None]
"""Tells what share of a run is done, with a few words about it."""

Work = Callable[[Key, Mapping[str, Any], Tell], Mapping[str, Any]]
"""Makes a run: from its key and the settings to its result, as JSON. Defined at the top level of a module."""

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_messages: Any = None  # in a process: where it tells


def run(
    work: Work, settings: Mapping[str, Any], keys: Iterator[Key], ledger: Ledger, workers: int, board: Board
) -> None:
    """Make the runs that the ledger does not have yet, and enter them as they finish.

    Args:
        work: makes a run.
        settings: given to it.
        keys: the runs, in order. One is taken when a process is free, so that they may depend on the ledger.
        ledger: the finished runs.
        workers: number of processes.
        board: shows what happens.

    Raises:
        KeyboardInterrupt: Ctrl-C. The processes have ended; runs that they had not finished are lost.
        Exception: what a run raised.
    """
    context = multiprocessing.get_context("spawn")
    messages = context.SimpleQueue()
    with _environment(_ONE_THREAD), interruption() as check:
        pool = ProcessPoolExecutor(workers, context, _begin, (messages,))
        running: dict[Future[Mapping[str, Any]], Key] = {}
        try:
            while True:
                while len(running) < workers and (key := next(keys, None)) is not None:
                    if key not in ledger:
                        running[pool.submit(_work, work, key, settings)] = key
                        board.begin(key)
                if not running:
                    break
                done = wait(running, HEARTBEAT, FIRST_COMPLETED).done
                check()
                while not messages.empty():
                    board.tell(*messages.get())
                for future in done:
                    key = running.pop(future)
                    result = future.result()
                    ledger.append(key, result)
                    board.end(key, result)
        except BaseException:
            for process in multiprocessing.active_children():
                process.kill()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Variables that processes started meanwhile inherit."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin(messages: Any) -> None:
    """Begin a process: it leaves Ctrl-C to the process that started it, and ends with that one."""
    global _messages
    _messages = messages
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _work(work: Work, key: Key, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    return work(key, settings, lambda fraction, text: _messages.put((key, fraction, text)))
