"""``automl-zero compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from automl_zero.cli.consoles import echo_json, echo_table
from automl_zero.cli.inputs import InputError, bad_input

if TYPE_CHECKING:
    from automl_zero.report.comparison import Group, Row


@click.command("compare")
@click.argument("run_dirs", metavar="DIR DIR...", nargs=-1)
@click.option("--out", metavar="FILE.png", help="Plot fitness against individuals into this file (.png, .svg or .pdf).")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def command(run_dirs: tuple[str, ...], out: str | None, as_json: bool) -> None:
    """Put runs beside each other, finished or not; those that differ in their seed alone are summarised.

    \b
    Examples:
      automl-zero compare runs/digits-0 runs/digits-1 runs/digits-2
      automl-zero compare runs/* --out fitness.png
      automl-zero compare runs/* --json
    """
    if len(run_dirs) < 2:
        raise InputError(f"name at least two run directories to compare, not {len(run_dirs)}")
    from automl_zero.report.comparison import compare

    with bad_input():
        comparison = compare(run_dirs)
        if out is not None:
            from automl_zero.report.comparison_plot import plot

            plot(comparison, out)
    for note in comparison.notes:
        click.echo(note, err=True)
    if as_json:
        echo_json(comparison.to_dict())
        return
    headers = ("run", "name", "seed", "state", "search", "select", "final", "solved", "individuals", "a second")
    echo_table((*headers, "CPU s", "train steps", "instructions"), [_cells(row) for row in comparison.rows])
    for group in comparison.groups:
        click.echo(f"\n{_summary(group)}")


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.run,
        row.name,
        "-" if row.seed is None else str(row.seed),
        row.state,
        *(_number(value, ".6f") for value in (row.search_fitness, row.select_fitness, row.final_fitness)),
        "yes" if row.solved else "no",
        _number(row.individuals, ",.0f"),
        _number(row.individuals_per_second, ",.0f"),
        _number(row.cpu_seconds, ",.1f"),
        _number(row.train_steps, ",.0f"),
        _number(row.instructions, "d"),
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _summary(group: Group) -> str:
    """What several seeds of one configuration come to."""
    number = len(group.runs)
    # A run twice, or the same seed once more, would otherwise pass for another seed.
    seeds = f"{group.seeds} seeds" if number == group.seeds else f"{number} runs with {group.seeds} seeds"
    pending = f", {group.without_result} of them without result" if group.without_result else ""
    scores = ", ".join(
        f"{name.replace('_', ' ')} {score}" + (f" (of {score.num_tasks})" if score.num_tasks < number else "")
        for name, score in group.scores.items()
    )
    text = f"{group.name}, {seeds}{pending}: {group.solved} solved; mean {scores}."
    if group.left_out:
        text += f" Not counted, as seed or fitness are not known: {', '.join(group.left_out)}."
    return text
