"""``automl-zero explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from automl_zero.cli.consoles import echo_json, echo_table
from automl_zero.cli.inputs import bad_input, read_program, run_config, target_option, tasks_option

if TYPE_CHECKING:
    from automl_zero.explain.discoveries import Discovery
    from automl_zero.explain.explanation import Explanation


@click.command("explain")
@click.argument("program", metavar="PROGRAM|DIR")
@tasks_option
@target_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the tasks.")
@click.option("--num-tasks", type=click.IntRange(min=1), metavar="N", help="Use the first N tasks only.")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32", show_default=True)
@click.option("--graph", metavar="FILE.svg", help="Draw the data flow into this file (.svg, or .dot for Graphviz).")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
def command(
    program: str,
    name: str | None,
    target: str | None,
    seed: int,
    num_tasks: int | None,
    dtype: str,
    graph: str | None,
    as_json: bool,
) -> None:
    """Explain a program: data flow, registers, motifs, and what each instruction and constant is worth.

    The last two are measured on unseen tasks (the final ones). A program file has no tasks of its own: without --tasks
    only its text is explained. Of a run, also the sequence of mutations that led to its best program.

    \b
    Examples:
      automl-zero explain runs/demo
      automl-zero explain runs/demo --graph demo.svg
      automl-zero explain best.json --tasks linear --num-tasks 20 --json
    """
    candidate = read_program(program)
    name = name or run_config(program)
    from automl_zero.explain import explain
    from automl_zero.explain.graph import draw

    tasks = None
    num_classes = 0
    with bad_input():
        if name is not None:
            from automl_zero.evolution.sources import task_source

            source = task_source(name, target)
            num_classes = source.num_classes
            tasks = source.final(seed)
            if num_tasks is not None:
                tasks = tasks.take(num_tasks)
        elif target is not None or num_tasks is not None:
            raise ValueError(f"{program} is a program file, which has no tasks of its own: name some with --tasks")
        explanation = explain(candidate, tasks, dtype, num_classes > 0)
        discoveries = _discoveries(program)
        if graph is not None:
            draw(explanation, graph)
    if as_json:
        echo_json({**explanation.to_dict(), "lineage": [discovery.to_dict() for discovery in discoveries]})
    else:
        _echo(explanation, discoveries, num_classes)


def _discoveries(path: str) -> list[Discovery]:
    """The way to the best program of a run directory; nothing where there is none."""
    from automl_zero.evolution.run_directory import LINEAGE
    from automl_zero.explain.discoveries import read_discoveries

    file = Path(path) / LINEAGE
    return read_discoveries(file) if file.is_file() else []


def _echo(explanation: Explanation, discoveries: list[Discovery], num_classes: int) -> None:
    from automl_zero.explain.tables import discoveries_section, sections

    parts = list(sections(explanation))
    if discoveries:
        parts.append(discoveries_section(discoveries, explanation.num_features, num_classes))
    for number, section in enumerate(parts):
        click.echo(("\n" if number else "") + click.style(section.heading, bold=True))
        if section.rows:
            echo_table(section.headers, section.rows)
        for remark in section.remarks:
            click.echo(remark)
    if explanation.effects is None:
        click.echo("\nNo tasks were given (--tasks), so no instruction was knocked out and no constant varied.")
