"""Who migrates where (paper, Section 3.2), and the exchange itself."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
import numpy.typing as npt

from automl_zero.evolution.on_device.population import Islands


class Routes(NamedTuple):
    """Where the immigrants of each island come from: int32[I, count] each.

    Attributes:
        islands: the islands that they leave.
        slots: their slots there.
    """

    islands: npt.NDArray[np.int32]
    slots: npt.NDArray[np.int32]


def routes(rng: np.random.Generator, islands: int, population: int, count: int, ring: bool) -> Routes:
    """Draw the migrants: every island sends a sample without replacement, to the next or to a common pool.

    Args:
        rng: the random numbers.
        islands: I.
        population: P.
        count: individuals that each island sends and receives.
        ring: to the next island; otherwise each island receives a sample without replacement of all that were sent.
    """
    sent = np.stack([rng.permutation(population)[:count] for _ in range(islands)])
    if ring:
        senders = np.repeat(np.roll(np.arange(islands), 1)[:, None], count, axis=1)
        return Routes(senders.astype(np.int32), np.roll(sent, 1, axis=0).astype(np.int32))
    chosen = np.stack([rng.choice(islands * count, count, replace=False) for _ in range(islands)])
    return Routes((chosen // count).astype(np.int32), sent.reshape(-1)[chosen].astype(np.int32))


def exchanged(islands: Islands, routes: Routes) -> Islands:
    """The islands after the immigrants, in order, have replaced their oldest individuals."""
    size = islands.fitness.shape[1]
    count = routes.slots.shape[1]
    everyone = np.arange(islands.fitness.shape[0])[:, None]
    targets = (islands.oldest[:, None] + np.arange(count)) % size
    rows, fitness = (array[routes.islands, routes.slots] for array in (islands.rows, islands.fitness))
    return islands._replace(
        rows=islands.rows.at[everyone, targets].set(rows),
        fitness=islands.fitness.at[everyone, targets].set(fitness),
        oldest=(islands.oldest + count) % size,
    )


exchange = jax.jit(exchanged, donate_argnums=0)
