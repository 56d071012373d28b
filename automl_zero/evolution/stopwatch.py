"""Where the time of an individual goes: counters of processor cycles by stage, compiled in only on demand.

Set AUTOML_ZERO_PROFILE=1 before Python starts; `python -m benchmarks.profile` does. Otherwise :func:`lap` is empty.
"""

from __future__ import annotations

from typing import Any

from automl_zero.jit import PROFILING, intrinsic, jit

STAGES = ("select", "mutate", "analyse", "look up", "encode", "probe", "evaluate", "replace")
SELECT, MUTATE, ANALYSE, LOOK_UP, ENCODE, PROBE, EVALUATE, REPLACE = range(len(STAGES))
_LAST = len(STAGES)
SIZE = len(STAGES) + 1


@intrinsic
def _cycles(typing_context: Any) -> Any:
    """The processor's cycle counter."""
    from llvmlite import ir
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = "llvm.readcyclecounter"
        function = builder.module.globals.get(name)
        if function is None:
            function = ir.Function(builder.module, ir.FunctionType(ir.IntType(64), []), name)
        return builder.call(function, [])

    return types.int64(), generate


@jit
def start(laps):  # type: ignore[no-untyped-def]
    """Start the clock."""
    if PROFILING:
        laps[_LAST] = _cycles()


@jit
def lap(laps, stage):  # type: ignore[no-untyped-def]
    """Count the cycles since the last lap to a stage."""
    if PROFILING:
        now = _cycles()
        laps[stage] += now - laps[_LAST]
        laps[_LAST] = now
