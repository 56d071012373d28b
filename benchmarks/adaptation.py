"""How the two-layer network adapts to its task (the paper's Section 4.3).

Every run starts from the hand-designed network and evolves it where training examples are few, where training is short,
or, on demand, where there are ten classes. Each condition has a control that differs in that one thing. Counted is how
often the mechanism appears that the paper found, in the program that a run offers; see benchmarks/mechanisms.py.

    python -m benchmarks.adaptation --scale hour --out benchmarks/results/adaptation.json
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from automl_zero.evaluation import evaluate
from automl_zero.evolution.config import ExperimentConfig, load_config
from automl_zero.program import Program
from automl_zero.tasks import make_source
from benchmarks import experiment, plots, report
from benchmarks.intervals import Mean, mean, paired_difference
from benchmarks.mechanisms import MECHANISMS
from benchmarks.rates import share


@dataclass(frozen=True)
class Condition:
    """What the network is evolved for.

    Attributes:
        examples: of training, for a task.
        epochs: passes over them.
        classes: "pairs", or "all" for ten at once.
    """

    examples: int
    epochs: int
    classes: str = "pairs"


@dataclass(frozen=True)
class Comparison:
    """A condition, its control, and what the paper saw appear in them.

    Attributes:
        condition, control: names.
        mechanism: name.
        paper: how often it appeared, of 30 runs: with the condition, and with the control.
    """

    condition: str
    control: str
    mechanism: str
    paper: tuple[int, int]


CONDITIONS = {
    "few examples": Condition(80, 100),
    "fast training": Condition(800, 10),
    "control": Condition(800, 100),
    "ten classes": Condition(800, 10, "all"),
}
COMPARISONS = (
    Comparison("few examples", "control", "noisy ReLU", (8, 0)),
    Comparison("fast training", "control", "learning-rate decay", (30, 3)),
    Comparison("ten classes", "fast training", "rate from weights", (24, 0)),
)


@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes:
        individuals: of a run, over all its islands.
        seeds: one run of each condition for each.
        conditions: names of those that are run.
        islands: of a run.
        tasks: that are searched on.
        valid: validation examples of a task.
        final_tasks: tasks of the final score.
        shrink: divides the numbers of training examples and epochs.
        fitness: over the tasks; the preset's median, where there are few images to validate on, moves in large steps.
    """

    individuals: int
    seeds: Sequence[int]
    conditions: Sequence[str] = ("few examples", "fast training", "control")
    islands: int = 4
    tasks: int = 10
    valid: int = 200
    final_tasks: int = 45
    shrink: int = 1
    fitness: str = "mean"


SCALES = {
    "smoke": Scale(800, range(2), tuple(CONDITIONS), islands=2, tasks=4, valid=40, final_tasks=9, shrink=10),
    "hour": Scale(60_000, range(10), tasks=16),
    "full": Scale(10_000_000, range(30), tuple(CONDITIONS), islands=10, valid=1000, final_tasks=90, fitness="median"),
}


def config(name: str, scale: Scale, kind: str, data_dir: str | None = None) -> ExperimentConfig:
    """The configuration of a condition on a data set."""
    condition = CONDITIONS[name]
    several = condition.classes == "all"
    train, valid = condition.examples // scale.shrink, scale.valid
    sizes = f"num_train = {train}, num_valid = {valid}"
    tasks = [
        f"kind = {kind!r}, num_features = 16, epochs = {max(condition.epochs // scale.shrink, 1)}",
        f"search = {{ num_tasks = {scale.tasks}, {sizes} }}",
        f"select = {{ num_tasks = {scale.tasks}, {sizes} }}",
        f"final = {{ num_tasks = {scale.final_tasks}, {sizes} }}",
    ]
    if several:
        tasks.append("classes = 'all'")
    if data_dir is not None:
        tasks.append(f"data_dir = {str(Path(data_dir).absolute())!r}")
    return load_config(
        "multi-class" if several else "few-examples",
        [
            f"name={name}",
            f"tasks={{ {', '.join(tasks)} }}",
            f"islands={scale.islands}",
            f"fitness={scale.fitness}",
            f"migration_every={min(1000, scale.individuals // scale.islands)}",
            f"experiment_individuals={scale.individuals}",
            "experiment_train_steps=none",
            "max_experiments=1",
            f"hurdles.stages=[{{ num_train = {train}, num_valid = {valid}, percentile = 75.0 }}]",
        ],
    )


def measure(scale: Scale, kind: str, out: Path, workers: int | None, data_dir: str | None) -> dict[str, Any]:
    """Do all runs, look for the mechanisms, and score the network that they began with."""
    configs = {name: config(name, scale, kind, data_dir) for name in scale.conditions}
    runs = [
        experiment.Run(name, seed, configs[name], f"{name.replace(' ', '-')}-{seed}")
        for seed in scale.seeds
        for name in scale.conditions
    ]
    conditions = {name: asdict(CONDITIONS[name]) for name in scale.conditions}
    settings = {"kind": kind, "individuals": scale.individuals, "conditions": conditions}
    record = experiment.carry_out("adaptation", runs, settings, out, workers)
    if "network" not in record:
        report.say("scoring the network that the runs began with")
        record["network"] = {name: _network(configs[name], scale.seeds) for name in scale.conditions}
    record["summary"] = summarize(record)
    report.write(out, record)
    _plot(record, out.with_suffix(".png"))
    return record


