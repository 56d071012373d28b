"""Approximate simplification: a change is kept when the program still does its work on tasks it has not seen."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np

from automl_zero.analysis.simplify.candidates import Candidate, candidates, rounded
from automl_zero.analysis.simplify.edits import COMPONENT_NAMES, Edit, applied, describe
from automl_zero.analysis.simplify.exact import Step, count, simplify_exactly, split_step
from automl_zero.analysis.simplify.flow import flow_of, sites, written_by
from automl_zero.analysis.simplify.frame import PREDICT, SETUP, Frame
from automl_zero.analysis.simplify.registers import split
from automl_zero.evaluation import evaluate
from automl_zero.program import Program
from automl_zero.score import Score, summarize
from automl_zero.tasks import TaskSet


class Judge:
    """Compares programs with the one that they are to replace.

    Args:
        original: that program.
        tasks: the tasks to compare on.
        tolerance: how much lower the mean fitness may be.
        dtype: "float32" or "float64".
    """

    def __init__(self, original: Program, tasks: TaskSet, tolerance: float, dtype: str) -> None:
        self.tasks, self.tolerance, self.dtype = tasks, tolerance, dtype
        self._fitness = evaluate(original, tasks, dtype=dtype)

    def means(self, programs: list[Program]) -> list[float]:
        """Mean fitness of programs."""
        return [float(fitness.mean()) for fitness in evaluate(programs, self.tasks, dtype=self.dtype)]

    def accepts(self, mean: float) -> bool:
        """Whether a mean fitness is near enough to the original's."""
        return mean >= float(self._fitness.mean()) - self.tolerance

    def change(self, program: Program) -> Score:
        """Change of fitness from the original, task by task."""
        return summarize(evaluate(program, self.tasks, dtype=self.dtype) - self._fitness)


def simplify_approximately(program: Program, frame: Frame, number: Any, judge: Judge) -> tuple[Program, list[Step]]:
    """Make an exactly simplified program simpler: the simplest acceptable candidate, again and again; then rounding."""
    steps: list[Step] = []
    while (found := _simpler(program, frame, number, judge)) is not None:
        steps += found
        program, exact = simplify_exactly(found[-1].program, frame, number)
        steps += exact
    for site, choices in list(rounded(program)):
        for new in choices:
            edit = Edit("rounded constant", site, "", {site: new})
            candidate = Candidate(edit, describe(program, edit), applied(program, edit))
            if judge.accepts(judge.means([candidate.program])[0]):
                steps.append(_step(program, candidate))
                program = candidate.program
                break
    return program, steps


def _simpler(program: Program, frame: Frame, number: Any, judge: Judge) -> list[Step] | None:
    """The step to the best of the simplest candidates that the judge accepts; None when it accepts none."""
    size = _size(program, frame)
    divided, text = split(program, frame)
    several = list(candidates(divided, frame, number))
    sized = [(_size(candidate.program, frame), i) for i, candidate in enumerate(several)]
    for _, group in groupby(sorted(s for s in sized if s[0] < size), key=lambda s: s[0]):
        members = [several[i] for _, i in group]
        means = judge.means([candidate.program for candidate in members])
        best = int(np.argmax(means))
        if judge.accepts(means[best]):
            steps = [] if divided is program else [split_step(program, divided, text)]
            return [*steps, _step(divided, members[best])]
    return None


def _size(program: Program, frame: Frame) -> tuple[int, ...]:
    """What should be small about the live code, the most important first.

    Instructions; those in Predict; those in the loop; values carried from one example to the next; the dimensions of
    what is written; minus signs of constants and before vectors.
    """
    flow = flow_of(program, frame)
    live = [(site.component, i) for site, i in sites(program) if flow.is_live(written_by(i), site)]
    components = [component for component, _ in live]
    minus = sum(i.op == "vector_diff" or (i.op == "scalar_const_set" and i.constants[0] < 0) for _, i in live)
    in_loop = len(live) - components.count(SETUP)
    dimensions = sum(i.spec.output for _, i in live)
    return len(live), components.count(PREDICT), in_loop, len(flow.wanted_at_predict), dimensions, minus


def _step(program: Program, candidate: Candidate) -> Step:
    edit = candidate.edit
    place = COMPONENT_NAMES[edit.site.component], edit.site.position
    sizes = count(program), count(candidate.program)
    return Step(edit.rule, *place, candidate.text, *sizes, exact=False, program=candidate.program)
