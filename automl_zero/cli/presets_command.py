"""``automl-zero presets``."""

from __future__ import annotations

import click

from automl_zero.cli.consoles import echo_json, echo_table
from automl_zero.cli.inputs import bad_input, scale_option


@click.command("presets")
@click.option("--show", metavar="NAME", help="Print this preset as TOML.")
@scale_option
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def command(show: str | None, scale: str | None, as_json: bool) -> None:
    """List the presets, or print one to start a configuration of your own from.

    \b
    Examples:
      automl-zero presets
      automl-zero presets --show linear > mine.toml
      automl-zero presets --show baseline --scale small
      automl-zero evolve --config mine.toml
    """
    from automl_zero.presets import FULL, preset_names, preset_scales, preset_summary, preset_text

    if show is not None:
        with bad_input():
            click.echo(preset_text(show, scale or FULL), nl=False)
        return
    rows = [(name, preset_scales(name), preset_summary(name, scale or FULL)) for name in preset_names(scale or FULL)]
    if as_json:
        echo_json([{"name": name, "scales": scales, "summary": summary} for name, scales, summary in rows])
    else:
        texts = [(name, ", ".join(scales), summary) for name, scales, summary in rows]
        echo_table(("preset", "scales", "what it does"), texts)
