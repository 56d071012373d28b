"""Input that commands share: program files, and one-sentence errors for what cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from automl_zero.program import Program


tasks_option = click.option(
    "--tasks",
    "name",
    metavar="PRESET|FILE",
    help="A preset, or a TOML, CSV or npz file. Default: the tasks of the run directory.",
)
target_option = click.option("--target", metavar="COLUMN", help="The column to predict, where the tasks are a table.")
scale_option = click.option(
    "--scale",
    type=click.Choice(["small", "full"]),
    help="Version of the preset: full (default), or small, which takes minutes on two cores.",
)
data_dir_option = click.option(
    "--data-dir",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, resolve_path=True),
    help="Where the files of image data sets are. Default: $AUTOML_ZERO_DATA, then well-known folders.",
)


class InputError(click.ClickException):
    """Bad input: the message on stderr, exit code 2."""

    exit_code = 2


@contextmanager
def bad_input() -> Iterator[None]:
    """Turn the errors of reading and checking input into an InputError."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from None
    except ValueError as error:
        raise InputError(str(error)) from None


def read_program(path: str) -> Program:
    """Read a program file, or the best program of a run directory."""
    from automl_zero.evolution.run_directory import BEST
    from automl_zero.program import Program

    file = Path(path)
    if file.is_dir():
        file = file / BEST
        if not file.exists():
            raise InputError(f"{path} is not a run directory: it holds no {BEST}")
    with bad_input():
        return Program.load(file)


def run_config(path: str) -> str | None:
    """Path of the configuration of a run directory; None for anything else."""
    from automl_zero.evolution.run_directory import CONFIG

    file = Path(path) / CONFIG
    return str(file) if file.is_file() else None