def _network(config: ExperimentConfig, seeds: Sequence[int]) -> list[float]:
    """Final fitness of the initial program, for each seed on the final tasks of its run."""
    (program,) = config.search_space.initial_programs()
    source = make_source(config.tasks)
    return [float(evaluate(program, source.final(seed), dtype=config.dtype).mean()) for seed in seeds]


def summarize(record: Mapping[str, Any]) -> dict[str, Any]:
    """How often each mechanism appears with each condition, and what the evolved programs gained on the network."""
    conditions: dict[str, Any] = {}
    for name, network in record["network"].items():
        runs = experiment.of_variant(record, name)
        programs = [Program.from_json(run["program"]) for run in runs]
        several = record["conditions"][name]["classes"] == "all"
        final = [run["final_fitness"] for run in runs]
        conditions[name] = {
            "runs": len(runs),
            "final": mean(final).to_dict(),
            "network": mean(network).to_dict(),
            "gain": paired_difference(final, network).to_dict(),
            "mechanisms": {
                mechanism: sum(found(program, several) for program in programs)
                for mechanism, found in MECHANISMS.items()
            },
        }
    return {"conditions": conditions, "comparisons": [_compare(one, conditions) for one in COMPARISONS]}


def _compare(comparison: Comparison, conditions: Mapping[str, Any]) -> dict[str, Any]:
    """Shares of runs with the mechanism, and Fisher's one-sided test that the condition has it more often."""
    found: dict[str, Any] = asdict(comparison)
    both = [conditions.get(name) for name in (comparison.condition, comparison.control)]
    counts = [(one["mechanisms"][comparison.mechanism], one["runs"]) for one in both if one is not None]
    if len(counts) < 2:
        return {**found, "shares": None, "p_value": None}
    from scipy.stats import fisher_exact  # comes with scikit-learn

    table = [[successes, runs - successes] for successes, runs in counts]
    shares = [{"successes": successes, "runs": runs, **share(successes, runs).to_dict()} for successes, runs in counts]
    return {**found, "shares": shares, "p_value": float(fisher_exact(table, "greater").pvalue)}


def text(record: Mapping[str, Any]) -> str:
    """The report as text."""
    lines = [report.header_text(record), ""]
    lines.append(f"{record['kind']}, {record['individuals']:,} individuals a run, final accuracy:")
    for name, found in record["summary"]["conditions"].items():
        sizes = record["conditions"][name]
        lines.append(f"{name}: {sizes['examples']} examples x {sizes['epochs']} epochs, {found['runs']} runs")
        for key, label in (("final", "evolved"), ("network", "network"), ("gain", "difference")):
            lines.append(f"  {label:12}{Mean(**found[key])}")
        lines.append("  " + ", ".join(f"{label} in {count}" for label, count in found["mechanisms"].items()))
    for found in record["summary"]["comparisons"]:
        lines += ["", f"{found['mechanism']} (paper: {found['paper'][0]} of 30, control {found['paper'][1]} of 30)"]
        if found["shares"] is None:
            lines.append(f"  {found['condition']} was not run")
            continue
        for name, one in zip((found["condition"], found["control"]), found["shares"], strict=True):
            lines.append(f"  {name}: {one['successes']} of {one['runs']} (95 %: {one['low']:.2f} to {one['high']:.2f})")
        lines.append(f"  more often than in the control: p = {found['p_value']:.3g}")
    return "\n".join(lines)


def _plot(record: Mapping[str, Any], path: Path) -> None:
    """Share of runs with each mechanism, for condition and control, beside the paper's."""
    found = [one for one in record["summary"]["comparisons"] if one["shares"] is not None]
    series = []
    for i, (label, shift) in enumerate((("condition", -0.15), ("control", 0.05))):
        places = [number + shift for number in range(len(found))]
        shares = [one["shares"][i] for one in found]
        y, low, high = ([one[part] for one in shares] for part in ("value", "low", "high"))
        series.append(plots.Points(f"{label}, 95 % interval", places, y, low, high))
        paper = [one["paper"][i] / 30 for one in found]
        series.append(plots.Points(f"{label}, paper", [place + 0.1 for place in places], paper, marker="x"))
    names = [f"{one['mechanism']}\n{one['condition']}" for one in found]
    plots.draw_points(path, "Mechanisms in evolved programs", "", "share of runs", series, names)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adaptation", description=__doc__.split("\n\n")[0])
    parser.add_argument("--scale", choices=SCALES, default="hour", help="hour: within an hour on two cores (default)")
    parser.add_argument("--data", default="fashion-mnist", metavar="KIND", help="of tasks; default: %(default)s")
    parser.add_argument("--data-dir", metavar="DIR", help="where the files of the data set are")
    parser.add_argument("--out", type=Path, default=Path("runs/adaptation.json"), metavar="FILE", help="the report")
    parser.add_argument("--workers", type=int, metavar="N", help="processes at a time; default: all cores")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments)

    def work() -> str:
        scale = SCALES[options.scale]
        record = measure(scale, options.data, options.out, options.workers, options.data_dir)
        return report.to_text(record) if options.json else text(record)

    return experiment.main(work, parser.prog)


if __name__ == "__main__":
    sys.exit(main())
