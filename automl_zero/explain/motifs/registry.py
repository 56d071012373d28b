"""The list of motifs."""

from __future__ import annotations

from automl_zero.explain.data_flow import DataFlow
from automl_zero.explain.motifs import activations, models, noise, rates, updates
from automl_zero.explain.motifs.anatomy import Anatomy
from automl_zero.explain.motifs.motif import Match, Motif

#: All motifs by name, in the order in which they are reported.
MOTIFS: dict[str, Motif] = {}


def register_motif(motif: Motif) -> Motif:
    """Add a motif to those that are looked for; ValueError when the name is taken."""
    if motif.name in MOTIFS:
        raise ValueError(f"motif {motif.name!r} exists already")
    MOTIFS[motif.name] = motif
    return motif


for _module in (models, activations, updates, rates, noise):
    for _record in _module.RECORDS:
        register_motif(_record)


def find_motifs(flow: DataFlow) -> tuple[Match, ...]:
    """All matches of all motifs in a program, in order of the list of motifs."""
    anatomy = Anatomy(flow)
    found: dict[Match, None] = {}  # one place may be reached in several ways
    for motif in MOTIFS.values():
        for sites, detail in motif.matcher(anatomy):
            found[Match(motif.name, tuple(sorted(sites)), detail)] = None
    return tuple(found)
