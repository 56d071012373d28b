"""``automl-zero show``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from automl_zero.cli.consoles import echo_program, echo_table
from automl_zero.cli.inputs import (
    InputError,
    bad_input,
    own_num_classes,
    read_program,
    refuse_other_labels,
    run_config,
    target_option,
)
from automl_zero.cli.program_views import echo_differences, echo_two_programs

if TYPE_CHECKING:
    from automl_zero.analysis.simplify import Simplification
    from automl_zero.program import Program
    from automl_zero.pseudocode import Names
    from automl_zero.tasks import TaskSet, TaskSource
    from automl_zero.tasks.taskset import Evaluation

_FRESH_SEED = 2**31 - 1  # searches are given small seeds
_FORMATS = ("pseudocode", "python", "jax", "latex", "json")


@click.command("show")
@click.argument("program", metavar="PROGRAM|DIR")
@click.option("--simplify", is_flag=True, help="Write it as simply as possible without changing any fitness.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    metavar="X",
    help="Simplify further, as long as the mean fitness on fresh tasks falls by no more than X.",
)
@click.option("--steps", is_flag=True, help="List what simplification has changed.")
@click.option("--diff", "other", metavar="PROGRAM|DIR", help="Show what differs from this program.")
@click.option("--names/--no-names", default=None, help="Names for registers where they are certain.  [with --simplify]")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="pseudocode", show_default=True)
@click.option("--tasks", "name", metavar="PRESET|FILE", help="What the program is for. Default: the run's own tasks.")
@target_option
@click.option("--seed", type=click.IntRange(min=0), default=_FRESH_SEED, help="Seed of the fresh tasks.")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), help="Numbers to compute in. Default: the run's.")
def command(
    program: str,
    simplify: bool,
    tolerance: float | None,
    steps: bool,
    other: str | None,
    names: bool | None,
    form: str,
    name: str | None,
    target: str | None,
    seed: int,
    dtype: str | None,
) -> None:
    """Print a program file, or the best program of a run directory.

    \b
    Examples:
      automl-zero show runs/demo
      automl-zero show runs/demo --simplify --tolerance 0.001 --steps
      automl-zero show runs/demo --simplify --format python > model.py
      automl-zero show best.json --diff parent.json
    """
    simplify = simplify or steps or tolerance is not None
    shown = read_program(program)
    use = _use(program, name, target, dtype, need_data=tolerance is not None)
    names = simplify and other is None if names is None else names
    if name is not None or simplify or names or form not in ("pseudocode", "json"):  # which depend on the labels
        refuse_other_labels(program, shown, use.num_classes, **use.remedy)
    result = _simplified(shown, use, tolerance, seed) if simplify else None
    if other is not None:
        if form != "pseudocode":
            raise InputError(f"--diff compares pseudocode: leave out --format {form}")
        old = read_program(other)
        if result is not None or names:
            refuse_other_labels(other, old, use.num_classes, **use.remedy)
        if result is not None:
            old, shown = _simplified(old, use, tolerance, seed).program, result.program
        _echo_diff((other, program), (old, shown), use, names)
    elif form != "pseudocode":
        click.echo(_exported(result.program if result else shown, form, use), nl=False)
    elif result is None:
        echo_program(use.text(shown, names))
    else:
        headings = f"as it is: {_size(shown)}", f"simplified: {_size(result.program)}"
        echo_two_programs(headings, (use.text(shown, False), use.text(result.program, names)))
    if result is not None:
        if steps:
            rows = [(step.rule, _place(step.component, step.index), step.text) for step in result.steps]
            echo_table(("rule", "where", "what"), rows)
        click.echo(f"{result}.", err=True)


@dataclass(frozen=True)
class _Use:
    """What a program is for, as far as it is known."""

    source: TaskSource | None
    num_classes: int
    dtype: str

    @property
    def num_features(self) -> int | None:
        return None if self.source is None else self.source.num_features

    @property
    def evaluation(self) -> Evaluation:
        if self.source is None:
            return "accuracy" if self.num_classes else "rmse"
        return self.source.evaluation

    @property
    def remedy(self) -> dict[str, str]:
        """Texts for an error about labels, where no tasks are named."""
        if self.source is not None or self.num_classes:
            return {}
        return {"here": "it is shown as a program for numbers", "expected": "its tasks, named with --tasks"}

    def text(self, program: Program, named: bool) -> str:
        return program.pseudocode(self.num_features, self.num_classes, self.names(program) if named else None)

    def names(self, program: Program) -> Names:
        from automl_zero.analysis.names import infer_names

        with bad_input():
            return infer_names(program, self.num_classes)


def _use(path: str, name: str | None, target: str | None, dtype: str | None, need_data: bool) -> _Use:
    config = run_config(path)
    if config is None and name is None:
        return _Use(None, own_num_classes(path) or 0, dtype or "float64")
    from automl_zero.evolution.config import load_config
    from automl_zero.evolution.sources import task_source

    with bad_input():
        own = load_config(config).dtype if config is not None else "float64"
        source = task_source(name or config or "", target, need_data=need_data)
    return _Use(source, source.num_classes, dtype or own)


def _simplified(program: Program, use: _Use, tolerance: float | None, seed: int) -> Simplification:
    from automl_zero.analysis.simplify import simplify

    tasks: TaskSet | None = None
    if tolerance is not None:
        if use.source is None:
            raise InputError("a program file has no tasks of its own: name some with --tasks for --tolerance")
        with bad_input():
            tasks = use.source.select(seed)
    with bad_input():
        return simplify(program, num_classes=use.num_classes, tasks=tasks, tolerance=tolerance, dtype=use.dtype)


def _exported(program: Program, form: str, use: _Use) -> str:
    if form == "json":
        return program.to_json()
    from automl_zero import export

    with bad_input():
        if form == "latex":
            return export.to_latex(program, num_features=use.num_features, num_classes=use.num_classes)
        to_source = export.to_numpy_source if form == "python" else export.to_jax_source
        return to_source(program, num_features=use.num_features, evaluation=use.evaluation, num_classes=use.num_classes)


def _echo_diff(paths: tuple[str, str], programs: tuple[Program, Program], use: _Use, named: bool) -> None:
    from automl_zero.analysis.differences import differences

    old, new = programs
    names = (use.names(old), use.names(new)) if named else (None, None)
    echo_differences(paths, differences(old, new, use.num_features, names))


def _size(program: Program) -> str:
    number = sum(instruction.op != "no_op" for component in program.components for instruction in component)
    return f"{number} instruction{'s' * (number != 1)}"


def _place(component: str, index: int | None) -> str:
    return component if index is None else f"{component} {index}"
