"""``automl-zero evaluate``."""

from __future__ import annotations

import dataclasses

import click

from automl_zero.cli.consoles import echo_json, echo_table
from automl_zero.cli.inputs import (
    InputError,
    bad_input,
    data_dir_option,
    dtype_option,
    read_program,
    refuse_other_labels,
    run_config,
    run_dtype,
    run_seed,
    scale_option,
    seed_option,
    target_option,
    tasks_option,
)
from automl_zero.evaluation import BACKENDS


@click.command("evaluate")
@click.argument("program", metavar="PROGRAM|DIR")
@tasks_option
@target_option
@scale_option
@data_dir_option
@seed_option
@dtype_option
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default="numba",
    show_default=True,
    help="What runs the programs; jax also on GPUs and TPUs.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
def command(
    program: str,
    name: str | None,
    target: str | None,
    scale: str | None,
    data_dir: str | None,
    seed: int | None,
    dtype: str | None,
    backend: str,
    as_json: bool,
) -> None:
    """Score a program on unseen tasks (the final ones), beside models trained on the same tasks.

    A run directory is scored on the final tasks of the run itself, which give its final fitness again; another --seed
    makes others.

    \b
    Examples:
      automl-zero evaluate runs/demo
      automl-zero evaluate runs/demo --tasks linear --seed 1
      automl-zero evaluate best.json --tasks baseline --data-dir ~/data
      automl-zero evaluate best.json --tasks houses.csv --target price --json
      automl-zero evaluate best.json --tasks linear --backend jax
    """
    candidate = read_program(program)
    name = name or run_config(program)
    if name is None:
        raise InputError(f"{program} is a program file, which has no tasks of its own: name some with --tasks")
    seed, dtype = run_seed(program, seed), run_dtype(program, dtype)
    from automl_zero.evolution.sources import task_source
    from automl_zero.score import fitness_beside_baselines, summarize

    with bad_input():
        source = task_source(name, target, scale, data_dir)
        refuse_other_labels(program, candidate, source.num_classes)
        tasks = source.final(seed)
        fitness = fitness_beside_baselines(candidate, tasks, dtype, backend)
    scores = {model: summarize(values) for model, values in fitness.items()}
    if as_json:
        record = {
            model: {**dataclasses.asdict(score), "fitness": list(fitness[model])} for model, score in scores.items()
        }
        echo_json({"tasks": source.describe(), "seed": seed, "dtype": dtype, "scores": record})
        return
    click.echo(source.describe(), err=True)
    echo_table(("model", "mean fitness"), [(model, str(score)) for model, score in scores.items()])
