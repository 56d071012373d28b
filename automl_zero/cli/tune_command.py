"""``automl-zero tune``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from automl_zero.cli.consoles import echo_json, echo_program, echo_table
from automl_zero.cli.inputs import (
    InputError,
    bad_input,
    dtype_option,
    read_program,
    refuse_other_labels,
    run_config,
    run_dtype,
    run_seed,
    target_option,
    tasks_option,
)

if TYPE_CHECKING:
    from automl_zero.tuning import Tuning


@click.command("tune")
@click.argument("program", metavar="PROGRAM|DIR")
@tasks_option
@target_option
@click.option(
    "--method",
    type=click.Choice(["random", "cma"]),
    default="random",
    show_default=True,
    help="Random search, as in the paper, or CMA-ES (needs the library cma).",
)
@click.option("--max-evaluations", type=click.IntRange(min=1), default=1000, show_default=True, metavar="N")
@click.option("--separate/--no-separate", default=True, help="First give every use of a constant one of its own.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="Seed of tasks and search. Default: the seed of the run directory, else 0.",
)
@click.option("--num-tasks", type=click.IntRange(min=1), metavar="N", help="Search on the first N tasks only.")
@dtype_option
@click.option("--out", metavar="FILE.json", help="Write the tuned program here.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    program: str,
    name: str | None,
    target: str | None,
    method: str,
    max_evaluations: int,
    separate: bool,
    seed: int | None,
    num_tasks: int | None,
    dtype: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Tune the constants of a program, and validate the result on unseen tasks.

    The search sees the select tasks; the scores before and after are on the final ones.

    \b
    Examples:
      automl-zero tune runs/digits --out tuned.json
      automl-zero tune best.json --tasks digits --method cma --max-evaluations 2000 --out tuned.json
    """
    candidate = read_program(program)
    name = name or run_config(program)
    if name is None:
        raise InputError(f"{program} is a program file, which has no tasks of its own: name some with --tasks")
    if out is not None and not Path(out).parent.is_dir():
        raise InputError(f"{out} cannot be written: there is no directory {Path(out).parent}")
    seed, dtype = run_seed(program, seed), run_dtype(program, dtype)
    from automl_zero.evolution.sources import task_source
    from automl_zero.tuning import tune_constants

    with bad_input():
        source = task_source(name, target)
        refuse_other_labels(program, candidate, source.num_classes)
        tasks = source.select(seed)
        if num_tasks is not None:
            tasks = tasks.take(num_tasks)
        click.echo(source.describe(), err=True)
        tuning = tune_constants(
            candidate, tasks, method, max_evaluations, seed, source.final(seed), dtype, separate, _report
        )
        if out is not None:
            tuning.program.save(out)
    if as_json:
        echo_json(tuning.to_dict())
    else:
        _echo(tuning, out)


def _report(evaluations: int, best: float) -> None:
    if evaluations % 500 == 0:
        click.echo(f"{evaluations:,} evaluations  best {best:.6f}", err=True)


def _echo(tuning: Tuning, out: str | None) -> None:
    echo_program(tuning.program.pseudocode())
    for step in () if tuning.kept else tuning.steps:
        click.echo(f"Separated: {step}.")
    rows = [("before", str(tuning.before)), ("tuned", str(tuning.after)), ("change", str(tuning.change))]
    echo_table(("unseen tasks", "mean fitness"), rows)
    click.echo(tuning.verdict)
    if out is not None:
        click.echo(f"{out} holds the program {'as it was given' if tuning.kept else 'with the tuned constants'}.")
