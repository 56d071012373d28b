"""How features become a prediction."""

from __future__ import annotations

from collections.abc import Iterator

from automl_zero.explain.data_flow import Operand, Site
from automl_zero.explain.motifs.anatomy import Anatomy, names
from automl_zero.explain.motifs.motif import Motif


def inner_product_model(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
    """dot(learned, features or what was computed from them), on the way to the prediction."""
    for site in anatomy.values.sites(frozenset({"vector_inner_product"})):
        if site in anatomy.forward:
            for weights, features in _both_ways(anatomy, site):
                if anatomy.is_learned(weights) and anatomy.is_input(features):
                    yield {site}, f"weights {names(weights)}, inputs {names(features)}"


def linear_layer(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
    """matrix @ vector, the matrix learned and the vector computed from features, on the way to the prediction."""
    for site in anatomy.values.sites(frozenset({"matrix_vector_product"})):
        weights, features = anatomy.flow.operands[site]
        if site in anatomy.forward and anatomy.is_learned(weights) and anatomy.is_input(features):
            yield {site}, f"weights {names(weights)}, inputs {names(features)}"


def bilinear_form(anatomy: Anatomy) -> Iterator[tuple[set[Site], str]]:
    """dot(a, matrix @ b), a and b computed from features and the matrix learned."""
    for site in anatomy.values.sites(frozenset({"vector_inner_product"})):
        if site not in anatomy.forward:
            continue
        for left, image in _both_ways(anatomy, site):
            image = anatomy.values.copied(image)
            layer = anatomy.values.writer(image)
            if layer is None or image.carried(layer) or anatomy.values.op(layer) != "matrix_vector_product":
                continue
            weights, right = anatomy.flow.operands[layer]
            if anatomy.is_learned(weights) and anatomy.is_input(left) and anatomy.is_input(right):
                yield {layer, site}, f"{names(left)}' · {names(weights)} · {names(right)}"


def _both_ways(anatomy: Anatomy, site: Site) -> tuple[tuple[Operand, Operand], tuple[Operand, Operand]]:
    first, second = anatomy.flow.operands[site]
    return (first, second), (second, first)


RECORDS = (
    Motif("inner_product_model", "predicts by the inner product of inputs with learned weights", inner_product_model),
    Motif("linear_layer", "multiplies its inputs by a learned matrix", linear_layer),
    Motif("bilinear_form", "multiplies two functions of the features through a learned matrix", bilinear_form),
)
