"""The order in which training examples are seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def epoch_order(epoch: int, num_train: int) -> npt.NDArray[np.int64]:
    """Rows of the training examples in the order of an epoch.

    The first epoch (0) takes them in order, every later one by a permutation that depends on the epoch and on the
    number of examples alone, and is shared by all tasks.

    Args:
        epoch: number of the epoch, from 0.
        num_train: N, number of training examples.

    Returns:
        int64[N].
    """
    if epoch == 0:
        return np.arange(num_train, dtype=np.int64)
    generator = np.random.Generator(np.random.Philox(key=[epoch, num_train]))
    return generator.permutation(num_train)
