"""The JAX backend on a GPU: ``python -m benchmarks.gpu [--json] [--out FILE] [--cpu]``.

First both interpreters, the portable one and the Pallas kernel, are checked on the device against the recordings of
the authors' program and against the definition. Then evaluations and individuals per second are measured, beside those
of the CPU backend on one core and on all cores of the same machine, with a roofline estimate.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from automl_zero.evolution.config import load_config
from automl_zero.provenance import usable_cores
from benchmarks import report, roofline, threads

DATA = Path(__file__).parents[1] / "tests" / "data"
NO_GPU = "JAX finds no GPU here, only {found}; --cpu tries everything out on the CPU, at a small scale"
_PACKAGES = ("jax", "jaxlib", "jax-cuda13-plugin", "jax-cuda12-plugin")
Evaluators = dict[str, Callable[..., Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 1 when an interpreter does not conform, 2 without a GPU."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description="Check and measure the JAX backend.")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the report there, as JSON")
    parser.add_argument("--cpu", action="store_true", help="on the CPU at a small scale: to try it out, not to report")
    options = parser.parse_args(arguments)
    try:
        record = run(options.cpu)
    except (LookupError, ValueError) as error:
        print(f"{parser.prog}: {error.args[0]}", file=sys.stderr)
        return 2
    print(report.to_text(record) if options.json else text(record))
    if options.out is not None:
        report.write(options.out, record)
    return 0 if all(check["conforms"] for check in record["conformance"].values()) else 1


def run(small: bool) -> dict[str, Any]:
    """Check and measure everything; returns the report.

    Args:
        small: on the CPU, at a small scale.

    Raises:
        LookupError: there is no GPU, and it was not to be a CPU.
        ValueError: JAX is not installed or does not start.
    """
    from automl_zero.interpreters.jax_lockstep import devices

    choice = devices.choose()
    if choice.platform != "gpu" and not small:
        raise LookupError(NO_GPU.format(found=choice.device.device_kind.upper()))
    from automl_zero.interpreters.jax_lockstep import evaluate as portable
    from automl_zero.interpreters.pallas_gpu.choose import why_not_on

    record: dict[str, Any] = {**report.header("gpu"), "device": _device(choice.device), "small": small}
    record["versions"].update(_versions())
    reason = why_not_on(choice.device)
    evaluators: Evaluators = {"portable": portable.evaluate}
    if reason is None:
        from automl_zero.interpreters.pallas_gpu import evaluate as kernel

        evaluators["pallas"] = kernel.evaluate
    record["kernel_not_used_because"] = reason
    record["conformance"] = _conformance(evaluators, small)
    record["evaluations"] = _evaluations(evaluators, choice.device.device_kind, small)
    record["searches"] = _searches(small)
    return record


def _device(device: Any) -> dict[str, Any]:
    return {
        "kind": device.device_kind,
        "platform": device.platform,
        "compute_capability": getattr(device, "compute_capability", None),
        "runtime": device.client.platform_version.splitlines()[0],
    }


def _versions() -> dict[str, str]:
    found = {distribution.name: distribution.version for distribution in metadata.distributions()}
    return {name: found[name] for name in _PACKAGES if name in found}


def _conformance(evaluators: Evaluators, small: bool) -> dict[str, dict[str, Any]]:
    from benchmarks import gpu_conformance as checks

    report.say("conformance: op cases, portable")
    verdicts = {"portable: golden op cases": _tried(partial(checks.check_ops, DATA / "golden_ops.json.gz"))}
    golden = DATA / "golden_programs.json.gz"
    limit, count = (4, 4) if small else (None, 64)
    for name, evaluate in evaluators.items():
        report.say(f"conformance: programs, {name}")
        fitness = _fitness_by(name, evaluate)
        verdicts[f"{name}: golden programs"] = _tried(partial(checks.check_programs, golden, fitness, limit))
        verdicts[f"{name}: random programs"] = _tried(partial(checks.check_random_programs, fitness, count))
    return verdicts


def _tried(check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A verdict, also of a kernel that fails: what else there is to measure is measured all the same."""
    try:
        return check()
    except Exception as error:  # compilers and drivers raise what they like
        return {"passed": 0, "failed": 0, "needed": 1.0, "conforms": False, "first_failures": [_line(error)]}


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]:.300}"


def _fitness_by(name: str, evaluate: Callable[..., Any]) -> Any:
    """A function of programs and tasks that has them all evaluated by one interpreter."""
    from automl_zero.interpreters.jax_lockstep.evaluator import Evaluator as Portable
    from automl_zero.interpreters.pallas_gpu.choose import Interpreter
    from automl_zero.interpreters.pallas_gpu.evaluator import Evaluator

    if name == "portable":
        return lambda several, tasks: Portable(tasks, "float32").evaluate(several)[0]
    kernel = Interpreter(name, "asked for", evaluate, evaluate, evaluate)
    return lambda several, tasks: Evaluator(tasks, "float32", lambda *_: kernel).evaluate(several)[0]


