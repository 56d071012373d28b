"""What is left of evolved programs: ``python -m benchmarks.simplify [PRESET] [--seeds 0-9] [--tolerance X] [--json]``.

The winner of every seed is simplified, exactly and then approximately on fresh tasks, and compared with the
hand-designed linear program. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from automl_zero import programs
from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.analysis.simplify import Simplification, simplify
from automl_zero.evolution.sources import task_source
from automl_zero.program import Program
from benchmarks import processes, report

FRESH_SEED = 2**31 - 1  # of the tasks on which approximate steps are checked; the searches' seeds are small


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simplify", description="Simplify evolved programs.")
    parser.add_argument("preset", nargs="?", default="linear", help="name of a preset; default: %(default)s")
    parser.add_argument("--seeds", default="0-9", help="such as 0-9 or 0,3,5-7; default: %(default)s")
    parser.add_argument("--max-seconds", type=float, default=600.0, help="limit of each run; default: %(default)s")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest fall of fitness; default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the report there")
    options = parser.parse_args(arguments)
    try:
        seeds = report.parse_seeds(options.seeds)
        record = measure(options.preset, seeds, options.max_seconds, options.tolerance)
    except (RuntimeError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    if options.out is not None:
        report.write(options.out, record)
    print(report.to_text(record) if options.json else text(record))
    return 0


def measure(preset: str, seeds: Sequence[int], max_seconds: float, tolerance: float) -> dict[str, Any]:
    """Evolve with every seed and simplify the winners.

    Raises:
        RuntimeError: a run failed.
    """
    tasks = task_source(preset).select(FRESH_SEED)
    header = {**report.header("simplify"), "preset": preset, "max_seconds": max_seconds, "tolerance": tolerance}
    runs = []
    for seed in seeds:
        limits = ["--seed", str(seed), "--max-seconds", str(max_seconds)]
        result = processes.evolve([preset, *limits]).result
        start = time.perf_counter()
        simplified = simplify(Program.from_json(result["program"]), tasks=tasks, tolerance=tolerance)
        runs.append(_run_record(seed, result, simplified, time.perf_counter() - start))
        report.say(_line(runs[-1]))
    textbook = sum(run["textbook"] for run in runs)
    return {**header, "tasks": len(tasks.seeds), "textbook": textbook, "runs": runs}


def _run_record(seed: int, result: dict[str, Any], found: Simplification, seconds: float) -> dict[str, Any]:
    assert found.change is not None
    return {
        "seed": seed,
        "solved": result["solved"],
        "instructions": _count(found.original),
        "live": _count(remove_dead_code(found.original)),
        "exact": _count(found.exact),
        "simplified": _count(found.program),
        "textbook": is_textbook(found.program),
        "change": found.change.mean,
        "standard_error": found.change.standard_error,
        "seconds": round(seconds, 3),
        "rules": dict(Counter(step.rule for step in found.steps)),
        "original": found.original.to_dict(),
        "program": found.program.to_dict(),
        "pseudocode": found.program.pseudocode().splitlines(),
        "steps": [f"{step.rule}, {step.component} {step.index}: {step.text}" for step in found.steps if not step.exact],
    }


def is_textbook(program: Program) -> bool:
    """Whether a program is the hand-designed linear model, up to its learning rate."""
    return _without_constants(program) == _without_constants(simplify(programs.linear()).program)


def _without_constants(program: Program) -> Program:
    components = (
        tuple(replace(i, constants=(0.0,) * len(i.constants)) for i in component) for component in program.components
    )
    return Program(program.memory, *components)


def _count(program: Program) -> int:
    return sum(map(len, program.components))


def text(record: dict[str, Any]) -> str:
    """The report as text."""
    lines = [report.header_text(record), ""]
    lines += [f"{record['preset']}, at most {record['max_seconds']:g} s a seed; tolerance {record['tolerance']:g}"]
    lines += [_HEADING, *(_line(run) for run in record["runs"])]
    lines += [
        "",
        f"the hand-designed linear program, up to its learning rate: {record['textbook']} of {len(record['runs'])}",
    ]
    return "\n".join(lines)


_HEADING = "seed  solved  instructions  live  exact  simplified  textbook  change of fitness      seconds"


def _line(run: dict[str, Any]) -> str:
    solved, textbook = ("yes" if run[key] else "no" for key in ("solved", "textbook"))
    change = f"{run['change']:+.1e} ± {run['standard_error']:.1e}"
    sizes = f"{run['instructions']:>12}  {run['live']:>4}  {run['exact']:>5}  {run['simplified']:>10}"
    return f"{run['seed']:>4}  {solved:>6}  {sizes}  {textbook:>8}  {change:<21}  {run['seconds']:>7.1f}"


if __name__ == "__main__":
    sys.exit(main())
