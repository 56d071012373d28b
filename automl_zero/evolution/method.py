"""The parts of the search that can be switched: tables of the configuration, each with its source in the paper."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from automl_zero.evolution.validation import INTEGRAL, Positive, Table
from automl_zero.suggest import did_you_mean

MUTATION_TYPES = (
    "alter_param",
    "randomize_instruction",
    "randomize_component_function",
    "identity",
    "randomize_algorithm",
    "insert_instruction",
    "remove_instruction",
    "trade_instruction",
)
_REFERENCE_WEIGHTS = {"alter_param": 1.0, "randomize_instruction": 1.0, "randomize_component_function": 1.0}
# One of three at random; the first inserts or removes an instruction, removal being twice as likely.
_PAPER_WEIGHTS = {
    "insert_instruction": 1.0,
    "remove_instruction": 2.0,
    "randomize_component_function": 3.0,
    "alter_param": 3.0,
}

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Percentile = Annotated[float, Field(ge=0.0, le=100.0)]


class Mutations(Table):
    """How a child differs from its parents (paper, Section 3.1 and Supplement S2).

    Attributes:
        mode: details of the mutations, those of the authors' implementation ("reference") or those of the paper. In
            "paper" a constant is multiplied by U(0.5, 2) and a constant 0 is drawn anew, and a component function may
            fill its max_size; in "reference" it stays one below.
        weights: relative frequency of each mutation type; a type that is not named never happens. All types are
            present after validation. The default depends on the mode.
        until: mutate again until the child's canonical form differs from its parent's ("changed") or is new to the
            island's canonical cache ("new"); "any" takes every child as it comes.
        max_tries: most mutations for ``until``; the last one is taken as it is.
        crossover: probability that a child, before it is mutated, takes each component function from either of two
            parents, each the winner of a tournament of its own.
    """

    mode: Literal["reference", "paper"] = "reference"
    weights: dict[str, Annotated[float, Field(ge=0.0)]] = Field(default={}, validate_default=False)
    until: Literal["any", "changed", "new"] = "any"
    max_tries: Positive = 20
    crossover: Probability = 0.0

    @field_validator("weights")
    @classmethod
    def _known_types(cls, weights: dict[str, float]) -> dict[str, float]:
        unknown = [name for name in weights if name not in MUTATION_TYPES]
        if unknown:
            raise ValueError("\n".join(f"unknown type {n!r}{did_you_mean(n, MUTATION_TYPES)}" for n in unknown))
        if not any(weights.values()):
            raise ValueError(f"at least one of {', '.join(MUTATION_TYPES)} must be above 0")
        return weights

    @model_validator(mode="after")
    def _all_types(self) -> Mutations:
        given = self.weights or (_PAPER_WEIGHTS if self.mode == "paper" else _REFERENCE_WEIGHTS)
        # The model is frozen for its users; this completes it before they see it.
        object.__setattr__(self, "weights", {name: given.get(name, 0.0) for name in MUTATION_TYPES})
        return self


class Caches(Table):
    """Each island's memory of what it has evaluated. With ``backend = "jax"`` sizes that are not given are 4096.

    Attributes:
        canonical: reuse the fitness of programs that are equal after dead-code removal and renaming; exact.
        canonical_size: entries of the canonical cache.
        fec: reuse the fitness of programs with equal behaviour on a few examples (paper, Section 3.2).
        fec_size: entries of that functional-equivalence cache.
        fec_mode: "program": one entry a program, over its predictions on all tasks. "reference": as in the authors'
            implementation, one entry for every task of a program, over the absolute errors.
        fec_train: training examples of a probe.
        fec_valid: validation examples of a probe.
        fec_bits: mantissa bits of the predictions that a probe compares ("program").
        fec_forget: look-ups after which an entry is forgotten ("reference").
    """

    canonical: bool = True
    canonical_size: Positive = 131072
    fec: bool = True
    fec_size: Positive = 131072
    fec_mode: Literal["program", "reference"] = "program"
    fec_train: Positive = 10
    fec_valid: Positive = 10
    fec_bits: Annotated[int, Field(ge=1, le=52), INTEGRAL] = 12
    fec_forget: Positive = 100


class HurdleStage(Table):
    """A short evaluation on the first examples of all tasks.

    Attributes:
        num_train: training examples of each task.
        num_valid: validation examples of each task.
        percentile: a program goes on if its fitness reaches this percentile of the record.
    """

    num_train: Positive
    num_valid: Positive
    percentile: Percentile = 75.0


class Hurdles(Table):
    """Short evaluations that a program has to pass before the full one (paper, Section 3.2 and Supplement S3).

    Each island compares with the last unique fitnesses of its own programs at the same stage. A program that fails has
    fitness 0.

    Attributes:
        stages: the short evaluations, in order; none by default.
        window: how many fitnesses the record holds; the hurdle is open until a quarter of them are known.
    """

    stages: Annotated[tuple[HurdleStage, ...], Field(strict=False)] = ()
    window: Annotated[int, Field(ge=4), INTEGRAL] = 1000


Change = dict[str, Any]
#: Axes of changes to the tasks, of which islands take the combinations in turn (paper, Section 4.2).
Diversity = Annotated[tuple[Annotated[tuple[Change, ...], Field(strict=False, min_length=1)], ...], Field(strict=False)]
