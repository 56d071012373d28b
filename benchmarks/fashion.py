"""What the experiments on Fashion-MNIST share: their tasks and sizes, the models beside them, options and plots."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl_zero import programs
from automl_zero.evaluation import evaluate
from automl_zero.evolution.config import ExperimentConfig
from automl_zero.tasks import baseline_scores, make_source
from benchmarks import experiment, plots, report

LEARNING_RATE = 0.01  # of the hand-designed programs, the reference's
#: Digits at their own number of images, on every other island.
SECOND_DATA_SET = 'diversity=[[{}, { kind = "digits", search = { num_train = 200, num_valid = 40 }, epochs = 4 }]]'


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        train_steps: of a run, over all its islands.
        islands: of a run.
        seeds: one run of each variant for each.
        train, valid: examples of a task.
        final_tasks: tasks of the final score.
    """

    train_steps: int
    islands: int
    seeds: Sequence[int]
    train: int = 8000
    valid: int = 1000
    final_tasks: int = 90


def changes(scale: Scale, data_dir: str | None) -> list[str]:
    """Changes to a preset of Table S5 that put it on Fashion-MNIST, at a scale."""
    sizes = f"num_train = {scale.train}, num_valid = {scale.valid}"
    found = [
        "tasks.kind=fashion-mnist",
        f"tasks.search={{ num_tasks = 10, {sizes} }}",
        f"tasks.select={{ num_tasks = 100, {sizes} }}",
        f"tasks.final={{ num_tasks = {scale.final_tasks}, {sizes} }}",
        f"islands={scale.islands}",
        f"experiment_train_steps={scale.train_steps}",
        "max_experiments=1",
    ]
    return found if data_dir is None else [*found, f"tasks.data_dir={Path(data_dir).absolute()}"]


def models(config: ExperimentConfig, scale: Scale) -> dict[str, list[float]]:
    """Mean final fitness of well-known models, for each seed on the final tasks of its runs."""
    source = make_source(config.tasks)
    found: dict[str, list[float]] = {}
    for seed in scale.seeds:
        tasks = source.final(seed)
        own = {
            "hand-designed linear": programs.linear(learning_rate=LEARNING_RATE),
            "hand-designed network": programs.neural_net(learning_rate=LEARNING_RATE),
        }
        for name, program in own.items():
            found.setdefault(name, []).append(float(evaluate(program, tasks, dtype=config.dtype).mean()))
        few = tasks.take(min(9, tasks.num_tasks))  # scikit-learn's network takes seconds a task
        for name, fitness in baseline_scores(few).items():
            found.setdefault(f"{name} (scikit-learn, 9 tasks)", []).append(float(fitness.mean()))
    return found


def measure(
    benchmark: str,
    runs: Sequence[experiment.Run],
    scale: Scale,
    out: Path,
    workers: int | None,
    summarize: Callable[[dict[str, Any]], Any],
) -> dict[str, Any]:
    """Do all runs, score the models beside them, sum up and draw the learning curves."""
    settings = {"train_steps": scale.train_steps, "islands": scale.islands, "final_tasks": scale.final_tasks}
    record = experiment.carry_out(benchmark, runs, settings, out, workers)
    if "models" not in record:
        report.say("scoring the models beside them")
        record["models"] = models(runs[0].config, scale)
    record["summary"] = summarize(record)
    report.write(out, record)
    plot(record, list(dict.fromkeys(run.variant for run in runs)), out.with_suffix(".png"))
    return record


def main(
    benchmark: str,
    description: str,
    scales: Mapping[str, Scale],
    measure: Callable[[Scale, Path, int | None, str | None], dict[str, Any]],
    text: Callable[[dict[str, Any]], str],
    arguments: Sequence[str] | None,
) -> int:
    """Command line of an experiment; returns the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{benchmark}", description=description)
    within = "hour (default): within an hour on two cores"
    parser.add_argument("--scale", choices=list(scales), default="hour", help=within)
    out = Path("runs") / f"{benchmark.replace('_', '-')}.json"
    parser.add_argument("--out", type=Path, default=out, metavar="FILE", help="the report; default: %(default)s")
    parser.add_argument("--workers", type=int, metavar="N", help="processes at a time; default: all cores")
    parser.add_argument("--data-dir", metavar="DIR", help="where the files of Fashion-MNIST are")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments)

    def work() -> str:
        record = measure(scales[options.scale], options.out, options.workers, options.data_dir)
        return report.to_text(record) if options.json else text(record)

    return experiment.main(work, parser.prog)


def plot(record: Mapping[str, Any], variants: Sequence[str], path: Path) -> None:
    """Learning curves of the variants."""
    curves = []
    steps = np.linspace(0.02, 1.0, 50) * record["train_steps"]
    for variant in variants:
        paths = [np.array(run["curve"]) for run in experiment.of_variant(record, variant)]
        best = np.array([np.interp(steps, curve[:, 0], curve[:, 1]) for curve in paths])
        error = best.std(axis=0, ddof=1) / np.sqrt(len(best))
        middle = best.mean(axis=0)
        curves.append(
            plots.Curve(
                f"{variant}, mean of {len(best)} seeds ± standard error",
                steps.tolist(),
                middle.tolist(),
                (middle - error).tolist(),
                (middle + error).tolist(),
            )
        )
    plots.draw(path, "Best search fitness", "train steps", "mean accuracy on the search tasks", curves, False)
