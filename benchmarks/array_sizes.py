"""What the arrays of a search take, by their sizes: an individual, all populations, caches and tasks."""

from __future__ import annotations

from typing import Any

from automl_zero.evolution.config import load_config
from automl_zero.evolution.islands import Archipelago
from automl_zero.evolution.mutation import make_space
from automl_zero.interpreters.lane_data import lay_out
from automl_zero.tasks import make_source

_OF_AN_INDIVIDUAL = ("code", "constants", "sizes", "fitness", "hashes")
_MIB = 1024**2


def array_sizes(preset: str) -> dict[str, Any]:
    """Sizes of the arrays of a preset's search.

    A slot of an instruction takes 4 bytes of code and 24 of constants, whether or not it is in use. A population has
    two rows more than individuals, for the candidate and for the best so far. The lineage has room for more discoveries
    than are ever alive; the operating system gives it only the pages that are written. The select tasks are laid out
    beside the search tasks from their first use on.

    Args:
        preset: its name, or a configuration file (.toml).
    """
    config = load_config(preset)
    source = make_source(config.tasks)
    data = lay_out(source.search(0), config.dtype)
    island = Archipelago(config, make_space(config), data, (0,)).islands[0]
    rows, slots = island.code.shape[:2]
    caches = (*island.canonical_cache, *island.fec_cache)
    stored = (*data.storage, *lay_out(source.select(0), config.dtype).storage)
    individual = {name: getattr(island, name).nbytes // rows for name in _OF_AN_INDIVIDUAL}
    return {
        "preset": preset,
        "slots": slots,
        "bytes_per_individual": individual,
        "population_size": config.population_size,
        "islands": config.islands,
        "populations_mib": config.islands * rows * sum(individual.values()) / _MIB,
        "lineage_mib": config.islands * sum(array.nbytes for array in island.lineage) / _MIB,
        "caches_mib": config.islands * sum(array.nbytes for array in caches) / _MIB,
        "tasks_mib": sum(array.nbytes for array in stored) / _MIB,
    }
