"""Input that commands share: program files, and one-sentence errors for what cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from automl_zero.origin import Origin
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
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), help="Seed of the tasks. Default: the seed of the run directory, else 0."
)
dtype_option = click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    help="Numbers to compute in. Default: those of the run directory, else float32.",
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
            problem = "is not a run directory" if _origin(path) is None else "has no program yet"
            raise InputError(f"{path} {problem}: it holds no {BEST}")
    with bad_input():
        return Program.load(file)


def run_config(path: str) -> str | None:
    """Path of the configuration of a run directory; None for anything else."""
    from automl_zero.evolution.run_directory import CONFIG

    file = Path(path) / CONFIG
    return str(file) if file.is_file() else None


def run_seed(path: str, seed: int | None) -> int:
    """The seed that is asked for, else that of a run directory, else 0."""
    if seed is not None:
        return seed
    origin = _origin(path) if Path(path).is_dir() else None
    if origin is None:
        return 0
    if origin.seed is None:
        click.echo(f"Warning: {path} does not tell its seed, so it is taken as 0; --seed sets another one", err=True)
    return origin.seed or 0


def run_dtype(path: str, dtype: str | None) -> str:
    """The type of numbers that is asked for, else that of a run directory, else float32."""
    origin = _origin(path) if dtype is None and Path(path).is_dir() else None
    return dtype or (origin.dtype if origin else "float32")


def own_num_classes(path: str) -> int | None:
    """C of the vector labels that a program was evolved for, 0 for numbers; None when that is not known."""
    from automl_zero.origin import known_num_classes

    with bad_input():
        return known_num_classes(path)


def refuse_other_labels(path: str, program: Program, num_classes: int, **texts: str) -> None:
    """An error for a program that is for labels of the other kind; see vector_labels.check_labels."""
    from automl_zero.vector_labels import check_labels

    with bad_input():
        check_labels(program, num_classes, own_num_classes(path), path, **texts)


def _origin(path: str) -> Origin | None:
    from automl_zero.origin import find_origin

    with bad_input():
        return find_origin(path)
