"""What starting and resuming a run have in common: progress while it goes on, the result and the exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from automl_zero.cli.consoles import echo_json
from automl_zero.cli.group import INTERRUPTED
from automl_zero.cli.inputs import InputError
from automl_zero.cli.progress_view import make_view

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig
    from automl_zero.evolution.progress import Result
    from automl_zero.evolution.run import Callback

UNSOLVED = 1

# Options that set the configuration key of the same name.
LIMITS = ("max_individuals", "max_train_steps", "max_seconds", "max_experiments", "target_fitness")


def limit_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that decide when a run ends, and how it reports."""
    for decorate in reversed(
        (
            click.option("--max-individuals", metavar="N", help="Stop after N individuals."),
            click.option("--max-train-steps", metavar="N", help="Stop after N training examples, over all programs."),
            click.option("--max-seconds", metavar="S", help="Stop after S seconds."),
            click.option("--max-experiments", metavar="N", help="Stop after N experiments."),
            click.option("--target-fitness", metavar="X|none", help="Stop when a program exceeds X on select tasks."),
            click.option("--workers", type=click.IntRange(min=1), help="Number of threads; changes no result."),
            click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
        )
    ):
        command = decorate(command)
    return command


def given(options: dict[str, str | None], keys: tuple[str, ...]) -> list[str]:
    """The options that were given, as texts ``key=value``."""
    return [f"{key}={options[key]}" for key in keys if options[key] is not None]


def run_and_report(
    ctx: click.Context,
    config: ExperimentConfig,
    seed: int,
    run_dir: str,
    as_json: bool,
    execute: Callable[[Callback], Result],
) -> None:
    """Run with progress on stderr; print the result and exit with its code."""
    from automl_zero.cli.result_text import result_text
    from automl_zero.evolution.run_directory import RunError

    try:
        with make_view(config, seed, run_dir) as view:
            result = execute(view.update)
    except RunError as error:
        raise InputError(str(error)) from None
    if as_json:
        echo_json({**result.to_dict(), "run_dir": run_dir})
    else:
        click.echo(result_text(result))
    if result.interrupted:
        click.echo(f"Interrupted; automl-zero resume {run_dir} goes on from here.", err=True)
        ctx.exit(INTERRUPTED)
    if result.target_fitness is not None and not result.solved:
        ctx.exit(UNSOLVED)
