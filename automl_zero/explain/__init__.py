"""Reading what was discovered: data flow, motifs, knock-outs and constants."""

from __future__ import annotations

from automl_zero.explain.data_flow import DataFlow, Site
from automl_zero.explain.explanation import Explanation, explain
from automl_zero.explain.motifs import MOTIFS, Motif, register_motif

__all__ = ["MOTIFS", "DataFlow", "Explanation", "Motif", "Site", "explain", "register_motif"]
