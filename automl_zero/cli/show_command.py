"""``automl-zero show``."""

from __future__ import annotations

import click

from automl_zero.cli.consoles import echo_program
from automl_zero.cli.inputs import read_program


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
        echo_program(shown.pseudocode())
