"""Which interpreter evaluates programs in JAX: the GPU kernel where it can, else the portable one, and why.

Importing this module does not import Mosaic GPU, nor JAX.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automl_zero.interpreters.jax_lockstep import devices

if TYPE_CHECKING:
    from automl_zero.interpreters.jax_lockstep.batch import Shape

SWITCH = "AUTOML_ZERO_GPU_KERNEL"  #: environment variable; 0 turns the kernel off
LEAST_CAPABILITY = (9, 0)  #: of the GPU: Hopper
PORTABLE, KERNEL = "portable", "pallas"

_log = logging.getLogger("automl_zero")
_notices: set[str] = set()


@dataclass(frozen=True)
class Interpreter:
    """An interpreter of program batches.

    Attributes:
        name: "pallas" or "portable".
        reason: why this one, a part of a sentence.
        run: evaluates programs, see :func:`automl_zero.interpreters.jax_lockstep.evaluate.run`.
        probe: the same with predictions.
        evaluate: the losses that fitness is made of.
    """

    name: str
    reason: str
    run: Callable[..., Any]
    probe: Callable[..., Any]
    evaluate: Callable[..., Any]


def interpreter_for(shape: Shape, num_tasks: int, slots: int) -> Interpreter:
    """The interpreter for programs of a shape on JAX's device.

    The kernel is tried once for each shape: it has to compile, to run, and to agree with the definition on a few
    programs. Where it does not, the portable interpreter is used. When it is used in place of the kernel, the first
    time a notice of one line with the reason is logged. Not to be called while JAX traces a function.

    Args:
        shape: registers, sizes and ops.
        num_tasks: D.
        slots: room for the instructions of each component.

    Raises:
        ValueError: JAX is not installed or does not start.
    """
    reason = why_not(shape, num_tasks, slots)
    if reason is None:
        from automl_zero.interpreters.pallas_gpu import evaluate

        return Interpreter(KERNEL, "it runs on this GPU", evaluate.run, evaluate.probe, evaluate.evaluate)
    _notice(reason)
    from automl_zero.interpreters.jax_lockstep import evaluate as lockstep

    return Interpreter(PORTABLE, reason, lockstep.run, lockstep.probe, lockstep.evaluate)


def why_not(shape: Shape, num_tasks: int, slots: int) -> str | None:
    """Why the kernel does not evaluate programs of a shape on JAX's device; None when it does."""
    choice = devices.choose()
    reason = why_not_on(choice.device)
    if reason is not None:
        return reason
    from automl_zero.interpreters.pallas_gpu.evaluate import supports

    return supports(shape, num_tasks, slots) or _trouble(shape, num_tasks, slots)


def why_not_on(device: Any) -> str | None:
    """Why the kernel does not run on a device of JAX's; None when it may."""
    if os.environ.get(SWITCH) == "0":
        return f"{SWITCH}=0 turns the GPU kernel off"
    if device.platform != "gpu":
        return f"the GPU kernel needs an NVIDIA GPU, and JAX computes on the {device.platform.upper()}"
    major, _, minor = str(getattr(device, "compute_capability", "")).partition(".")
    if not (major.isdecimal() and minor.isdecimal()):
        return f"the GPU kernel needs an NVIDIA GPU, not {device.device_kind}"
    if (int(major), int(minor)) < LEAST_CAPABILITY:
        least = ".".join(map(str, LEAST_CAPABILITY))
        return f"the GPU kernel needs compute capability {least}, and {device.device_kind} has {major}.{minor}"
    return None


@functools.cache
def _trouble(shape: Shape, num_tasks: int, slots: int) -> str | None:
    """What goes wrong with the kernel on the GPU, found by trying it; None when nothing does."""
    try:
        from automl_zero.interpreters.pallas_gpu.trial import disagreement

        return disagreement(shape, num_tasks, slots)
    except Exception as error:  # compilers, drivers and experimental interfaces raise what they like
        first_line = (str(error).strip() or repr(error)).splitlines()[0]
        return f"the GPU kernel failed: {type(error).__name__}: {first_line:.200}"


def _notice(reason: str) -> None:
    if not _notices:
        _notices.add(reason)
        _log.warning("backend jax: the portable interpreter is used, because %s", reason)
