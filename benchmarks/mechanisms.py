"""Whether the mechanisms that the paper saw evolve in Section 4.3 are in a program, by its data flow alone."""

from __future__ import annotations

from collections.abc import Callable

from automl_zero.explain.data_flow import PREDICT, DataFlow, Site
from automl_zero.explain.motifs import Anatomy, find_motifs
from automl_zero.explain.values import MAXIMA
from automl_zero.program import Program


def noisy_relu(program: Program, vector_label: bool = False) -> bool:
    """Whether noise enters a maximum that a prediction passes through.

    Noise is a random draw of Predict or Learn, for every example anew. It may be an operand of the maximum, or be
    combined element by element with what goes into the maximum or with what comes out of it. Noise in gradients does
    not count, nor do random initial weights.
    """
    flow = DataFlow(program, vector_label)
    anatomy = Anatomy(flow)
    forward = anatomy.forward
    maxima = {site for site in forward if anatomy.values.op(site) in MAXIMA}
    inputs = {site: _sources(flow, site) for site in forward}
    for match in find_motifs(flow):
        if match.motif != "noise_injection":
            continue
        noisy = {site for site in match.sites if site.component == PREDICT and site in forward}
        if noisy & maxima or any(noisy & inputs[site] for site in maxima):
            return True
        if any(inputs[site] & maxima for site in noisy):
            return True
    return False


def noise_in_prediction(program: Program, vector_label: bool = False) -> bool:
    """Whether noise meets data anywhere on the way from features to prediction."""
    flow = DataFlow(program, vector_label)
    forward = Anatomy(flow).forward
    return any(match.motif == "noise_injection" and forward & set(match.sites) for match in find_motifs(flow))


def learning_rate_decay(program: Program, vector_label: bool = False) -> bool:
    """Whether a scalar factor of an update changes with time alone, and shrinks."""
    return _has("learning_rate_decay", program, vector_label)


def rate_from_weights(program: Program, vector_label: bool = False) -> bool:
    """Whether a scalar factor of an update is computed from the learned weights, as sin(abs(mean(W))) is."""
    return _has("rate_from_weights", program, vector_label)


def _has(motif: str, program: Program, vector_label: bool) -> bool:
    return any(match.motif == motif for match in find_motifs(DataFlow(program, vector_label)))


def _sources(flow: DataFlow, site: Site) -> frozenset[Site]:
    """The instructions whose results one reads."""
    return frozenset(source for operand in flow.operands[site] for source in operand.source_sites)


#: All of them, by name.
MECHANISMS: dict[str, Callable[[Program, bool], bool]] = {
    "noisy ReLU": noisy_relu,
    "noise in the prediction": noise_in_prediction,
    "learning-rate decay": learning_rate_decay,
    "rate from weights": rate_from_weights,
}
