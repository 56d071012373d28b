"""``automl-zero resume``."""

from __future__ import annotations

import click

from automl_zero.cli.inputs import bad_input
from automl_zero.cli.running import LIMITS, given, limit_options, run_and_report


@click.command("resume")
@click.argument("run_dir", metavar="DIR")
@limit_options
@click.pass_context
def command(ctx: click.Context, /, run_dir: str, workers: int | None, as_json: bool, **options: str | None) -> None:
    """Go on with a run that was stopped or killed, or extend one that has ended.

    The run goes on from its last checkpoint and ends with the result that it would have had without the break. The
    limits are totals, those of the run's first part included; seconds are those in which it was at work.

    \b
    Examples:
      automl-zero resume runs/digits
      automl-zero resume runs/digits --max-individuals 20000000
    """
    from automl_zero.evolution.search import open_run

    with bad_input():
        run = open_run(run_dir, given(options, LIMITS))
    for note in run.notes:
        click.echo(f"Warning: {note}", err=True)
    run_and_report(
        ctx, run.config, run.seed, run_dir, as_json, lambda callback: run.go_on(workers=workers, callback=callback)
    )
