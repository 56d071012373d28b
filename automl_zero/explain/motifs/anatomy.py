"""What matchers ask of a program: its errors, its learned parameters, and how these are updated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from automl_zero.explain.accumulators import Accumulator, cycles, find_accumulators
from automl_zero.explain.data_flow import (
    PREDICT,
    DataFlow,
    Input,
    Operand,
    Origin,
    Site,
    output_register,
    register_name,
)
from automl_zero.explain.values import DIFFERENCES, MAXIMA, MINIMA, SUMS, Factor, Product, Term, Values
from automl_zero.ops import RegisterType

_ODD = frozenset({"scalar_arctan", "scalar_sin", "scalar_tan", "scalar_arcsin"})
_RISING = _ODD | {"scalar_heaviside", "vector_heaviside"}


@dataclass(frozen=True)
class Update:
    """Something that is added to an accumulator that learns from labels.

    Attributes:
        accumulator: what it is added to.
        term: the operand added, with its sign.
        product: the same as a product.
        error: the factor that is the error of the prediction; None when there is none.
        sign: 1 when the update lowers the error, -1 when it raises it, 0 when that is not known.
    """

    accumulator: Accumulator
    term: Term
    product: Product
    error: Factor | None
    sign: int

    @property
    def others(self) -> tuple[Factor, ...]:
        """The factors besides the error."""
        return tuple(factor for factor in self.product.factors if factor is not self.error)

    @property
    def sites(self) -> set[Site]:
        """The instructions that compute and add it."""
        return {*self.term.steps, *self.product.steps}


class Anatomy:
    """A program, taken apart.

    Args:
        flow: its data flow.

    Attributes:
        flow: the same.
        values: equality and structure of its values.
    """

    def __init__(self, flow: DataFlow) -> None:
        self.flow = flow
        self.values = Values(flow)

    @cached_property
    def accumulators(self) -> tuple[Accumulator, ...]:
        """Registers that are their own old value plus something."""
        return find_accumulators(self.values)

    @cached_property
    def forward(self) -> frozenset[Site]:
        """Instructions of Predict by which an example's features become its prediction."""
        found: set[Site] = set()
        waiting = [self.flow.prediction]
        while waiting:
            operand = waiting.pop()
            for site in operand.source_sites:
                if site.component == PREDICT and not operand.carried(site) and site not in found:
                    found.add(site)
                    waiting += self.flow.operands[site]
        return frozenset(found)

    def holder(self, operand: Operand) -> Accumulator | None:
        """The accumulator whose value an operand is."""
        operand = self.values.copied(operand)
        return next((accumulator for accumulator in self.accumulators if accumulator.holds(operand)), None)

    def made_of(self, operand: Operand) -> Origin:
        """What an operand depends on within the example in which it was computed, be it an earlier one."""
        origin = self.flow.origin(operand)
        for site in operand.source_sites:
            origin |= self.flow.fresh[site]
        return origin

    def is_input(self, operand: Operand) -> bool:
        """Whether an operand depends on the features of this example."""
        return Origin.FEATURES in self.flow.origin(operand)

    @cached_property
    def memories(self) -> tuple[frozenset[Site], ...]:
        """Values that are made of their own older values, each with all instructions on the way.

        Through its prediction, everything that a program learns from is made of older values: the way by the prediction
        does not count, nor do ways through registers of several types, as from weights to an error to weights.
        """
        edges: dict[Site, set[Site]] = {}
        for site, operands in self.flow.operands.items():
            kind = output_register(self.flow.live[site])[0]
            of_kind = [o for o in operands if o.register[0] == kind and not self.is_prediction(o)]
            edges[site] = {source for operand in of_kind for source in operand.source_sites}
        return tuple(map(frozenset, cycles(edges)))

    def memories_of(self, operand: Operand) -> tuple[frozenset[Site], ...]:
        """The memories that an operand is computed from; none if features or labels enter into it otherwise."""
        found: dict[frozenset[Site], None] = {}
        seen: set[Site] = set()
        waiting = [operand]
        while waiting:
            sources = waiting.pop().sources
            if sources & {Input.FEATURES, Input.LABEL}:
                return ()
            for site in sources - seen:
                if isinstance(site, Site):
                    seen.add(site)
                    memory = next((memory for memory in self.memories if site in memory), None)
                    if memory is None:
                        waiting += self.flow.operands[site]
                    else:
                        found[memory] = None
        return tuple(found)

    def is_learned(self, operand: Operand) -> bool:
        """Whether an operand comes from memory that depends on labels.

        What was computed from this example or an earlier one and merely kept, such as an error, is not learned.
        """
        here = Origin.FEATURES | Origin.LABEL | Origin.NOISE
        origin = self.flow.origin(operand)
        if Origin.STATE not in origin or origin & here or Origin.LABEL not in self.flow.ever_of(operand):
            return False
        return bool(self.memories_of(operand))

    def is_weights(self, memory: frozenset[Site]) -> bool:
        """Whether a memory is what predictions are made from, or has several elements, as a running error has not."""
        if any(output_register(self.flow.live[site])[0] != RegisterType.SCALAR for site in memory):
            return True
        return any(memory & operand.sources for site in self.forward for operand in self.flow.operands[site])

    def is_prediction(self, operand: Operand) -> bool:
        """Whether an operand is this example's prediction, or the same computed again."""
        return self.values.same(operand, self.flow.prediction)

    def error_sign(self, operand: Operand) -> int:
        """1 for label - prediction, -1 for the opposite, either one perhaps scaled or squashed; 0 for all else."""
        site = self.values.writer(operand)
        if site is None:
            return 0
        if self.values.op(site) in _ODD:
            (squashed,) = self.flow.operands[site]
            return 0 if any(map(squashed.carried, squashed.sources)) else self.error_sign(squashed)
        if self.values.op(site) not in SUMS | DIFFERENCES:
            return 0
        signs = [0, 0]  # of the label and of the prediction
        scales: list[npt.NDArray[np.float64]] = []
        for operand_, sign in zip(self.flow.operands[site], (1, -1), strict=True):
            product = self.values.product(operand_, whole=self._is_guess)
            ends = [f for f in product.factors if f.operand.sources == {Input.LABEL} or self._is_guess(f.operand)]
            rest = [factor for factor in product.factors if factor not in ends]
            free = all(self.values.timeline.is_data_free(factor.operand) for factor in rest)
            if len(ends) != 1 or ends[0].power != 1 or ends[0].lag or not free:
                return 0
            its_sign = self.values.sign(tuple(rest)) * (sign if self.values.op(site) in DIFFERENCES else 1)
            signs[ends[0].operand.sources != {Input.LABEL}] += its_sign
            scales.append(self._size(rest))
        # A label and a prediction that are scaled differently cancel at some other prediction than the label.
        return signs[0] if signs[0] == -signs[1] and np.allclose(scales[0], scales[1]) else 0

    def _size(self, factors: list[Factor]) -> npt.NDArray[np.float64]:
        """Size of a product of data-free factors, at every example."""
        size = np.ones((1, 1))
        for factor in factors:
            values = self.values.timeline.of(factor.operand)
            assert values is not None
            with np.errstate(all="ignore"):
                size = size * np.abs(values) ** factor.power
        return size

    def _is_guess(self, operand: Operand) -> bool:
        """Whether an operand is the prediction, perhaps clipped or squashed by a rising function."""
        if self.is_prediction(operand):
            return True
        site = self.values.writer(operand)
        if site is None or operand.carried(site) or len(operand.sources) > 1:
            return False
        operands = self.flow.operands[site]
        if self.values.op(site) in _RISING:
            return self._is_guess(operands[0])
        if self.values.op(site) in MAXIMA | MINIMA:
            return any(
                self._is_guess(one) and self.values.timeline.is_data_free(other)
                for one, other in (operands, operands[::-1])
            )
        return False

    @cached_property
    def updates(self) -> tuple[Update, ...]:
        """Everything that is added to accumulators that learn from labels."""
        found = []
        for accumulator in self.accumulators:
            if Origin.LABEL in accumulator.ever:
                found += [self._update(accumulator, term) for term in accumulator.increments]
        return tuple(found)

    def _update(self, accumulator: Accumulator, term: Term) -> Update:
        product = self.values.product(term.operand)
        for factor in product.factors:
            error_sign = self.error_sign(factor.operand) if factor.power == 1 else 0
            if error_sign:
                others = tuple(other for other in product.factors if other is not factor)
                return Update(accumulator, term, product, factor, term.sign * error_sign * self.values.sign(others))
        return Update(accumulator, term, product, None, 0)

    def carries_features(self, operand: Operand) -> bool:
        """Whether an operand was computed from an example's features and is not itself a parameter."""
        return Origin.FEATURES in self.made_of(operand) and self.holder(operand) is None


def names(*operands: Operand) -> str:
    """Registers of operands, each once."""
    return ", ".join(dict.fromkeys(register_name(operand.register) for operand in operands))
