"""``automl-zero show``."""

from __future__ import annotations

import click

from automl_zero.cli.consoles import echo_program
from automl_zero.cli.inputs import bad_input, read_program, run_config


@click.command("show")
@click.argument("program", metavar="PROGRAM|DIR")
@click.option("--simplify", is_flag=True, help="Remove the instructions that cannot change any prediction.")
@click.option("--format", "form", type=click.Choice(["pseudocode", "json"]), default="pseudocode", show_default=True)
def command(program: str, simplify: bool, form: str) -> None:
    """Print a program file, or the best program of a run directory.

    \b
    Examples:
      automl-zero show runs/demo
      automl-zero show runs/demo --simplify --format json > best.json
    """
    shown = read_program(program)
    if simplify:
        from automl_zero.analysis.liveness import remove_dead_code

        shown = remove_dead_code(shown)
    if form == "json":
        click.echo(shown.to_json(), nl=False)
    else:
        echo_program(shown.pseudocode(_num_features(program)))


def _num_features(path: str) -> int | None:
    """The number of features of a run's tasks, which turns index constants into integers."""
    config = run_config(path)
    if config is None:
        return None
    from automl_zero.evolution.sources import task_source

    with bad_input():
        return task_source(config).num_features
