"""What each part of the paper's method does: base, + migration, + FEC, + a second data set, + hurdles.

Each step adds a part to the one before (Table S5's ablation: there on CIFAR-10 and MNIST with 1000 processes). All
runs take equal train steps on pairs of Fashion-MNIST classes projected to 16 features; the runs of a seed have the same
tasks and are compared in pairs. FEC comes with the canonical cache in front of it, which changes no fitness.

    python -m benchmarks.ablation --scale hour --out benchmarks/results/ablation.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from automl_zero.evolution.config import ExperimentConfig, load_config
from benchmarks import experiment, fashion, report
from benchmarks.fashion import Scale
from benchmarks.intervals import Mean, mean, paired_difference

OFF = ("migrants=0", "caches.canonical=false", "caches.fec=false", "diversity=[]", "hurdles.stages=[]")
#: What each step sets, of the preset full with everything off.
STEPS = {
    "base": (),
    "+ migration": ("migrants=50",),
    "+ FEC": ("caches.canonical=true", "caches.fec=true"),
    "+ second data set": (fashion.SECOND_DATA_SET,),
    "+ hurdles": ("hurdles.stages=[{ num_train = 800, num_valid = 200, percentile = 75.0 }]",),
}
SCALES = {
    "smoke": Scale(500_000, 2, range(2), train=1000, valid=300, final_tasks=9),
    "hour": Scale(6_000_000_000, 4, range(8)),
    "full": Scale(100_000_000_000, 10, range(20)),
}


def config(step: str, scale: Scale, data_dir: str | None = None) -> ExperimentConfig:
    """The configuration of a step: all parts up to it."""
    names = list(STEPS)
    parts = [change for name in names[: names.index(step) + 1] for change in STEPS[name]]
    return load_config("full", [*fashion.changes(scale, data_dir), *OFF, *parts])


def measure(scale: Scale, out: Path, workers: int | None, data_dir: str | None) -> dict[str, Any]:
    """Do all runs, and compare each step with the one before."""
    runs = [
        experiment.Run(step, seed, config(step, scale, data_dir), f"step{number}-{seed}")
        for seed in scale.seeds
        for number, step in enumerate(STEPS)
    ]
    return fashion.measure("ablation", runs, scale, out, workers, summarize)


def summarize(record: dict[str, Any]) -> list[dict[str, Any]]:
    """For each step: final fitness, speed, and how both differ from the step before and from the base, in pairs."""
    network = record["models"]["hand-designed network"]
    runs = {step: experiment.of_variant(record, step) for step in STEPS}
    final = {step: [run["final_fitness"] for run in of_step] for step, of_step in runs.items()}
    speed = {step: [run["individuals_per_cpu_second"] for run in of_step] for step, of_step in runs.items()}
    summary: list[dict[str, Any]] = [
        {
            "step": step,
            "final": mean(final[step]).to_dict(),
            "individuals_per_cpu_second": float(np.median(speed[step])),
            "share_above_network": float(np.mean(np.array(final[step]) > np.array(network))),
        }
        for step in STEPS
    ]
    base = next(iter(STEPS))
    for (before, after), entry in zip(pairwise(STEPS), summary[1:], strict=True):
        for against, other in (("by_step", before), ("from_base", base)):
            found = mean(np.log(np.array(speed[after]) / np.array(speed[other])).tolist())
            entry[against] = {
                "final": paired_difference(final[after], final[other]).to_dict(),
                "speed_ratio": {name: float(np.exp(getattr(found, name))) for name in ("mean", "low", "high")},
            }
    return summary


def text(record: dict[str, Any]) -> str:
    """The report as text."""
    lines = [report.header_text(record), ""]
    lines.append(f"{record['train_steps']:.3g} train steps a run, {record['islands']} islands, final accuracy:")
    for entry in record["summary"]:
        lines.append(f"{entry['step']:20}{Mean(**entry['final'])}")
        share, speed = entry["share_above_network"], entry["individuals_per_cpu_second"]
        lines.append(f"{'':20}{speed:,.0f} individuals per CPU second; above the network in {share:.0%} of the runs")
        for against, label in (("by_step", "against the step before"), ("from_base", "against the base")):
            if against in entry:
                ratio = entry[against]["speed_ratio"]
                interval = f"(95 %: {ratio['low']:.2f} to {ratio['high']:.2f}, geometric mean)"
                lines.append(f"{'':20}{label}: accuracy {Mean(**entry[against]['final'])},")
                lines.append(f"{'':20}speed x {ratio['mean']:.2f} {interval}")
    lines.append(f"hand-designed network {mean(record['models']['hand-designed network'])}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    return fashion.main("ablation", __doc__.split("\n\n")[0], SCALES, measure, text, arguments)


if __name__ == "__main__":
    sys.exit(main())
