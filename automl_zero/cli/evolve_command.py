"""``automl-zero evolve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from automl_zero.cli.consoles import echo_json
from automl_zero.cli.group import INTERRUPTED
from automl_zero.cli.inputs import InputError, bad_input

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig

UNSOLVED = 1

# Options that set the configuration key of the same name.
_KEYS = (
    "search",
    "backend",
    "dtype",
    "max_individuals",
    "max_train_steps",
    "max_seconds",
    "max_experiments",
    "target_fitness",
)


@click.command("evolve")
@click.argument("preset", required=False)
@click.option("--config", "file", metavar="FILE.toml", help="A configuration file, instead of a preset.")
@click.option("--tasks", "data", metavar="DATA", help="Your data, a CSV or npz file, instead of a preset.")
@click.option("--target", metavar="COLUMN", help="The column of your data to predict.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the run.")
@click.option("--out", metavar="DIR", help="Run directory; runs/NAME-SEED-TIME by default.")
@click.option("--force", is_flag=True, help="Replace a run that the directory holds; other files there stay.")
@click.option("--search", metavar="[evolution|random]", help="How to search.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a configuration key; repeatable.")
@click.option("--workers", type=click.IntRange(min=1), help="Number of threads; changes no result. Default: all cores.")
@click.option("--backend", metavar="[numba]", help="The interpreter that evaluates programs.")
@click.option("--dtype", metavar="[float32|float64]", help="Floating-point type of the registers.")
@click.option("--max-individuals", metavar="N", help="Stop after N individuals.")
@click.option("--max-train-steps", metavar="N", help="Stop after N training examples, summed over tasks and programs.")
@click.option("--max-seconds", metavar="S", help="Stop after S seconds.")
@click.option("--max-experiments", metavar="N", help="Stop after N experiments.")
@click.option("--target-fitness", metavar="X|none", help="Stop when a program exceeds X on the select tasks.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    preset: str | None,
    file: str | None,
    data: str | None,
    target: str | None,
    seed: int,
    out: str | None,
    force: bool,
    settings: tuple[str, ...],
    workers: int | None,
    as_json: bool,
    **options: str | None,
) -> None:
    """Evolve a program, on a preset's tasks or on your data.

    Limits are totals over all experiments of the run; without any, and without a target, it goes on until Ctrl-C.
    Progress goes to stderr, the result to stdout and to the run directory.

    \b
    Examples:
      automl-zero evolve linear --max-seconds 600
      automl-zero evolve linear --seed 3 --set population_size=1000 --out runs/big
      automl-zero evolve --config mine.toml
      automl-zero evolve --tasks houses.csv --target price --max-seconds 300

    Exit code 1 means that the target fitness was not reached; 0 that it was, or that there was none.
    """
    overrides = [*settings, *(f"{key}={options[key]}" for key in _KEYS if options[key] is not None)]
    config = _config(preset, file, data, target, overrides)
    from automl_zero.cli.progress_view import make_view
    from automl_zero.cli.result_text import result_text
    from automl_zero.evolution.run_directory import RunError, default_path
    from automl_zero.evolution.search import evolve

    run_dir = out or str(default_path(config.name, seed))
    try:
        with make_view(config, seed, run_dir) as view:
            result = evolve(config, seed=seed, out=run_dir, workers=workers, callback=view.update, force=force)
    except RunError as error:
        raise InputError(str(error)) from None
    if as_json:
        echo_json({**result.to_dict(), "run_dir": run_dir})
    else:
        click.echo(result_text(result))
    if result.interrupted:
        ctx.exit(INTERRUPTED)
    if result.target_fitness is not None and not result.solved:
        ctx.exit(UNSOLVED)


def _config(
    preset: str | None, file: str | None, data: str | None, target: str | None, overrides: list[str]
) -> ExperimentConfig:
    """The configuration from whichever of its sources was named."""
    if [preset, file, data].count(None) != 2:
        raise click.UsageError("name one of: a preset (see automl-zero presets), --config FILE.toml, --tasks DATA")
    if target is not None and data is None:
        raise click.UsageError("--target names a column of the data given by --tasks")
    from automl_zero.evolution.config import load_config
    from automl_zero.evolution.sources import data_config

    with bad_input():
        if data is not None:
            return load_config(data_config(data, target), overrides)
        return load_config(preset or Path(file or ""), overrides)
