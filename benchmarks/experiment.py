"""Experiments: runs of several variants with several seeds, side by side in processes of one thread each.

Every finished run goes into the report at once, and an unfinished one has its checkpoints: a script that was
interrupted, or killed, goes on where it was when it is started again with the same settings.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.run_directory import CHECKPOINT, METRICS
from automl_zero.provenance import usable_cores
from benchmarks import processes, report
from benchmarks.interruption import HEARTBEAT, interruption

_POINTS = 200  # of a learning curve


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        variant: what it is a run of.
        seed: its seed.
        config: its configuration.
        name: of the run's directory; by default variant and seed.
    """

    variant: str
    seed: int
    config: ExperimentConfig
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or f"{self.variant}-{self.seed}")


def carry_out(
    benchmark: str, runs: Sequence[Run], settings: Mapping[str, Any], out: Path, workers: int | None = None
) -> dict[str, Any]:
    """Do the runs that the report does not hold yet.

    Args:
        benchmark: name of the experiment, for the report's header.
        runs: all runs.
        settings: what else the report should tell.
        out: the report, a JSON file; the run directories are in a folder of its name beside it.
        workers: processes at a time, by default as many as there are cores.

    Returns:
        The report: a header, the settings, and ``runs``, in the order given.

    Raises:
        RuntimeError: a run failed, or the report that is there has other settings.
    """
    key = _key(runs, settings)
    record = {**report.header(benchmark), **settings, "key": key, "runs": []}
    if out.exists():
        before = json.loads(out.read_text(encoding="utf-8"))
        if before.get("key") != key:
            raise RuntimeError(f"{out} is the report of other settings; move it away, or name another file by --out")
        record = before
    done = {(run["variant"], run["seed"]): run for run in record["runs"]}
    left = [run for run in runs if (run.variant, run.seed) not in done]
    if done:
        report.say(f"going on with {out}: {len(done)} of {len(runs)} runs are done")
    folder = out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(workers or usable_cores()) as pool, interruption() as check:
        jobs = {pool.submit(_carry_out, run, folder / run.name): run for run in left}
        running = set(jobs)
        try:
            while running:
                finished, running = wait(running, HEARTBEAT, FIRST_COMPLETED)
                check()
                for job in sorted(finished, key=lambda job: job.exception() is not None):  # failures last
                    run = jobs[job]
                    done[run.variant, run.seed] = job.result()
                    report.say(f"[{len(done)}/{len(runs)}] {_line(done[run.variant, run.seed])}")
                    names = [(run.variant, run.seed) for run in runs]
                    record = {**record, "runs": [done[name] for name in names if name in done]}
                    report.write(out, record)
        except BaseException:
            for job in jobs:
                job.cancel()
            processes.stop_all()  # each leaves a checkpoint
            raise
    return record


def of_variant(record: Mapping[str, Any], variant: str) -> list[dict[str, Any]]:
    """The runs of a variant, by seed."""
    return sorted((run for run in record["runs"] if run["variant"] == variant), key=lambda run: int(run["seed"]))


def main(work: Callable[[], str], program: str) -> int:
    """Do the work of a script and print its text; problems become one line and an exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        print(work())
    except (RuntimeError, ValueError, OSError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{program}: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def _key(runs: Sequence[Run], settings: Mapping[str, Any]) -> str:
    """Differs when anything that determines the results does."""
    parts = [(run.variant, run.seed, run.config.model_dump(mode="json")) for run in runs]
    return hashlib.sha256(json.dumps([parts, dict(settings)], sort_keys=True).encode()).hexdigest()[:16]


def _carry_out(run: Run, directory: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "automl_zero"]
    if (directory / CHECKPOINT).exists():
        command += ["resume", str(directory)]
    else:
        config = directory.with_name(f"{run.name}.toml")
        config.write_text(run.config.to_toml(), encoding="utf-8")
        command += ["evolve", "--config", str(config), "--seed", str(run.seed), "--out", str(directory), "--force"]
    finished = processes.run([*command, "--workers", "1", "--json"], os.environ)
    result = finished.result
    seconds = sum(experiment["seconds"] for experiment in result["experiments"])
    keys = ("search_fitness", "select_fitness", "final_fitness", "individuals", "evaluated", "train_steps")
    return {
        "variant": run.variant,
        "seed": run.seed,
        **{key: result[key] for key in keys},
        "cpu_seconds": result["cpu_seconds"],
        "individuals_per_cpu_second": result["individuals"] / max(result["cpu_seconds"], 1e-9),
        "search_seconds": seconds,
        "peak_memory_mib": finished.peak_memory_mib,
        "curve": _curve(directory / METRICS),
        "program": result["program"],
    }


def _curve(metrics: Path) -> list[list[float]]:
    """Train steps and best search fitness so far, at some points."""
    lines = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    step = max(len(lines) // _POINTS, 1)
    kept = [*lines[:-1:step], *lines[-1:]]
    return [[line["train_steps"], line["best"]] for line in kept]


def _line(run: Mapping[str, Any]) -> str:
    return (
        f"{run['variant']}, seed {run['seed']}: search {run['search_fitness']:.4f}, final {run['final_fitness']:.4f}, "
        f"{run['individuals']:,} individuals, {run['cpu_seconds']:.0f} CPU s"
    )
