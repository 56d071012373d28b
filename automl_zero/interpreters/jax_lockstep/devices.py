"""Which device the JAX backend computes on, and why."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

MISSING = "backend 'jax' needs the library jax, which is not installed: pip install 'automl-zero[jax]'"
BROKEN = "backend 'jax' needs the library jax, which is installed but cannot be imported: {}"


class JaxNotInstalledError(ValueError):
    """JAX cannot be imported."""


@dataclass(frozen=True)
class Choice:
    """A device.

    Attributes:
        device: a JAX device.
        platform: "cpu", "gpu" or "tpu".
        reason: why this one, in a sentence.
        fallback: whether JAX could not use what it was told to use, or what is installed for it.
    """

    device: Any
    platform: str
    reason: str
    fallback: bool = False


@functools.cache
def choose() -> Choice:
    """JAX's default device, or the CPU where JAX fails to start on that.

    Raises:
        JaxNotInstalledError: there is no JAX.
        ValueError: JAX cannot be imported, or does not start at all.
    """
    jax = import_jax()
    try:
        device = jax.devices()[0]
    except Exception as error:  # broken installations raise what they like, empty assertions among it
        return _cpu(jax, _first_line(error))
    return Choice(device, device.platform, f"JAX {jax.__version__} prefers {device.device_kind}")


def import_jax() -> Any:
    """The library; :class:`JaxNotInstalledError` when there is none, ValueError when it is broken."""
    try:
        import jax
    except ModuleNotFoundError as error:
        if error.name == "jax":
            raise JaxNotInstalledError(MISSING) from None
        raise ValueError(BROKEN.format(_first_line(error))) from None
    except Exception as error:  # such as a version of jaxlib that does not belong to it
        raise ValueError(BROKEN.format(_first_line(error))) from None
    return jax


def _cpu(jax: Any, trouble: str) -> Choice:
    platforms = jax.config.jax_platforms
    try:
        # Nothing works in this process before JAX is told not to try again what has failed.
        jax.config.update("jax_platforms", "cpu")
        device = jax.devices("cpu")[0]
    except Exception as error:
        jax.config.update("jax_platforms", platforms)
        raise ValueError(f"JAX {jax.__version__} cannot compute on any device: {_first_line(error)}") from None
    asked = f" (JAX_PLATFORMS is {platforms!r})" if platforms else ""
    reason = f"JAX {jax.__version__} cannot use its accelerator{asked}, so that it computes on the CPU: {trouble}"
    return Choice(device, "cpu", reason, fallback=True)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0]
