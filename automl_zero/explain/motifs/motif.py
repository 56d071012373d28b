"""What a motif is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from automl_zero.explain.data_flow import Site
from automl_zero.explain.motifs.anatomy import Anatomy

Matcher = Callable[[Anatomy], Iterator[tuple[set[Site], str]]]


@dataclass(frozen=True)
class Motif:
    """A building block of learning algorithms.

    Attributes:
        name: identifier.
        explanation: what it is, in one line.
        matcher: yields the instructions of every match, and which registers play which part.
    """

    name: str
    explanation: str
    matcher: Matcher


@dataclass(frozen=True)
class Match:
    """One place where a motif was recognised.

    Attributes:
        motif: name of the motif.
        sites: the instructions that make it up, in order.
        detail: which registers play which part.
    """

    motif: str
    sites: tuple[Site, ...]
    detail: str
