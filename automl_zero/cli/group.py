"""The top-level command: loads subcommands when they are used, and turns what goes wrong into exit codes."""

from __future__ import annotations

import importlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from automl_zero import __version__
from automl_zero.suggest import did_you_mean

INTERNAL_ERROR = 70
INTERRUPTED = 130

# Name -> one line for --help, so that listing the commands imports none of them.
COMMANDS = {
    "evolve": "Evolve a program on a preset's tasks or on your data.",
    "resume": "Go on with a run that was stopped, or extend one.",
    "show": "Print a program.",
    "evaluate": "Score a program on unseen tasks, beside the baselines.",
    "fit": "Train a program on a table and save the model.",
    "predict": "Predict the rows of a table by a saved model.",
    "explain": "Say what a program does, and what each part of it is worth.",
    "report": "Write a report of a run as a web page.",
    "compare": "Put runs beside each other.",
    "tune": "Tune the constants of a program.",
    "presets": "List the presets, or print one.",
    "ops": "List the instruction set.",
    "doctor": "Check the installation and show the versions.",
}


class Group(click.Group):
    """Subcommands imported on use, and the exit codes that all of them share."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the module of a subcommand and return its command."""
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"automl_zero.cli.{name}_command").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand that the arguments begin with."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"no such command {args[0]!r}{did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands for --help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; its failures become one line on stderr and an exit code."""
        try:
            with _sigterm_interrupts():
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if os.environ.get("AUTOML_ZERO_DEBUG") == "1":
                raise
            text = " ".join(str(error).split())
            click.echo(f"Internal error: {type(error).__name__}: {text}", err=True)
            click.echo("Please report this; AUTOML_ZERO_DEBUG=1 shows where it happened.", err=True)
            ctx.exit(INTERNAL_ERROR)


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # signals cannot be handled there
        yield
        return
    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="automl-zero")
def main() -> None:
    """Evolve whole machine-learning algorithms from basic mathematical operations.

    \b
    Examples:
      automl-zero evolve linear --max-seconds 600
      automl-zero evolve --tasks houses.csv --target price --max-seconds 300
      automl-zero show runs/linear-0-20260101-120000 --simplify

    Exit codes: 0 done, 1 the run ended without the target it was given, 2 bad usage or input, 70 internal error,
    130 interrupted.
    """
