"""Is the search on the device the same as the CPU engine's? Hundreds of islands of both, compared by statistics.

    python -m benchmarks.device_semantics [--islands 256] [--out FILE.json]

Both backends let as many islands, none of which knows of the others, search for linear regression on the same tasks: in
two small search spaces, which differ in the way of search, and in that of the preset `linear`. At several moments the
best fitness so far and the mean fitness of the population are compared, over the islands, by two-sample
Kolmogorov-Smirnov tests, and the numbers of islands whose best program learns its tasks by a chi-square test. If the
searches are the same, a p value below 0.001 divided by the number of tests comes once in a thousand runs; it is taken
for a difference (exit code 1).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import chi2_contingency, ks_2samp

from automl_zero.evolution.config import ExperimentConfig, load_config
from automl_zero.evolution.crew import Crew
from automl_zero.evolution.island_group import IslandGroup
from automl_zero.evolution.islands import Archipelago
from automl_zero.evolution.mutation import make_space
from automl_zero.evolution.search_tasks import make_search_tasks
from automl_zero.tasks import make_source
from benchmarks.report import header, say, to_text

ALPHA = 0.001
LEARNS = 0.7  # fitness
LOOKS = (100, 250, 500, 1000, 2000, 3000)  # individuals of each island
LINEAR_LOOKS = (200, 1000, 3000, 6000, 10000)
OPS = [
    *("scalar_const_set", "scalar_diff", "scalar_product"),
    *("scalar_vector_product", "vector_inner_product", "vector_sum"),
]


def _component(ops: list[str], least: int, most: int) -> dict[str, Any]:
    return {"ops": ops, "min_size": least, "max_size": most, "initial_size": 1 if least < most else most}


def _settings(num_features: int, space: dict[str, Any], **others: Any) -> ExperimentConfig:
    search = {"num_tasks": 4, "num_train": 50, "num_valid": 20}
    return ExperimentConfig(
        population_size=100,
        search_space={"scalars": 4, "vectors": 3, "matrices": 0, **space},
        tasks={"kind": "linear", "num_features": num_features, "search": search},
        **others,
    )


FIXED = {
    "initial": "random",
    "setup": _component(["scalar_const_set"], 1, 1),
    "predict": _component(["vector_inner_product"], 1, 1),
    "learn": _component(OPS[1:], 4, 4),
}
GROWING = {
    "initial": "no_op",
    "setup": _component(["scalar_const_set"], 0, 2),
    "predict": _component(["vector_inner_product", "scalar_diff"], 0, 2),
    "learn": _component(OPS, 0, 6),
}


def configurations() -> dict[str, tuple[ExperimentConfig, tuple[int, ...]]]:
    """What is searched, and after how many individuals of each island the searches are compared."""
    plain = _settings(1, FIXED, mutations={"mode": "reference"}, caches={"canonical": False, "fec": False})
    rich = _settings(
        2,
        GROWING,
        mutations={"mode": "paper", "crossover": 0.1, "until": "changed"},
        hurdles={"stages": [{"num_train": 15, "num_valid": 10, "percentile": 50.0}], "window": 100},
        budget={"kind": "table", "baseline": "linear", "factor": 1.5},
    )
    return {
        "reference mutations of random programs, no cache": (plain, LOOKS),
        "paper mutations from empty programs, crossover, caches, hurdle, budget": (rich, LOOKS),
        "linear": (load_config("linear"), LINEAR_LOOKS),
    }


def trajectories(config: ExperimentConfig, looks: tuple[int, ...], seed: int) -> dict[str, np.ndarray]:
    """Best and mean fitness of every island at every look."""
    tasks = make_search_tasks(config, make_source(config.tasks), seed)
    space: Any = make_space(config)
    if config.backend == "jax":
        from automl_zero.evolution.on_device.archipelago import DeviceArchipelago

        islands: IslandGroup = DeviceArchipelago(config, space, tasks, (seed, 0))
    else:
        islands = Archipelago(config, space, tasks.evaluator.data, (seed, 0), tasks.island_data)
    best, mean = [], []
    with Crew(1) as pool:
        made = 0
        for look in looks:
            for job in islands.start([look - made] * config.islands, pool, lambda: False):
                job.result()
            made = look
            best.append([islands.best_fitness(number) for number in range(config.islands)])
            mean.append([float(own.mean()) for own in islands.fitness()])
    return {"best": np.array(best), "mean": np.array(mean)}


def compare(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], looks: tuple[int, ...]) -> list[dict[str, Any]]:
    """The p values of all comparisons."""
    rows = []
    for quantity in ("best", "mean"):
        for look, one, other in zip(looks, ours[quantity], theirs[quantity], strict=True):
            test = ks_2samp(np.round(one, 5), np.round(other, 5))  # backends round differently
            means = {"numba": float(one.mean()), "jax": float(other.mean())}
            rows.append({"quantity": f"{quantity} fitness", "individuals": look, **means, "p": float(test.pvalue)})
    for look, one, other in zip(looks, ours["best"], theirs["best"], strict=True):
        learning = np.array([[(runs > LEARNS).sum(), (runs <= LEARNS).sum()] for runs in (one, other)])
        if (learning.sum(axis=0) > 9).all():
            row = {"quantity": f"islands above {LEARNS}", "individuals": look}
            p = float(chi2_contingency(learning).pvalue)
            rows.append({**row, "numba": int(learning[0, 0]), "jax": int(learning[1, 0]), "p": p})
    return rows


def main() -> int:
    """Run both backends, print all comparisons and write them; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--islands", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the result here, as JSON")
    arguments = parser.parse_args()
    results: dict[str, Any] = {}
    for name, (config, looks) in configurations().items():
        runs, seconds = {}, {}
        for backend in ("numba", "jax"):
            own = load_config(config, [f"backend={backend}", f"islands={arguments.islands}", "caches.fec_size=4096"])
            start = time.perf_counter()
            runs[backend] = trajectories(own, looks, arguments.seed)
            seconds[backend] = round(time.perf_counter() - start, 1)
            say(f"{name}: {backend} {seconds[backend]} s")
        results[name] = {"seconds": seconds, "comparisons": compare(runs["numba"], runs["jax"], looks)}
    tests = [row["p"] for result in results.values() for row in result["comparisons"]]
    same = min(tests) > ALPHA / len(tests)
    for name, result in results.items():
        print(name)
        for row in result["comparisons"]:
            means = f"{row['numba']:9.4f} {row['jax']:9.4f}"
            print(f"  {row['quantity']:20s} {row['individuals']:6d}  {means}  p = {row['p']:.3f}")
    verdict = "the same search" if same else "DIFFERENT searches"
    print(f"{len(tests)} comparisons of {arguments.islands} islands, least p {min(tests):.4f}: {verdict}")
    if arguments.out is not None:
        record = {**header("device_semantics"), "islands": arguments.islands, "seed": arguments.seed, "same": same}
        arguments.out.write_text(to_text({**record, "results": results}) + "\n", encoding="utf-8")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