def _evaluations(evaluators: Evaluators, device_kind: str, small: bool) -> list[dict[str, Any]]:
    from benchmarks import gpu_speed

    found = []
    for case in gpu_speed.SMALL_CASES if small else gpu_speed.CASES:
        entry: dict[str, Any] = {"case": case.name, "program": case.program, "num_features": case.num_features}
        entry |= {"num_tasks": case.num_tasks, "num_train": case.num_train, "num_valid": case.num_valid}
        work = roofline.work_of(case.programs(1)[0], case.num_features, case.num_tasks, case.num_train, case.num_valid)
        peak = roofline.peak_of(device_kind)
        entry["roofline"] = None if peak is None else roofline.bound(work, peak)
        for cores in sorted({1, usable_cores()}):
            report.say(f"evaluations: {case.name}, CPU backend, {cores} cores")
            entry[f"numba_{cores}_cores"] = gpu_speed.measure_cpu(case, cores, 0.02 if small else 2.0)
        one_core = entry["numba_1_cores"]["evaluations_per_second"]
        for name, evaluate in evaluators.items():
            report.say(f"evaluations: {case.name}, {name}")
            try:
                timed = gpu_speed.measure_jax(case, name, evaluate, 1 if small else 7)
            except Exception as error:  # compilers and drivers raise what they like
                entry[name] = {"error": _line(error)}
                continue
            timed["times_one_core"] = timed["evaluations_per_second"] / one_core
            if entry["roofline"]:
                timed["share_of_roofline"] = (
                    timed["evaluations_per_second"] / entry["roofline"]["evaluations_per_second"]
                )
            entry[name] = timed
        found.append(entry)
    return found


def _searches(small: bool) -> list[dict[str, Any]]:
    """Individuals per second of the preset `linear`: the CPU backend on all cores, and islands on the device."""
    found = []
    seconds, cores = (0.1, 1) if small else (10.0, usable_cores())
    contestants = [("numba", 1, 4), ("numba", cores, 4 * cores), ("jax", 1, 16 if small else 4096)]
    for backend, workers, islands in dict.fromkeys(contestants):
        report.say(f"search: linear, {backend}, {islands} islands")
        entry: dict[str, Any] = {"backend": backend, "workers": workers, "islands": islands, "preset": "linear"}
        try:
            changed = [f"islands={islands}", f"backend={backend}", f"migration_every={400 if small else 4000}"]
            config = load_config(threads.endless("linear"), changed)
            entry["individuals_per_second"] = threads.search_rate(config, workers, seed=0, seconds=seconds)
        except Exception as error:  # what a backend that is new or out of memory raises
            entry["error"] = _line(error)
        found.append(entry)
    return found


def text(record: dict[str, Any]) -> str:
    """The report as text."""
    device = record["device"]
    lines = [report.header_text(record), f"{device['kind']}, {device['runtime']}"]
    lines += [f"jax {record['versions'].get('jax', 'not installed')}", ""]
    if record["small"]:
        lines += ["On the CPU, at a small scale: the figures mean nothing.", ""]
    if record["kernel_not_used_because"]:
        lines += [f"Without the GPU kernel: {record['kernel_not_used_because']}.", ""]
    for name, verdict in record["conformance"].items():
        lines.append(f"{name:36}{verdict['passed']} passed, {verdict['failed']} failed")
        lines += [f"    {failure}" for failure in verdict["first_failures"]]
    for entry in record["evaluations"]:
        sizes = f"F={entry['num_features']}, {entry['num_tasks']} tasks, {entry['num_train']}/{entry['num_valid']}"
        lines += ["", f"{entry['case']}: {entry['program']}, {sizes}; evaluations/s"]
        for name, timed in entry.items():
            if isinstance(timed, dict) and "error" in timed:
                lines.append(f"  {name:20}{timed['error']}")
            elif isinstance(timed, dict):
                ratio = f"{timed['times_one_core']:>10.1f}x one core" if "times_one_core" in timed else ""
                bound_by = f"  bound by {timed['bound_by']}" if "bound_by" in timed else ""
                lines.append(f"  {name:20}{timed['evaluations_per_second']:>16,.0f}{ratio}{bound_by}")
    lines += ["", "Searches, preset linear; individuals/s"]
    for entry in record["searches"]:
        label = f"{entry['backend']}, {entry['workers']} threads, {entry['islands']} islands"
        rate = entry.get("individuals_per_second")
        lines.append(f"  {label:36}" + (f"{rate:>16,.0f}" if rate is not None else f"  {entry['error']}"))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
