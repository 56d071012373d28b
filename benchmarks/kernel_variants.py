"""Lane widths and specialisation of the kernel against each other: python -m benchmarks.kernel_variants [--json].

Times full evaluations of the throughput benchmark's programs on 10 tasks by kernels of 8, 10 and 16 lanes, and of 16
lanes not specialised on the number of features, in alternation. 10 lanes fit the tasks exactly; 8 take two blocks.
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any

from automl_zero import programs
from automl_zero.interpreters.kernel import get_kernel
from automl_zero.tasks import linear_regression
from benchmarks.evaluation_speed import CASES, Case, ours, repetitions, seconds_of
from benchmarks.report import header, header_text, say, to_text

VARIANTS = {"8 lanes": (8, True), "10 lanes": (10, True), "16 lanes": (16, True), "16 lanes, any F": (16, False)}


def measure(case: Case, dtype: str, rounds: int, sample_seconds: float) -> dict[str, float]:
    """Median seconds of an evaluation by every variant, timed in turn."""
    tasks = linear_regression(case.num_tasks, case.num_features, case.num_train, case.num_valid, seed=0)
    program = getattr(programs, case.program)()
    contestants = {
        name: ours(program, tasks, dtype, get_kernel(lanes, case.num_features if specialised else None, dtype))
        for name, (lanes, specialised) in VARIANTS.items()
    }
    counts = {name: repetitions(evaluate, sample_seconds) for name, evaluate in contestants.items()}
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, evaluate in contestants.items():
            samples[name].append(seconds_of(evaluate, counts[name]))
    return {name: statistics.median(values) for name, values in samples.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernel_variants", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    record: dict[str, Any] = header("kernel variants")
    record["microseconds"] = {}
    for case in CASES:
        for dtype in ("float32", "float64"):
            say(f"{case.name}, {dtype}")
            seconds = measure(case, dtype, arguments.rounds, 0.02)
            record["microseconds"][f"{case.name}, {dtype}"] = {name: 1e6 * value for name, value in seconds.items()}
    if arguments.json:
        print(to_text(record))
        return
    print(header_text(record))
    print(f"{'microseconds an evaluation':28}" + "".join(f"{name:>17}" for name in VARIANTS))
    for name, times in record["microseconds"].items():
        print(f"{name:28}" + "".join(f"{times[variant]:17.1f}" for variant in VARIANTS))


if __name__ == "__main__":
    main()
