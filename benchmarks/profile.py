"""Where the time of an individual goes, stage by stage: python -m benchmarks.profile [PRESET...].

The engine is compiled with counters of processor cycles around its stages (automl_zero/evolution/stopwatch.py); reading
a counter costs about ten nanoseconds, so the total is somewhat above that of the engine as it is used.
"""

from __future__ import annotations

import os

os.environ["AUTOML_ZERO_PROFILE"] = "1"  # read when the engine is imported

import argparse
import json
import time
from typing import Any

import numpy as np

from automl_zero.evolution import engine, stopwatch
from automl_zero.evolution.config import load_config
from automl_zero.evolution.islands import Archipelago
from automl_zero.evolution.mutation import make_space
from automl_zero.interpreters.lane_data import lay_out
from automl_zero.provenance import machine, versions
from automl_zero.tasks import make_source


def profile(preset: str, individuals: int, seed: int = 0) -> dict[str, Any]:
    """Microseconds an individual, by stage, over the first individuals of one island of a preset."""
    config = load_config(preset, ["islands=1"])
    data = lay_out(make_source(config.tasks).search(seed), config.dtype)
    archipelago = Archipelago(config, make_space(config), data, (seed,))
    (island,) = archipelago.islands
    archipelago.advance(0, config.population_size)  # compiles, and makes the initial population
    island.laps[:] = 0
    before = island.counters.copy()
    start = time.thread_time()
    archipelago.advance(0, individuals)
    total = (time.thread_time() - start) / individuals * 1e6
    cycles = island.laps[: len(stopwatch.STAGES)].astype(np.float64)
    shares = cycles / cycles.sum()
    made = island.counters - before
    return {
        "preset": preset,
        "individuals": individuals,
        "microseconds": total,
        "probed": int(made[engine.FEC_LOOKUPS]) / individuals,
        "evaluated": int(made[engine.EVALUATED]) / individuals,
        "stages": {
            stage: {"microseconds": share * total, "share": share}
            for stage, share in zip(stopwatch.STAGES, shares.tolist(), strict=True)
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("presets", nargs="*", default=["linear-reference", "linear", "digits"])
    parser.add_argument("--individuals", type=int, default=100_000)
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    records = [profile(preset, arguments.individuals) for preset in arguments.presets]
    if arguments.json:
        print(json.dumps({"profiles": records, "machine": machine(), "versions": versions()}, indent=2))
        return
    for record in records:
        print(
            f"{record['preset']}: {record['microseconds']:.2f} us an individual; "
            f"{record['probed']:.0%} probed, {record['evaluated']:.0%} evaluated in full"
        )
        for stage, part in record["stages"].items():
            print(f"  {stage:9}{part['microseconds']:8.3f} us {part['share']:6.1%}")


if __name__ == "__main__":
    main()
