"""The two views of progress, and how output adapts to where it goes."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from automl_zero import programs
from automl_zero.cli import consoles, progress_view
from automl_zero.cli.live_view import LiveView
from automl_zero.cli.progress_view import PlainView
from automl_zero.evolution.config import load_config
from automl_zero.evolution.progress import Progress

SEARCHING = Progress(
    "search",
    experiment=2,
    individuals=12_000,
    evaluated=3_000,
    seconds=30.0,
    individuals_per_second=400.0,
    best=0.75,
    mean=0.5,
    canonical_hit_rate=0.51,
    fec_hit_rate=0.72,
    program=programs.pad(programs.linear(), {"setup": 4}),
    limit=("max_seconds", 600.0),
    fraction=0.05,
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_live_view_shows_bar_figures_and_program() -> None:
    stream = Terminal()
    console = Console(file=stream, force_terminal=True, width=100, height=40, color_system=None, _environ={})
    with LiveView("linear · seed 0", console=console) as view:
        view.update(Progress("compile", "compiling the kernels"))
        view.update(SEARCHING)
    shown = stream.getvalue()
    assert "compiling the kernels" in shown
    last = shown[shown.rindex("linear · seed 0") :]
    assert "search, 30 s, 5% of max_seconds 600" in last
    assert "━" in last
    for text in ("12,000", "400", "0.750000", "0.500000", "51%", "72%", "3,000 (25%)", "s1 = dot(v1, v0)"):
        assert text in last


def test_the_live_view_prints_a_message_once() -> None:
    stream = Terminal()
    console = Console(file=stream, force_terminal=True, width=100, height=40, color_system=None, _environ={})
    with LiveView("run", console=console) as view:
        view.update(Progress("select", "testing"))
        view.update(Progress("select", "testing"))
    assert stream.getvalue().count("testing") == 1


def test_plain_lines_about_the_search_come_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    times = []
    with PlainView(every=5.0, clock=lambda: times[-1] if times else 0.0) as view:
        for seconds in (0.0, 1.0, 4.9, 5.0, 9.0, 11.0):
            times.append(seconds)
            view.update(replace(SEARCHING, seconds=seconds))
    shown = [float(line.split()[0]) for line in capsys.readouterr().err.splitlines()]
    assert shown == [0.0, 5.0, 11.0]


def test_a_plain_line_names_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    PlainView().update(SEARCHING)
    assert capsys.readouterr().err.endswith("cache hits 51% canonical, 72% functional  5% of max_seconds 600\n")


@pytest.mark.parametrize(
    ("environment", "rich"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True)],
)
def test_colours_and_moving_lines_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], rich: bool
) -> None:
    for name, value in {"TERM": "xterm", "NO_COLOR": "", **environment}.items():
        monkeypatch.setenv(name, value)
    assert consoles.is_rich(Terminal()) is rich
    assert not consoles.is_rich(io.StringIO())
    monkeypatch.setattr(progress_view, "is_rich", lambda stream: rich)
    view = progress_view.make_view(load_config("linear"), 0, "runs/x")
    assert isinstance(view, LiveView if rich else PlainView)


def test_tables_have_lines_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(consoles, "is_rich", lambda stream: True)
    consoles.echo_table(("op", "meaning"), [("vector_const_set", "out[index] = value")])
    shown = capsys.readouterr().out
    assert "━" in shown
    assert "out[index] = value" in shown


def test_programs_are_complete_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(consoles, "is_rich", lambda stream: True)
    consoles.echo_program(str(programs.linear()))
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert shown == str(programs.linear()).splitlines()
