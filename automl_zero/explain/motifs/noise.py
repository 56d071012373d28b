"""Noise."""

from __future__ import annotations

from collections.abc import Iterator

from automl_zero.explain.data_flow import DATA, SETUP, Operand, Origin, Site
from automl_zero.explain.motifs.anatomy import Anatomy, names
from automl_zero.explain.motifs.motif import Motif
from automl_zero.explain.values import DIFFERENCES, MAXIMA, MINIMA, SCALINGS, SUMS

_MIXING = SUMS | DIFFERENCES | SCALINGS | MAXIMA | MINIMA


def noise_injection(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
    """A random draw of Predict or Learn that is combined, element by element, with something that is not random."""
    for site, instruction in anatomy.flow.live.items():
        if instruction.spec.random and site.component != SETUP and Origin.NOISE in anatomy.flow.fresh[site]:
            yield from _mixed(anatomy, site, {site})


def _mixed(anatomy: Anatomy, site: Site, path: set[Site]) -> Iterator[tuple[set[Site], str]]:
    """Where noise meets data, and the instructions up to there."""
    flow = anatomy.flow
    for use in flow.uses.get(site, ()):
        user = use.site
        if user in path or user not in flow.live:
            continue
        if flow.fresh[user] & (DATA | Origin.STATE) == Origin.NOISE:  # still noise alone
            yield from _mixed(anatomy, user, {*path, user})
            continue
        partners = [operand for operand in flow.operands[user] if operand.name != use.name]
        if anatomy.values.op(user) in _MIXING and any(_is_data(anatomy, operand) for operand in partners):
            how = _HOW[anatomy.values.op(user) in SCALINGS, anatomy.values.op(user) in MAXIMA | MINIMA]
            yield {*path, user}, f"{names(use)} {how} {names(*partners)}"


_HOW = {(False, False): "added to", (True, False): "multiplied with", (False, True): "compared with"}


def _is_data(anatomy: Anatomy, operand: Operand) -> bool:
    return bool(anatomy.flow.origin(operand) & (Origin.FEATURES | Origin.LABEL | Origin.STATE))


RECORDS = (Motif("noise_injection", "combines data, weights or gradients with random noise", noise_injection),)
