"""From a run directory to a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from automl_zero.report.cost import Assumptions, estimate
from automl_zero.report.page import page
from automl_zero.report.reading import TOLERANCE, read_program
from automl_zero.report.report import Report
from automl_zero.report.run_files import read_run


def make_report(
    run_dir: str | Path,
    assumptions: Assumptions | None = None,
    num_tasks: int | None = None,
    tolerance: float = TOLERANCE,
    say: Callable[[str], object] = lambda text: None,
) -> str:
    """Make the report of a run, in whatever state it is.

    Args:
        run_dir: the run directory.
        assumptions: what its cost is estimated by.
        num_tasks: final tasks to measure the program on; None for all of the run's, 0 to measure nothing.
        tolerance: how much worse in mean fitness the core of the program may be.
        say: told what takes time, in a few words.

    Returns:
        An HTML document that needs no other file.

    Raises:
        OSError: it is not the directory of a run, or cannot be read.
        ValueError: there are fewer tasks than asked for.
    """
    facts = read_run(run_dir)
    assumptions = assumptions or Assumptions()
    reading = read_program(facts, num_tasks, tolerance, say)
    return page(Report(facts, reading, assumptions, estimate(facts.figures, assumptions)))
