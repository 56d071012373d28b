"""Well-known building blocks of learning algorithms, recognised in the data flow of a program.

Every motif is one record: a name, a one-line explanation and a matcher. :func:`register_motif` adds one.
"""

from __future__ import annotations

from automl_zero.explain.motifs.anatomy import Anatomy
from automl_zero.explain.motifs.motif import Match, Motif
from automl_zero.explain.motifs.registry import MOTIFS, find_motifs, register_motif

__all__ = ["MOTIFS", "Anatomy", "Match", "Motif", "find_motifs", "register_motif"]
