"""Programs on the terminal: two beside each other, or what differs between two."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from automl_zero.cli.consoles import echo_program, is_rich

if TYPE_CHECKING:
    from automl_zero.analysis.differences import Line

_COLOURS = {"-": "red", "+": "green"}
_GAP = 4


def echo_two_programs(headings: tuple[str, str], texts: tuple[str, str]) -> None:
    """Print two programs: side by side on a terminal that is wide enough, else one after the other."""
    widths = [max(map(len, (heading, *text.splitlines()))) for heading, text in zip(headings, texts, strict=True)]
    if not is_rich(sys.stdout) or sum(widths) + _GAP > shutil.get_terminal_size().columns:
        for number, (heading, text) in enumerate(zip(headings, texts, strict=True)):
            echo_program(("\n" if number else "") + f"# {heading}\n{text}")
        return
    from rich.console import Console
    from rich.table import Table

    from automl_zero.cli.highlighting import highlighted

    table = Table.grid(padding=(0, _GAP))
    for heading, width in zip(headings, widths, strict=True):
        table.add_column(heading, width=width)
    table.add_row(*headings, style="bold")
    table.add_row(*map(highlighted, texts))
    Console().print(table)


def echo_differences(headings: tuple[str, str], lines: Sequence[Line]) -> None:
    """Print a comparison in the manner of ``diff -u``, in colours where they can be seen."""
    rows = [("-", f"-- {headings[0]}"), ("+", f"++ {headings[1]}"), *((line.sign, line.text) for line in lines)]
    for sign, text in rows:
        line = f"{sign}{text}"
        click.echo(click.style(line, fg=_COLOURS[sign]) if sign in _COLOURS and is_rich(sys.stdout) else line)
