"""Everything that is found out about a program, in one record."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from automl_zero.explain.changes import PairedScores
from automl_zero.explain.constants import Sensitivity, constant_sensitivities
from automl_zero.explain.data_flow import DataFlow, Input, Site, Sources, sites
from automl_zero.explain.knock_outs import KnockOut, knock_out_groups, knock_out_instructions
from automl_zero.explain.motifs import Match, find_motifs
from automl_zero.explain.registers import Web, find_webs
from automl_zero.instruction import Instruction
from automl_zero.program import Program
from automl_zero.pseudocode import render_instruction
from automl_zero.score import Score, summarize
from automl_zero.tasks import TaskSet


@dataclass(frozen=True)
class Effects:
    """What was measured on tasks.

    Attributes:
        tasks: name of the tasks.
        fitness: fitness of the program.
        instructions: every instruction knocked out.
        groups: groups of instructions knocked out.
        constants: how fitness depends on the constants.
    """

    tasks: str
    fitness: Score
    instructions: tuple[KnockOut, ...]
    groups: tuple[KnockOut, ...]
    constants: tuple[Sensitivity, ...]


@dataclass(frozen=True)
class Explanation:
    """What a program does and what each part of it is worth.

    Attributes:
        flow: data flow of its live instructions.
        webs: what its registers are for.
        motifs: well-known building blocks found in it.
        effects: what was measured; None without tasks.
        num_features: F of the tasks; None without tasks.
    """

    flow: DataFlow
    webs: tuple[Web, ...]
    motifs: tuple[Match, ...]
    effects: Effects | None = None
    num_features: int | None = None

    @property
    def program(self) -> Program:
        """The program."""
        return self.flow.program

    def to_dict(self) -> dict[str, Any]:
        """JSON object; instructions are named by component and position, as in ``predict[0]``."""
        return {
            "program": self.program.to_dict(),
            "instructions": [self._instruction(site, instruction) for site, instruction in sites(self.program)],
            "prediction": list(self.flow.origin(self.flow.prediction).words),
            "different_in_validation": [
                {"site": str(operand.site), "operand": operand.name, "sources": _names(operand.validation)}
                for operand in self.flow.different_in_validation
            ],
            "registers": [
                {
                    "register": web.name,
                    "roles": list(web.roles),
                    "written_by": list(map(str, web.writes)),
                    "read_by": list(dict.fromkeys(str(operand.site) for operand in web.reads)),
                }
                for web in self.webs
            ],
            "motifs": [
                {"motif": match.motif, "sites": list(map(str, match.sites)), "detail": match.detail}
                for match in self.motifs
            ],
            **(_effects(self.effects) if self.effects else {}),
        }

    def _instruction(self, site: Site, instruction: Instruction) -> dict[str, Any]:
        record = {"site": str(site), "text": render_instruction(instruction, self.num_features)}
        if site not in self.flow.live:
            return {**record, "live": False}
        return {
            **record,
            "live": True,
            "depends_on": list(self.flow.fresh[site].words),
            "depends_on_ever": list(self.flow.ever[site].words),
            "sources": {operand.name: _names(operand.sources) for operand in self.flow.operands[site]},
        }


def explain(
    program: Program, tasks: TaskSet | None = None, dtype: str = "float32", vector_label: bool = False
) -> Explanation:
    """Explain a program: its data flow, registers and motifs and, with tasks, what each part of it is worth.

    Args:
        program: the program.
        tasks: fresh tasks, for knock-outs and constants; without them only the program's text is looked at.
        dtype: "float32" or "float64", in which the program computes.
        vector_label: whether labels are vectors, as in tasks with several classes.

    Raises:
        TypeError: ``program`` is not a program, or ``tasks`` no tasks.
        ValueError: an unknown dtype, or tasks that the program cannot run on.
    """
    if not isinstance(program, Program):
        raise TypeError(f"program is {program!r:.80}: expected a Program")
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype is {dtype!r}: expected float32 or float64")
    flow = DataFlow(program, vector_label)
    matches = find_motifs(flow)
    known = Explanation(flow, tuple(find_webs(flow)), matches)
    if tasks is None:
        return known
    if not isinstance(tasks, TaskSet):
        raise TypeError(f"tasks is {tasks!r:.80}: expected a TaskSet, as made by automl_zero.tasks")
    scores = PairedScores(program, tasks, dtype)
    effects = Effects(
        tasks.name,
        summarize(scores.before),
        tuple(knock_out_instructions(flow, scores)),
        tuple(knock_out_groups(flow, matches, scores)),
        tuple(constant_sensitivities(flow, scores)),
    )
    return dataclasses.replace(known, effects=effects, num_features=tasks.num_features)


def _effects(effects: Effects) -> dict[str, Any]:
    return {
        "tasks": effects.tasks,
        "fitness": dataclasses.asdict(effects.fitness),
        "knock_outs": [_knock_out(knock_out) for knock_out in (*effects.instructions, *effects.groups)],
        "constants": [_constant(sensitivity) for sensitivity in effects.constants],
    }


def _knock_out(knock_out: KnockOut) -> dict[str, Any]:
    return {
        "kind": knock_out.kind,
        "name": knock_out.name,
        "sites": list(map(str, knock_out.sites)),
        **knock_out.change.to_dict(),
        "within_error": knock_out.change.within_error,
        "dies": list(map(str, knock_out.dies)),
        "dead": knock_out.dead,
    }


def _constant(sensitivity: Sensitivity) -> dict[str, Any]:
    return {
        "site": str(sensitivity.site),
        "index": sensitivity.index,
        "name": sensitivity.name,
        "value": sensitivity.value,
        "matters": sensitivity.matters,
        "largest_loss": sensitivity.largest_loss,
        "flat": list(sensitivity.flat),
        "curve": [
            {"factor": point.factor, "value": point.value, **point.change.to_dict()} for point in sensitivity.curve
        ],
    }


def _names(sources: Sources) -> list[str]:
    """Instructions by place, inputs by name."""
    return sorted(source.value if isinstance(source, Input) else str(source) for source in sources)
