"""Starting a run, and resuming one."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl_zero import __version__, provenance
from automl_zero.evolution import checkpoint
from automl_zero.evolution.checkpoint import Checkpoint
from automl_zero.evolution.config import ConfigError, ExperimentConfig, load_config
from automl_zero.evolution.crew import Crew
from automl_zero.evolution.interrupts import requests_to_stop
from automl_zero.evolution.progress import Result
from automl_zero.evolution.run import Callback, Run
from automl_zero.evolution.run_directory import CONFIG, RunDirectory, RunError
from automl_zero.provenance import usable_cores

#: Keys of the configuration that may change when a run is resumed: they decide when it ends, not what it does.
EXTENSIBLE = (
    "max_individuals",
    "max_train_steps",
    "max_seconds",
    "max_experiments",
    "target_fitness",
    "checkpoint_seconds",
)


class ResumeWarning(UserWarning):
    """Something about a resumed run that its user should know; the run goes on."""


def evolve(
    config: str | Path | Mapping[str, Any] | ExperimentConfig,
    seed: int = 0,
    out: str | Path | None = None,
    workers: int | None = None,
    callback: Callback | None = None,
    force: bool = False,
) -> Result:
    """Search for a program.

    The same configuration, seed and limits by count give the same result on any number of workers. A limit in seconds,
    Ctrl-C or a callback ends the run as it was at the last barrier; :func:`resume` lets it go on.

    Args:
        config: name of a preset, path of a TOML file, nested dict or configuration.
        seed: a non-negative integer.
        out: run directory to write; None writes no files.
        workers: number of threads; by default as many as there are cores or islands, whichever is less.
        callback: called with the progress a few times a second; returning False ends the run cleanly.
        force: replace a run that the directory holds.

    Returns:
        What was found, and what it took.

    Raises:
        ConfigError: the configuration is not usable (a ValueError).
        RunError: the run directory cannot be used or written (an OSError).
        TypeError, ValueError: another argument is not usable.
    """
    checked = load_config(config)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed is {seed!r}: expected a non-negative integer")
    if seed < 0:
        raise ValueError(f"seed is {seed}: expected a non-negative integer")
    _check(workers, callback)
    checked.require_data()
    directory = None if out is None else RunDirectory.create(out, force)
    return _execute(checked, int(seed), directory, workers, callback)


def resume(
    run_dir: str | Path,
    overrides: Sequence[str] = (),
    workers: int | None = None,
    callback: Callback | None = None,
) -> Result:
    """Go on with a run from its last checkpoint, wherever it was stopped, or extend one that has ended.

    A run that was killed and resumed ends with the result of one that was never stopped.

    Args:
        run_dir: the run directory.
        overrides: texts ``key=value`` that change limits or the target, see :data:`EXTENSIBLE`.
        workers: number of threads.
        callback: called with the progress a few times a second; returning False ends the run cleanly.

    Returns:
        What was found, and what it took, over all parts of the run.

    Raises:
        RunError: there is no run, no checkpoint, or one of another version or configuration; or another process is at
            work on it (an OSError).
        ConfigError: an override is not usable (a ValueError).
        TypeError, ValueError: another argument is not usable.

    Warns:
        ResumeWarning: a damaged checkpoint was passed over, or the machine has other versions than before.
    """
    _check(workers, callback)
    run = open_run(run_dir, overrides)
    for note in run.notes:
        warnings.warn(note, ResumeWarning, stacklevel=2)
    return run.go_on(workers, callback)


@dataclass(frozen=True)
class StoppedRun:
    """A run that can go on; no other process can work on it meanwhile.

    Attributes:
        directory: its files.
        config: the configuration to go on with.
        saved: the checkpoint to go on from.
        notes: sentences that its user should know.
    """

    directory: RunDirectory
    config: ExperimentConfig
    saved: Checkpoint
    notes: list[str]

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return int(self.saved.state["seed"])

    def go_on(self, workers: int | None = None, callback: Callback | None = None) -> Result:
        """Go on with the run, as :func:`resume` does."""
        return _execute(self.config, self.seed, self.directory, workers, callback, self.saved)


def open_run(run_dir: str | Path, overrides: Sequence[str] = ()) -> StoppedRun:
    """Open a run directory to go on with the run; the logs are cut to what they were at the checkpoint.

    Raises:
        RunError, ConfigError: as for :func:`resume`.
    """
    directory = RunDirectory.open(run_dir)
    try:
        config, saved = _open(directory, overrides)
        return StoppedRun(directory, config, saved, [*saved.notes, *directory.cut_logs(saved.state["logs"])])
    except BaseException:
        directory.release()
        raise


def _check(workers: int | None, callback: Callback | None) -> None:
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int)):
        raise TypeError(f"workers is {workers!r}: expected a positive integer")
    if workers is not None and workers < 1:
        raise ValueError(f"workers is {workers}: expected a positive integer")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback is {callback!r}: expected a function of the progress")


def _open(directory: RunDirectory, overrides: Sequence[str]) -> tuple[ExperimentConfig, Checkpoint]:
    """The configuration to go on with, and the checkpoint to go on from."""
    saved = checkpoint.load(directory)
    if saved.state["version"] != __version__:
        raise RunError(
            f"{directory.path} is a run of automl-zero {saved.state['version']}, but this is {__version__}: "
            "only the same version can go on with it"
        )
    config = load_config(directory.path / CONFIG)
    differences = list(_differences(saved.state["config"], config.model_dump(mode="json"), ""))
    if differences:
        raise RunError(f"{directory.path / CONFIG} is not that of the checkpoint: {'; '.join(differences)}")
    for override in overrides:
        key = override.partition("=")[0].strip()
        if key not in EXTENSIBLE:
            raise ConfigError(f"{key}: cannot change when a run is resumed; what can is {', '.join(EXTENSIBLE)}")
    now = provenance.versions()
    saved.notes.extend(
        f"{name} was {before} and is {now.get(name, 'absent')} now: results may differ from those of an unbroken run"
        for name, before in saved.state["versions"].items()
        if now.get(name) != before
    )
    config = load_config(config, overrides)
    config.require_data()
    return config, saved


def _differences(before: Any, now: Any, key: str) -> Iterator[str]:
    """One phrase for each key of a configuration that has changed, save those that may."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in dict.fromkeys((*before, *now)):
            if key or name not in EXTENSIBLE:
                yield from _differences(before.get(name), now.get(name), f"{key}.{name}" if key else name)
    elif before != now:
        yield f"{key} is {now!r}, was {before!r}"


def _execute(
    config: ExperimentConfig,
    seed: int,
    directory: RunDirectory | None,
    workers: int | None,
    callback: Callback | None,
    saved: Checkpoint | None = None,
) -> Result:
    threads = min(workers or usable_cores(), config.islands)
    try:
        with Crew(threads) as pool:
            run = Run(config, seed, directory, pool, callback, saved)
            try:
                with requests_to_stop(run.request_stop):
                    return run.execute()
            except BaseException:
                run.stopped = True  # for the threads, which the pool waits for
                raise
    finally:
        if directory is not None:
            directory.release()
