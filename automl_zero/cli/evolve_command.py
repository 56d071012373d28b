"""``automl-zero evolve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from automl_zero.cli.inputs import bad_input, data_dir_option, scale_option
from automl_zero.cli.running import LIMITS, given, limit_options, run_and_report

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig

# Options, besides the limits, that set the configuration key of the same name.
_KEYS = ("search", "backend", "dtype")


@click.command("evolve")
@click.argument("preset", required=False)
@click.option("--config", "file", metavar="FILE.toml", help="A configuration file, instead of a preset.")
@click.option("--tasks", "data", metavar="DATA", help="Your data, a CSV or npz file, instead of a preset.")
@click.option("--target", metavar="COLUMN", help="The column of your data to predict.")
@scale_option
@data_dir_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the run.")
@click.option("--out", metavar="DIR", help="Run directory; runs/NAME-SEED-TIME by default.")
@click.option("--force", is_flag=True, help="Replace a run that the directory holds; other files there stay.")
@click.option("--search", metavar="[evolution|random]", help="How to search.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a configuration key; repeatable.")
@click.option(
    "--backend",
    metavar="[numba|jax]",
    help="numba: on the CPU. jax: on a GPU, a TPU or the CPU, hundreds of islands at once (--set islands=1024).",
)
@click.option("--dtype", metavar="[float32|float64]", help="Floating-point type of the registers.")
@limit_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    preset: str | None,
    file: str | None,
    data: str | None,
    target: str | None,
    scale: str | None,
    data_dir: str | None,
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
      automl-zero evolve full --scale small
      automl-zero evolve linear --seed 3 --set population_size=1000 --out runs/big
      automl-zero evolve --config mine.toml
      automl-zero evolve --tasks houses.csv --target price --max-seconds 300

    Exit code 1 means that the target fitness was not reached; 0 that it was, or that there was none.
    """
    overrides = [*settings, *given(options, (*_KEYS, *LIMITS))]
    config = _config(preset, file, data, target, scale, data_dir, overrides)
    from automl_zero.evolution.run_directory import default_path
    from automl_zero.evolution.search import evolve

    run_dir = out or str(default_path(config.name, seed))
    run_and_report(
        ctx,
        config,
        seed,
        run_dir,
        as_json,
        lambda callback: evolve(config, seed=seed, out=run_dir, workers=workers, callback=callback, force=force),
    )


def _config(
    preset: str | None,
    file: str | None,
    data: str | None,
    target: str | None,
    scale: str | None,
    data_dir: str | None,
    overrides: list[str],
) -> ExperimentConfig:
    """The configuration from whichever of its sources was named."""
    if [preset, file, data].count(None) != 2:
        raise click.UsageError("name one of: a preset (see automl-zero presets), --config FILE.toml, --tasks DATA")
    if target is not None and data is None:
        raise click.UsageError("--target names a column of the data given by --tasks")
    if scale is not None and preset is None:
        raise click.UsageError("--scale chooses a version of a preset")
    if data_dir is not None and data is not None:
        raise click.UsageError("--data-dir is for image data sets, but --tasks names a table")
    from automl_zero.evolution.config import load_config
    from automl_zero.evolution.sources import data_config, named_config

    with bad_input():
        if data is not None:
            config = load_config(data_config(data, target), overrides)
        else:
            config = named_config(preset or Path(file or ""), overrides, scale, data_dir)
        config.require_data()
        return config
