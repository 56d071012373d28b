"""Where to look for better constants: factors for all of them, on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

DECADES = 3.0  # constants are multiplied by 10^-3 to 10^3
_SCOUTS = 20  # random constants that CMA-ES looks at first
_STEP = 0.5  # standard deviation of its first steps, in decades

Exponents = npt.NDArray[np.float64]
Fitness = Callable[[Exponents], float]


def random_search(size: int, fitness: Fitness, seed: int) -> Iterator[None]:
    """Factors drawn log-uniformly, all constants at once, in every trial (paper, Section S7).

    Args:
        size: number of constants.
        fitness: mean fitness with the constants multiplied by 10 to the given exponents, float64[size].
        seed: seed of the draws.

    Yields:
        None after every evaluation.
    """
    generator = np.random.default_rng(seed)
    while True:
        fitness(generator.uniform(-DECADES, DECADES, size))
        yield


def cma_search(size: int, fitness: Fitness, seed: int) -> Iterator[None]:
    """CMA-ES by the library pycma, begun anew with a larger population whenever it has converged.

    It begins at the constants as they are. Only where these are as bad as the worst of a few random ones, as when the
    program diverges and there is no slope to follow, does it begin at the best of the random ones. Arguments are those
    of :func:`random_search`.

    Raises:
        ValueError: the library is not installed.
    """
    cma = _load()
    generator = np.random.default_rng(seed)
    dimensions = max(size, 2)  # the library wants at least two
    start, restarts = np.zeros(dimensions), 0
    scouts = [start, *generator.uniform(-DECADES, DECADES, (_SCOUTS, dimensions))]
    reached = []
    for scout in scouts:
        reached.append(fitness(scout[:size]))
        yield
    if reached[0] == min(reached):
        start = scouts[int(np.argmax(reached))]
    while True:
        options = {
            "bounds": [-DECADES, DECADES],
            "popsize": int(4 + 3 * np.log(dimensions)) * 2**restarts,
            "randn": lambda *shape: generator.standard_normal(shape),
            "seed": np.nan,  # draws come from our own generator; the global one is left alone
            "verbose": -9,
        }
        strategy = cma.CMAEvolutionStrategy(start, _STEP, options)
        while not strategy.stop():
            points = strategy.ask()
            losses = []
            for point in points:
                losses.append(-fitness(np.asarray(point[:size])))
                yield
            strategy.tell(points, losses)
        restarts += 1


def _load() -> Any:
    try:
        import cma
    except ImportError:
        raise ValueError(
            "method 'cma' needs the library cma, which is not installed: pip install 'automl-zero[tune]'"
        ) from None
    return cma


METHODS = {"random": random_search, "cma": cma_search}
