"""``automl-zero report``."""

from __future__ import annotations

from pathlib import Path

import click

from automl_zero.cli.inputs import InputError, bad_input

_PAGE = "report.html"
_AMOUNT = click.FloatRange(min=0)


@click.command("report")
@click.argument("run_dir", metavar="DIR")
@click.option("--out", metavar="FILE", help=f"The page to write. Default: DIR/{_PAGE}.")
@click.option(
    "--num-tasks", type=click.IntRange(min=0), metavar="N", help="Final tasks to measure on; 0 for none. Default: all."
)
@click.option(
    "--tolerance",
    type=_AMOUNT,
    default=0.001,
    show_default=True,
    metavar="X",
    help="How much the core of the program may lose in mean fitness.",
)
@click.option("--watts-per-core", type=_AMOUNT, metavar="W", help="Power of a busy CPU core.")
@click.option("--gpu-watts", type=_AMOUNT, metavar="W", help="Power of a busy GPU.")
@click.option("--pue", type=click.FloatRange(min=1), metavar="X", help="Overhead of the data centre.")
@click.option("--carbon-intensity", type=_AMOUNT, metavar="G", help="Grams of CO2e for a kWh of electricity.")
@click.option("--country", metavar="CODE", help="Carbon intensity of a country (such as FRA), from codecarbon.")
@click.option("--price-per-cpu-hour", type=_AMOUNT, metavar="X", help="Price of a core-hour.")
@click.option("--price-per-gpu-hour", type=_AMOUNT, metavar="X", help="Price of a GPU-hour.")
@click.option("--currency", metavar="TEXT", help="Currency of the prices. Default: USD.")
@click.option("--open", "open_page", is_flag=True, help="Show the page in a browser.")
def command(
    run_dir: str,
    out: str | None,
    num_tasks: int | None,
    tolerance: float,
    country: str | None,
    open_page: bool,
    **assumed: float | str | None,
) -> None:
    """Write a report of a run: one HTML file that needs nothing else and loads nothing.

    It holds the best program, simplified and explained, its fitness beside that of other models on unseen tasks, how
    the search went and what it cost. A run without a result gets a report of what is there.

    \b
    Examples:
      automl-zero report runs/demo
      automl-zero report runs/demo --out demo.html --price-per-cpu-hour 0.03 --country FRA
      automl-zero report runs/demo --num-tasks 0
    """
    page = Path(run_dir) / _PAGE if out is None else Path(out)
    given = {name: value for name, value in assumed.items() if value is not None}
    from automl_zero.report import make_report
    from automl_zero.report.cost import make_assumptions

    with bad_input():
        assumptions = make_assumptions(given, country)
        text = make_report(run_dir, assumptions, num_tasks, tolerance, say=lambda said: click.echo(said, err=True))
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{page} cannot be written: {error.strerror}") from None
    click.echo(str(page))
    if open_page:
        click.launch(str(page))
