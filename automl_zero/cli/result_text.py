"""The result of a run as text."""

from __future__ import annotations

from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.evolution.progress import Result
from automl_zero.tasks import make_source


def result_text(result: Result) -> str:
    """What ``automl-zero evolve`` prints at the end: verdict, program and figures."""
    figures = [
        ("search fitness", _fitness(result.search_fitness)),
        ("select fitness", _fitness(result.select_fitness)),
        ("final fitness", _fitness(result.final_fitness)),
        ("experiments", f"{len(result.experiments):,}"),
        ("individuals", f"{result.individuals:,}"),
        ("full evaluations", f"{result.evaluated:,}"),
        ("train steps", f"{result.train_steps:,}"),
        ("seconds", f"{result.seconds:.1f} (CPU {result.cpu_seconds:.1f})"),
    ]
    if result.run_dir is not None:
        figures.append(("run directory", str(result.run_dir)))
    lines = [f"{name:18}{value}" for name, value in figures]
    tasks = make_source(result.config.tasks, need_data=False)
    program = remove_dead_code(result.program, tasks.num_classes)
    text = program.pseudocode(tasks.num_features, tasks.num_classes)
    return "\n".join([_verdict(result), "", text, "", *lines])


def _verdict(result: Result) -> str:
    select = _fitness(result.select_fitness)
    if result.solved:
        return f"Solved: select fitness {select} exceeds the target, {result.target_fitness}."
    if result.interrupted:
        return "Interrupted. The best program so far:"
    if result.target_fitness is not None:
        return f"Not solved: no program exceeded the target select fitness, {result.target_fitness}. The best one:"
    return "The best program:"


def _fitness(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.6f}"
