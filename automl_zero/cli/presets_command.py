"""``automl-zero presets``."""

from __future__ import annotations

import click

from automl_zero.cli.consoles import echo_json, echo_table
from automl_zero.cli.inputs import bad_input


@click.command("presets")
@click.option("--show", metavar="NAME", help="Print this preset as TOML.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def command(show: str | None, as_json: bool) -> None:
    """List the presets, or print one to start a configuration of your own from.

    \b
    Examples:
      automl-zero presets
      automl-zero presets --show linear > mine.toml
      automl-zero evolve --config mine.toml
    """
    from automl_zero.presets import preset_names, preset_summary, preset_text

    if show is not None:
        with bad_input():
            click.echo(preset_text(show), nl=False)
        return
    rows = [(name, preset_summary(name)) for name in preset_names()]
    if as_json:
        echo_json([{"name": name, "summary": summary} for name, summary in rows])
    else:
        echo_table(("preset", "what it does"), rows)
