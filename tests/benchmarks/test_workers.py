"""Units of work in processes, what is on disk of them, and what is shown."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.board import PlainBoard
from benchmarks.ledger import Key, Ledger
from benchmarks.live_board import LiveBoard
from benchmarks.workers import Tell, run

SETTINGS = {"scale": 3}


def square(key: Key, settings: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """A unit of work."""
    tell(0.5, "half")
    if key["number"] == settings.get("fails_at"):
        raise RuntimeError("it went wrong")
    return {"square": key["number"] ** 2, "threads": os.environ["OMP_NUM_THREADS"]}


def numbers(count: int) -> Iterator[Key]:
    for number in range(count):
        yield {"variant": "a", "number": number}


def words(key: Key, result: Mapping[str, Any]) -> str:
    return f"square {result['square']}"


def do(path: Path, count: int, workers: int = 2, **settings: Any) -> Ledger:
    with Ledger(path, SETTINGS) as ledger:
        with PlainBoard("test", len(ledger.results), count, words) as board:
            run(square, {**SETTINGS, **settings}, numbers(count), ledger, workers, board)
        return ledger


def test_all_units_are_done_on_one_thread_each_and_kept(tmp_path):
    ledger = do(tmp_path / "runs.jsonl", 5)
    results = [found["result"] for found in ledger.runs(variant="a")]
    assert results == [{"square": n * n, "threads": "1"} for n in range(5)]
    assert ledger.runs(number=3) == [{"key": {"variant": "a", "number": 3}, "result": results[3]}]


def test_after_a_failure_the_rest_is_done_and_the_record_is_the_same(tmp_path, capsys):
    with pytest.raises(RuntimeError, match="it went wrong"):
        do(tmp_path / "halves.jsonl", 4, workers=1, fails_at=2)
    capsys.readouterr()
    resumed = do(tmp_path / "halves.jsonl", 4, workers=1)
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == "test, 2 runs are finished already"
    assert [line.split(":")[0] for line in shown[1:]] == ["3 of 4", "4 of 4"]
    assert resumed.runs() == do(tmp_path / "whole.jsonl", 4, workers=1).runs()


def test_part_of_a_line_is_dropped_and_written_anew(tmp_path):
    path = tmp_path / "runs.jsonl"
    with Ledger(path, SETTINGS) as ledger:
        ledger.append({"number": 1}, {"square": 1})
        ledger.append({"number": 2}, {"square": 4})
    path.write_bytes(path.read_bytes()[:-5])  # killed while it wrote
    with Ledger(path, SETTINGS) as ledger:
        assert {"number": 1} in ledger
        assert {"number": 2} not in ledger
        ledger.append({"number": 2}, {"square": 4})
    assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] == [
        {"settings": SETTINGS},
        {"key": {"number": 1}, "result": {"square": 1}},
        {"key": {"number": 2}, "result": {"square": 4}},
    ]


def test_runs_with_other_settings_are_refused(tmp_path):
    Ledger(tmp_path / "runs.jsonl", SETTINGS).close()
    with pytest.raises(ValueError, match=r"other settings: scale=3 there, scale=4 now; choose another --out"):
        Ledger(tmp_path / "runs.jsonl", {"scale": 4})


def test_a_file_in_use_is_refused(tmp_path):
    with Ledger(tmp_path / "runs.jsonl", SETTINGS), pytest.raises(ValueError, match="in use by another process"):
        Ledger(tmp_path / "runs.jsonl", SETTINGS)


@pytest.mark.parametrize("content", ["[]\n", "{}\n", "hello\n", '{"settings": {"scale": 3}}\n{"result": 1}\n'])
def test_another_file_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "runs.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match="is not a list of runs"):
        Ledger(path, SETTINGS)
    assert path.read_text(encoding="utf-8") == content


def test_runs_are_in_the_order_of_their_keys(tmp_path):
    with Ledger(tmp_path / "runs.jsonl", SETTINGS) as ledger:
        for number in (10, 9, 0):
            ledger.append({"number": number}, {})
        assert [found["key"]["number"] for found in ledger.runs()] == [0, 9, 10]


_ENDLESS = """
import sys
from pathlib import Path
from benchmarks import experiment
from benchmarks.board import PlainBoard
from benchmarks.ledger import Ledger
from benchmarks.workers import run

def work(key, settings, tell):
    while key["number"] > 0:
        tell(0.0, "waits")
    return {"square": 0}

def everything():
    with Ledger(Path(sys.argv[1]), {}) as ledger, PlainBoard("test", 0, 3, lambda key, result: "done") as board:
        run(work, {}, iter([{"number": n} for n in range(3)]), ledger, 1, board)

if __name__ == "__main__":
    sys.exit(experiment.main(everything, "test"))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_the_processes_and_keeps_what_is_done(tmp_path, number):
    script, path = tmp_path / "endless.py", tmp_path / "runs.jsonl"
    script.write_text(_ENDLESS, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(script), str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.startswith("1 of 3"))
        process.send_signal(number)
        rest = process.stderr.read()  # ends when no process has the pipe open any more
    assert process.returncode == 130
    assert "interrupted; the same command goes on from here" in rest
    assert "Traceback" not in rest
    with Ledger(path, {}) as ledger:
        assert [found["key"]["number"] for found in ledger.runs()] == [0]


def test_on_a_terminal_every_unit_has_a_bar_and_leaves_a_line():
    stream = io.StringIO()
    board = LiveBoard("test", 1, 3, words, Console(file=stream, force_terminal=True, width=100))
    key: Key = {"variant": "[b]", "number": 3}
    with board:
        board.begin(key)
        board.tell(key, 0.5, "half")
        board.end(key, {"square": 9})
        board.tell(key, 1.0, "told too late")
    shown = stream.getvalue()
    assert "[b], number 3: square 9" in shown
    assert "2/3" in shown


def test_elsewhere_there_is_a_line_about_what_goes_on_now_and_then(capsys):
    now = [0.0]
    board = PlainBoard("test", 0, None, words, every=30.0, clock=lambda: now[0])
    key: Key = {"variant": "a", "number": 3}
    board.begin(key)
    for now[0] in (10.0, 31.0, 40.0):
        board.tell(key, now[0] / 100, "goes on")
    board.end(key, {"square": 9})
    assert capsys.readouterr().err.splitlines() == [
        "test",
        "  a, number 3: 31% goes on",
        "1: a, number 3: square 9",
    ]
