"""``automl-zero doctor``."""

from __future__ import annotations

import dataclasses

import click

from automl_zero.cli.consoles import echo_json
from automl_zero.cli.group import INTERNAL_ERROR


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show versions, machine and cache directory, and check that compiled code works.

    \b
    Examples:
      automl-zero doctor
      automl-zero doctor --json
    """
    from automl_zero import provenance
    from automl_zero.cache_directory import cache_directory

    versions, machine, cache = provenance.versions(), provenance.machine(), str(cache_directory())
    if not as_json:
        for name, value in {**versions, **machine, "cache directory": cache}.items():
            click.echo(f"{name:16} {value}")
    click.echo("Testing the compiled interpreter; the first time takes a while.", err=True)
    from automl_zero.self_test import run_self_test

    test = run_self_test()
    if as_json:
        echo_json({"versions": versions, "machine": machine, "cache": cache, "self_test": dataclasses.asdict(test)})
    else:
        verdict = "passed" if test.passed else "FAILED: the results differ from those of the NumPy interpreter"
        detail = f"largest difference {test.largest_difference:.1e}, {test.seconds:.1f} s"
        click.echo(f"{'self-test':16} {verdict} ({detail})")
    if not test.passed:
        ctx.exit(INTERNAL_ERROR)
