"""The progress of a run on stderr: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import click

from automl_zero.cli.consoles import is_rich

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig
    from automl_zero.evolution.progress import Progress


class View(Protocol):
    """Something that shows progress."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop showing."""

    def update(self, progress: Progress) -> None:
        """Show this state from now on."""


def make_view(config: ExperimentConfig, seed: int, run_dir: str) -> View:
    """The view that suits stderr. Says at once what is going to run."""
    from automl_zero.tasks import make_source

    tasks = make_source(config.tasks)
    click.echo(f"{config.name}, seed {seed}: {tasks.describe()}", err=True)
    limits = (config.max_individuals, config.max_train_steps, config.max_seconds, config.max_experiments)
    if config.target_fitness is None and not any(limits):
        click.echo("There is neither a limit nor a target: the run goes on until Ctrl-C.", err=True)
    title = f"{config.name} · seed {seed} · {run_dir}"
    if is_rich(sys.stderr):
        from automl_zero.cli.live_view import LiveView

        return LiveView(title, tasks.num_classes)
    return PlainView()


class PlainView:
    """One line of text for every new phase or message, and now and then one about the search.

    Args:
        every: seconds between lines about the search.
        clock: the time in seconds.
    """

    def __init__(self, every: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = every
        self._clock = clock
        self._next = clock()
        self._said = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def update(self, progress: Progress) -> None:
        """Print a line if there is something new to say."""
        if progress.message and progress.message != self._said:
            self._said = progress.message
            click.echo(progress.message, err=True)
        if progress.phase == "search" and self._clock() >= self._next:
            self._next = self._clock() + self._every
            click.echo(_line(progress), err=True)


def _line(progress: Progress) -> str:
    parts = [
        f"{progress.seconds:7.1f} s",
        f"experiment {progress.experiment}",
        f"{progress.individuals:,} individuals ({progress.individuals_per_second:,.0f}/s)",
        f"best {fitness(progress.best)}",
        f"mean {fitness(progress.mean)}",
        f"cache hits {progress.canonical_hit_rate:.0%} canonical, {progress.fec_hit_rate:.0%} functional",
    ]
    if progress.limit is not None and progress.fraction is not None:
        parts.append(f"{progress.fraction:.0%} of {limit_text(progress.limit)}")
    return "  ".join(parts)


def fitness(value: float | None) -> str:
    """A fitness as text; "-" when there is none yet."""
    return "-" if value is None else f"{value:.6f}"


def limit_text(limit: tuple[str, float]) -> str:
    """A limit as text, such as ``max_seconds 600``."""
    name, maximum = limit
    return f"{name} {maximum:,.10g}"
