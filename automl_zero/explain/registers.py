"""What the registers of a program are for."""

from __future__ import annotations

from dataclasses import dataclass

from automl_zero.explain.data_flow import (
    DATA,
    SETUP,
    DataFlow,
    Input,
    Operand,
    Origin,
    Register,
    Site,
    output_register,
    register_name,
)

#: Roles and what they mean.
ROLES = {
    "features": "the features, set by the interpreter",
    "label": "the label, set by the interpreter",
    "prediction": "read as the prediction after Predict",
    "learned parameter": "survives from example to example and depends on labels",
    "state": "survives from example to example and does not depend on labels",
    "constant": "depends on the program's constants alone",
    "initial draw": "drawn at random in Setup and never changed",
    "noise": "drawn at random for every example",
    "zero": "never written, so zero",
    "temporary": "computed and used within one example",
    "leftover": "used in validation alone, where no Learn overwrites it",
}


@dataclass(frozen=True)
class Web:
    """One variable of a program: writings of a register that can reach the same readings, and those readings.

    A register that is reused for unrelated things has several webs.

    Attributes:
        register: type and address.
        writes: live instructions that write it.
        reads: operands that read it.
        roles: what it is for, keys of ROLES.
    """

    register: Register
    writes: tuple[Site, ...]
    reads: tuple[Operand, ...]
    roles: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the register in pseudocode."""
        return register_name(self.register)


_Group = tuple[Register, set[Site], list[Operand]]  # a web in the making


def find_webs(flow: DataFlow) -> list[Web]:
    """The webs of the live instructions, in order of registers and of first use."""
    groups: list[_Group] = []
    for operand in flow.reads():
        merged: _Group = (operand.register, set(operand.source_sites), [operand])
        for group in [group for group in groups if _belong_together(group, merged)]:
            groups.remove(group)
            merged[1].update(group[1])
            merged[2][:0] = group[2]
        groups.append(merged)
    webs = [Web(register, tuple(sorted(w)), tuple(r), _roles(flow, w, r)) for register, w, r in groups]
    known = {site for web in webs for site in web.writes}
    for site in flow.live.keys() - known:
        left = tuple(operand for operand in flow.different_in_validation if site in operand.validation)
        webs.append(Web(output_register(flow.live[site]), (site,), left, ("leftover",)))
    return sorted(webs, key=lambda web: (web.register, web.writes[:1], web.reads[0].site))


def _belong_together(group: _Group, other: _Group) -> bool:
    """Whether two groups share a writing, or read the same input of the interpreter."""
    if group[0] != other[0]:
        return False
    if group[1] or other[1]:
        return bool(group[1] & other[1])
    return group[2][0].sources == other[2][0].sources


def _roles(flow: DataFlow, writes: set[Site], reads: list[Operand]) -> tuple[str, ...]:
    roles = []
    inputs = {source for operand in reads for source in operand.sources if isinstance(source, Input)}
    if Input.FEATURES in inputs:
        roles.append("features")
    if Input.LABEL in inputs:
        roles.append("label")
    if flow.prediction in reads:
        roles.append("prediction")
    ever = Origin.NOTHING
    for site in writes:
        ever |= flow.ever[site]
    in_loop = {site for site in writes if site.component != SETUP}
    if any(operand.carried(site) for operand in reads for site in operand.sources):
        roles.append("learned parameter" if Origin.LABEL in ever else "state")
    elif writes and not ever & DATA:
        roles.append("constant")
    elif writes and not in_loop and ever & Origin.INITIAL_DRAW:
        roles.append("initial draw")
    elif writes and ever & DATA == Origin.NOISE:
        roles.append("noise")
    elif not roles:
        roles.append("temporary" if writes else "zero")
    return tuple(roles)
