"""The paper's Table S5: BASIC and FULL at equal train steps, beside logistic regression and the two-layer network.

BASIC is regularized evolution with a train budget; FULL adds functional equivalence checking, hurdles, migration and a
second data set on half of the islands. Both search from nothing, on pairs of Fashion-MNIST classes projected to 16
features (the paper: CIFAR-10 and MNIST), with the presets ``baseline`` and ``full``. The runs of a seed have the same
search, select and final tasks, so that they are compared in pairs.

    python -m benchmarks.table_s5 --scale hour --out benchmarks/results/table-s5.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from automl_zero.evolution.config import ExperimentConfig, load_config
from benchmarks import experiment, fashion, report
from benchmarks.fashion import Scale
from benchmarks.intervals import Mean, mean, paired_difference

VARIANTS = ("basic", "full")
SCALES = {
    "smoke": Scale(1_000_000, 2, range(2), train=200, valid=100, final_tasks=9),
    "hour": Scale(6_000_000_000, 4, range(10)),
    "full": Scale(1_000_000_000_000, 10, range(100)),
}


def config(variant: str, scale: Scale, data_dir: str | None = None) -> ExperimentConfig:
    """The configuration of a variant: "basic" or "full"."""
    changes = fashion.changes(scale, data_dir)
    if variant == "basic":
        return load_config("baseline", changes)
    return load_config("full", [*changes, fashion.SECOND_DATA_SET])


def measure(scale: Scale, out: Path, workers: int | None, data_dir: str | None) -> dict[str, Any]:
    """Do all runs, and score the models beside them."""
    runs = [
        experiment.Run(variant, seed, config(variant, scale, data_dir)) for seed in scale.seeds for variant in VARIANTS
    ]
    return fashion.measure("table_s5", runs, scale, out, workers, summarize)


def summarize(record: dict[str, Any]) -> dict[str, Any]:
    """Means with intervals: the variants, their paired difference, and each beside the models."""
    final = {name: [run["final_fitness"] for run in experiment.of_variant(record, name)] for name in VARIANTS}
    network = record["models"]["hand-designed network"]
    summary: dict[str, Any] = {name: mean(values).to_dict() for name, values in final.items()}
    summary["full - basic"] = paired_difference(final["full"], final["basic"]).to_dict()
    for name, values in record["models"].items():
        summary[name] = mean(values).to_dict()
    for name, values in final.items():
        summary[f"{name} - hand-designed network"] = paired_difference(values, network).to_dict()
        better = [value > other for value, other in zip(values, network, strict=True)]
        summary[f"share of {name} above the network"] = float(np.mean(better))
    return summary


def text(record: dict[str, Any]) -> str:
    """The report as text."""
    lines = [report.header_text(record), ""]
    lines.append(f"{record['train_steps']:.3g} train steps a run, {record['islands']} islands, final accuracy:")
    for name, value in record["summary"].items():
        shown = str(Mean(**value)) if isinstance(value, dict) else f"{value:.2f}"
        lines.append(f"  {name:48}{shown}")
    for variant in VARIANTS:
        speed = np.median([run["individuals_per_cpu_second"] for run in experiment.of_variant(record, variant)])
        lines.append(f"  {variant + ': individuals per CPU second, median':48}{speed:,.0f}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    return fashion.main("table_s5", __doc__.split("\n\n")[0], SCALES, measure, text, arguments)


if __name__ == "__main__":
    sys.exit(main())
