"""What a report is made from."""

from __future__ import annotations

from dataclasses import dataclass

from automl_zero.report.cost import Assumptions, Cost
from automl_zero.report.reading import Reading
from automl_zero.report.run_facts import RunFacts


@dataclass(frozen=True)
class Report:
    """A run, its best program and its cost.

    Attributes:
        facts: what the files of the run say.
        reading: its best program; None when there is none yet.
        assumptions: what the cost is estimated by.
        cost: what it took; None when its CPU time is not known.
    """

    facts: RunFacts
    reading: Reading | None
    assumptions: Assumptions
    cost: Cost | None
