"""Independent random streams, so that a task's data depends on (seed, task index) alone."""

from __future__ import annotations

import zlib

import numpy as np

from automl_zero.tasks.checks import check_integer


def entropy(seed: int, index: int, tag: str) -> np.random.SeedSequence:
    """Root of the random stream called `tag` of task `index`: another tag, task or seed gives an unrelated stream."""
    # A checksum, not hash(): Python salts the hash of a string anew in every process.
    return np.random.SeedSequence([check_integer("seed", seed, minimum=0), index, zlib.crc32(tag.encode())])


def stream(seed: int, index: int, tag: str) -> np.random.Generator:
    """Generator for the stream called `tag` of task `index`.

    The bit generator is named, rather than left to default_rng, so that a later numpy draws the same tasks.
    """
    return np.random.Generator(np.random.PCG64(entropy(seed, index, tag)))


def purpose_seed(seed: int, purpose: str) -> int:
    """Seed (64 bits) of the task set that a source makes for one purpose: search, select or final."""
    return int(entropy(seed, 0, f"purpose: {purpose}").generate_state(1, np.uint64)[0])
