"""Programs in colours that can be read on light terminals as well as on dark ones."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable

import pytest
from rich.console import Console

from automl_zero import programs
from automl_zero.cli.consoles import echo_program
from automl_zero.cli.live_view import LiveView
from automl_zero.cli.program_views import echo_two_programs
from automl_zero.evolution.progress import Progress

#: What may be said to a terminal: resets, bold, italic, magenta, and the default colours.
HARMLESS = {"0", "1", "3", "22", "23", "35", "39", "49"}

TEXT = programs.linear().pseudocode()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def one(stream: Terminal) -> None:
    echo_program(TEXT)


def two(stream: Terminal) -> None:
    echo_two_programs(("one", "other"), (TEXT, TEXT))


def live(stream: Terminal) -> None:
    console = Console(file=stream, force_terminal=True, color_system="truecolor", width=100, height=40, _environ={})
    with LiveView("run", console=console) as view:
        view.update(Progress("search", program=programs.linear()))


def styles(line: str) -> list[str]:
    """The numbers of all styles that a line asks for."""
    return [number for codes in re.findall(r"\x1b\[([0-9;]*)m", line) for number in codes.split(";")]


@pytest.mark.parametrize("show", [one, two, live])
def test_code_is_shown_in_the_terminals_own_colours(
    show: Callable[[Terminal], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    for name, value in {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    show(stream)
    lines = [line for line in stream.getvalue().splitlines() if "s2" in line or "def" in line or "dot" in line]
    assert len(lines) >= 3
    used = {number for line in lines for number in styles(line)}
    assert used <= HARMLESS
    assert "35" in used  # constants stand out

    (plain,) = {line for line in re.split(r"[│\n]", stream.getvalue()) if "dot(v1, v0)" in line and "s3" not in line}
    assert not set(styles(plain)) - {"0", "49"}
