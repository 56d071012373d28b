"""``automl-zero doctor``."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from automl_zero.cli.consoles import echo_json
from automl_zero.cli.group import INTERNAL_ERROR


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show versions, machine, devices and cache directory, and check that every backend works.

    The check compares each backend with the definition on programs of all ops, and times it: about ten seconds each.

    \b
    Examples:
      automl-zero doctor
      automl-zero doctor --json
    """
    from automl_zero import provenance
    from automl_zero.cache_directory import cache_directory

    versions, machine, cache = provenance.versions(), provenance.machine(), str(cache_directory())
    devices, jax_works = _devices()
    if not as_json:
        facts = {**versions, **machine, "cache directory": cache, "numba backend": "CPU, one thread an island"}
        for name, value in {**facts, "jax backend": devices["summary"]}.items():
            click.echo(f"{name:16} {value}")
    click.echo("Testing the backends; the first time takes a while.", err=True)
    tests, passed = {}, True
    for backend in ("numba", "jax") if jax_works else ("numba",):
        from automl_zero.self_test import run_self_test

        test = run_self_test(backend)
        passed = passed and test.passed
        tests[backend] = {**dataclasses.asdict(test), "passed": test.passed}
        if not as_json:
            verdict = "passed" if test.passed else "FAILED: the results differ from those of the NumPy interpreter"
            detail = f"{test.agreeing} of {test.pairs} fitnesses agree; the first evaluations took {test.seconds:.1f} s"
            click.echo(f"{backend + ' self-test':16} {verdict} ({detail})")
            click.echo(f"{'':16} {test.evaluations_per_second:,.0f} evaluations a second of a linear program, 10 tasks")
    if as_json:
        record = {"versions": versions, "machine": machine, "cache": cache, "devices": devices, "self_tests": tests}
        echo_json(record)
    if not passed:
        ctx.exit(INTERNAL_ERROR)


def _devices() -> tuple[dict[str, Any], bool]:
    """What the jax backend would compute on and why, and whether it can compute at all."""
    from automl_zero.interpreters.jax_lockstep import devices
    from automl_zero.interpreters.pallas_gpu.choose import why_not_on

    try:
        choice = devices.choose()
    except ValueError as error:
        return {"summary": f"not available: {error}", "devices": [], "interpreter": None, "reason": str(error)}, False
    reason = why_not_on(choice.device)
    interpreter = "GPU kernel (Pallas)" if reason is None else "portable interpreter"
    because = f"; {reason}" if reason else ""
    every = [str(device) for device in choice.device.client.devices()]
    summary = f"{choice.platform.upper()}, {', '.join(every)}; {interpreter}: {choice.reason}{because}"
    return {"summary": summary, "devices": every, "interpreter": interpreter, "reason": reason or choice.reason}, True
