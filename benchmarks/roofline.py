"""The least time that evaluations can take on a device: what they compute and move, against its published peaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.ops import Op, RegisterType
from automl_zero.program import Program

BYTES = 4  # of a float32 number


@dataclass(frozen=True)
class Peak:
    """Published figures of a device.

    Attributes:
        flops: float32 operations a second, a fused multiply-add being two.
        shared_bytes: bytes a second between shared memory and registers: 128 a clock of each multiprocessor.
        source: where they are from.
    """

    flops: float
    shared_bytes: float
    source: str


_CLOCK, _MULTIPROCESSORS = 1.98e9, 132
PEAKS = {
    name: Peak(
        flops=66.9e12,
        shared_bytes=_MULTIPROCESSORS * 128 * _CLOCK,
        source=f"NVIDIA's {name} data sheet (SXM): 67 TFLOP/s, {_MULTIPROCESSORS} multiprocessors at 1.98 GHz",
    )
    for name in ("H100", "H200")
}


@dataclass(frozen=True)
class Work:
    """What an evaluation does: float32 operations, and bytes that it reads from and writes to registers."""

    flops: float
    register_bytes: float


def peak_of(device_kind: str) -> Peak | None:
    """The peaks of a device by its name; None for one that is not in the table."""
    return next((peak for name, peak in PEAKS.items() if name in device_kind), None)


def work_of(program: Program, num_features: int, num_tasks: int, num_train: int, num_valid: int) -> Work:
    """Work of a full evaluation of a program on all tasks, of its live instructions alone.

    Registers are counted as if each operand were read, and each output written, once an instruction. Dispatch,
    synchronisation and the lanes that stay empty are not counted.
    """
    live = remove_dead_code(program)
    flops = register_bytes = 0.0
    for component, runs in zip(live.components, (1, num_train + num_valid, num_train), strict=True):
        for instruction in component:
            flops += runs * _flops(instruction.spec, num_features)
            register_bytes += runs * BYTES * _numbers(instruction.spec, num_features)
    features = (num_train + num_valid) * num_features * BYTES  # written to v0
    return Work(num_tasks * flops, num_tasks * (register_bytes + features))


def bound(work: Work, peak: Peak) -> dict[str, Any]:
    """Evaluations a second that the peaks allow, and which of the two binds."""
    rates = {"flops": peak.flops / max(work.flops, 1.0), "shared_memory": peak.shared_bytes / work.register_bytes}
    binds = min(rates, key=lambda name: rates[name])
    return {
        "flops": work.flops,
        "register_bytes": work.register_bytes,
        "evaluations_per_second": rates[binds],
        "bound_by": binds,
        "source": peak.source,
    }


def _numbers(op: Op, F: int) -> int:
    return sum(F ** (kind - 1) for kind in (*op.inputs, op.output) if kind != RegisterType.NONE)


def _flops(op: Op, F: int) -> int:
    """One for each number that is computed or added up; functions such as exp count as one as well."""
    if op.name == "matrix_matrix_product":
        return 2 * F**3
    largest = max((kind for kind in (*op.inputs, op.output)), default=RegisterType.NONE)
    elements = F ** (largest - 1) if largest else 0
    reduces = bool(op.inputs) and largest > op.output
    return 2 * elements if reduces else elements
