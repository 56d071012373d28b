"""The compiled search for the devices at hand: islands are split evenly over them and never meet but at barriers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from automl_zero.evolution.on_device.plan import Plan
from automl_zero.evolution.on_device.step import advance
from automl_zero.interpreters.jax_lockstep.devices import choose

_AXIS = "islands"
_SPLIT: PartitionSpec = PartitionSpec(_AXIS)  # type: ignore[no-untyped-call]
_WHOLE: PartitionSpec = PartitionSpec()  # type: ignore[no-untyped-call]


def mesh_for(islands: int) -> Mesh:
    """The devices that a search uses: as many as share the islands evenly."""
    devices = jax.devices(choose().platform)
    count = max(n for n in range(1, len(devices) + 1) if islands % n == 0)
    return jax.make_mesh((count,), (_AXIS,), axis_types=(AxisType.Auto,), devices=devices[:count])


def by_island(mesh: Mesh) -> NamedSharding:
    """How arrays with the islands first are laid out."""
    return NamedSharding(mesh, _SPLIT)


def everywhere(mesh: Mesh) -> NamedSharding:
    """How arrays are laid out that all devices need."""
    return NamedSharding(mesh, _WHOLE)


@functools.lru_cache(maxsize=16)  # so that the experiments of a run compile once
def compiled_advance(plan: Plan, mesh: Mesh) -> Callable[..., Any]:
    """:func:`~automl_zero.evolution.on_device.step.advance` for a plan on some devices; the islands are consumed."""
    on_each = jax.shard_map(
        functools.partial(advance, plan=plan),
        mesh=mesh,
        in_specs=(_SPLIT, _SPLIT, _WHOLE, _WHOLE, _WHOLE),
        out_specs=_SPLIT,
        check_vma=False,  # every device loops for itself
    )
    return jax.jit(on_each, donate_argnums=(0, 1))
