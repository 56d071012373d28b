"""Where output goes: results to stdout, progress to stderr, and when it may be colourful."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import click


def is_rich(stream: TextIO) -> bool:
    """Whether a stream is a terminal that may be given colours, boxes and moving lines."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def echo_json(record: Any) -> None:
    """Print a record to stdout as JSON."""
    click.echo(json.dumps(record, indent=2, allow_nan=False))


def echo_program(text: str) -> None:
    """Print pseudocode to stdout, highlighted where that can be seen."""
    if not is_rich(sys.stdout):
        click.echo(text)
        return
    from rich.console import Console

    from automl_zero.cli.highlighting import highlighted

    Console().print(highlighted(text))


def echo_table(headers: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table to stdout: with lines and colours on a terminal, else columns of plain text."""
    if is_rich(sys.stdout):
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*headers, header_style="bold")
        for row in rows:
            table.add_row(*map(Text, row))  # Text, because brackets would be taken for markup
        Console().print(table)
        return
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    for row in (headers, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@contextmanager
def warnings_on_stderr() -> Iterator[None]:
    """Print each warning as one line on stderr, without the place in the code that it comes from."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            for warning in caught:
                click.echo(f"Warning: {warning.message}", err=True)
