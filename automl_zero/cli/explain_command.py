"""``automl-zero explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from automl_zero.cli.consoles import echo_json, echo_table
from automl_zero.cli.inputs import (
    bad_input,
    dtype_option,
    own_num_classes,
    read_program,
    refuse_other_labels,
    run_config,
    run_dtype,
    run_seed,
    seed_option,
    target_option,
    tasks_option,
)

if TYPE_CHECKING:
    from automl_zero.explain.discoveries import Discovery
    from automl_zero.explain.explanation import Explanation


_SOME_CLASSES = 2  # the text of a program for vector labels is the same for any number of classes


@click.command("explain")
@click.argument("program", metavar="PROGRAM|DIR")
@tasks_option
@target_option
@seed_option
@click.option("--num-tasks", type=click.IntRange(min=1), metavar="N", help="Use the first N tasks only.")
@dtype_option
@click.option("--graph", metavar="FILE.svg", help="Draw the data flow into this file (.svg, or .dot for Graphviz).")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
def command(
    program: str,
    name: str | None,
    target: str | None,
    seed: int | None,
    num_tasks: int | None,
    dtype: str | None,
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
    dtype = run_dtype(program, dtype)
    from automl_zero.explain import explain
    from automl_zero.explain.graph import draw
    from automl_zero.vector_labels import predicts_vectors_alone

    tasks = None
    with bad_input():
        if name is not None:
            from automl_zero.evolution.sources import task_source

            source = task_source(name, target)
            num_classes = source.num_classes
            refuse_other_labels(program, candidate, num_classes)
            tasks = source.final(run_seed(program, seed))
            if num_tasks is not None:
                tasks = tasks.take(num_tasks)
        elif target is not None or num_tasks is not None:
            raise ValueError(f"{program} is a program file, which has no tasks of its own: name some with --tasks")
        else:
            known = own_num_classes(program)
            num_classes = _SOME_CLASSES * predicts_vectors_alone(candidate) if known is None else known
        explanation = explain(candidate, tasks, dtype, num_classes > 0)
        discoveries = _discoveries(program)
        if graph is not None:
            draw(explanation, graph)
    if as_json:
        echo_json({**explanation.to_dict(), "lineage": [discovery.to_dict() for discovery in discoveries]})
    else:
        _echo(explanation, discoveries, num_classes)


def _discoveries(path: str) -> list[Discovery]:
    """The way to the best program of a run directory; nothing, and a warning, where it cannot be read."""
    from automl_zero.evolution.run_directory import LINEAGE
    from automl_zero.explain.discoveries import read_discoveries

    file = Path(path) / LINEAGE
    if not file.is_file():
        return []
    try:
        return read_discoveries(file)
    except (OSError, ValueError) as error:
        problem = f"{file}: {error.strerror}" if isinstance(error, OSError) else str(error)
        click.echo(f"Warning: {problem}; the discoveries are left out", err=True)
        return []


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
