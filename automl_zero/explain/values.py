"""Values seen through the names of registers: when two operands are equal, and what a value is a product or sum of.

Motifs are recognised on these, so that neither the choice of registers nor the order of the operands of sums and
products matters, nor instructions that merely copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from automl_zero.explain.data_flow import SETUP, DataFlow, Input, Operand, Site
from automl_zero.explain.timeline import Timeline

#: Ops whose result is proportional to each of their operands. Means and broadcasts keep every proportion.
MULTILINEAR = frozenset(
    {
        "scalar_product",
        "vector_product",
        "matrix_product",
        "scalar_vector_product",
        "scalar_matrix_product",
        "vector_inner_product",
        "vector_outer_product",
        "matrix_vector_product",
        "matrix_matrix_product",
        "matrix_transpose",
        "scalar_broadcast",
        "vector_column_broadcast",
        "vector_row_broadcast",
        "vector_mean",
        "matrix_mean",
        "matrix_row_mean",
    }
)
DIVISIONS = frozenset({"scalar_division", "vector_division", "matrix_division"})
RECIPROCALS = frozenset({"scalar_reciprocal", "vector_reciprocal", "matrix_reciprocal"})
SUMS = frozenset({"scalar_sum", "vector_sum", "matrix_sum"})
DIFFERENCES = frozenset({"scalar_diff", "vector_diff", "matrix_diff"})
MAXIMA = frozenset({"scalar_max", "vector_max", "matrix_max"})
MINIMA = frozenset({"scalar_min", "vector_min", "matrix_min"})
ELEMENTWISE_PRODUCTS = frozenset({"scalar_product", "vector_product", "matrix_product"})
SCALINGS = ELEMENTWISE_PRODUCTS | {"scalar_vector_product", "scalar_matrix_product"}

Key = tuple[object, ...]
Test = Callable[[Operand], bool]


def _nothing(operand: Operand) -> bool:
    return False


@dataclass(frozen=True)
class Factor:
    """A factor of a product: an operand and the power, 1 or -1, that it is raised to.

    Attributes:
        operand: the operand.
        power: 1 or -1.
        lag: how many examples earlier than the product the instruction ran that reads the operand.
    """

    operand: Operand
    power: int
    lag: int


@dataclass(frozen=True)
class Product:
    """A value as a product.

    Attributes:
        factors: what is multiplied.
        steps: the instructions that multiply.
        parts: operands whose values are partial products: the whole, the factors, and those in between.
    """

    factors: tuple[Factor, ...]
    steps: tuple[Site, ...]
    parts: tuple[Factor, ...]


@dataclass(frozen=True)
class Term:
    """A term of a sum: an operand, its sign, and the instructions that add it."""

    operand: Operand
    sign: int
    steps: tuple[Site, ...]


class Values:
    """Equality and structure of the values of a program.

    Args:
        flow: data flow of the program.

    Attributes:
        flow: the same.
        timeline: values that no data reach.
    """

    def __init__(self, flow: DataFlow) -> None:
        self.flow = flow
        self.timeline = Timeline(flow)
        self._keys: dict[Operand, Key] = {}

    def op(self, site: Site) -> str:
        """Name of the op at a live site."""
        return self.flow.live[site].op

    def sites(self, ops: frozenset[str]) -> Iterator[Site]:
        """Live instructions with one of the ops, in order."""
        return (site for site, instruction in self.flow.live.items() if instruction.op in ops)

    def writer(self, operand: Operand) -> Site | None:
        """The one instruction that wrote an operand in the loop, whatever its value was at first; else None.

        Without a writing in the loop, the one in Setup.
        """
        found = operand.source_sites
        in_loop = [site for site in found if site.component != SETUP]
        if in_loop:
            return in_loop[0] if len(in_loop) == 1 else None
        return found[0] if len(found) == 1 and len(operand.sources) == 1 else None

    def copied(self, operand: Operand) -> Operand:
        """The operand that this one is a copy of, through any number of copies in the same example."""
        while len(operand.sources) == 1 and (site := self.writer(operand)) and not operand.carried(site):
            original = self.original(site)
            if original is None:
                break
            operand = original
        return operand

    def original(self, site: Site) -> Operand | None:
        """The operand that an instruction copies: x + 0, x - 0, min(x, x), max(x, x)."""
        operands = self.flow.operands[site]
        if len(operands) != 2:
            return None
        first, second = operands
        if self.op(site) in SUMS | DIFFERENCES and self.timeline.is_zero(second):
            return first
        if self.op(site) in SUMS and self.timeline.is_zero(first):
            return second
        return first if self.op(site) in MAXIMA | MINIMA and first.sources == second.sources else None

    def key(self, operand: Operand) -> Key:
        """Equal keys mean equal values, at least in one example of training."""
        if operand not in self._keys:
            self._keys[operand] = self._new_key(self.copied(operand))
        return self._keys[operand]

    def _new_key(self, operand: Operand) -> Key:
        if operand.sources == {Input.ZERO}:
            return ("zero", operand.register[0])
        if len(operand.sources) == 1 and (site := self.writer(operand)) and not operand.carried(site):
            instruction = self.flow.live[site]
            if not instruction.spec.random and not instruction.spec.partial_write:
                inputs = [self.key(source) for source in self.flow.operands[site]]
                if instruction.spec.commutative:
                    inputs.sort(key=repr)
                return (instruction.op, instruction.constants, *inputs)
        # repr: sites and inputs have no common order
        return ("one of", *sorted((repr(source), operand.carried(source)) for source in operand.sources))

    def same(self, first: Operand, second: Operand) -> bool:
        """Whether two operands are equal in every training example."""
        return self.key(first) == self.key(second)

    def product(self, operand: Operand, whole: Test = _nothing) -> Product:
        """An operand as a product, traced back through multiplications, also those of the example before.

        Args:
            operand: the operand.
            whole: tells which operands not to take apart.
        """
        factors: list[Factor] = []
        steps: list[Site] = []
        parts: list[Factor] = []
        waiting = [(operand, 1, 0)]
        while waiting:
            part, power, lag = waiting.pop(0)
            part = self.copied(part)
            parts.append(Factor(part, power, lag))
            site = None if whole(part) else self.writer(part)
            if site is None or site in steps or self.op(site) not in MULTILINEAR | DIVISIONS | RECIPROCALS:
                factors.append(Factor(part, power, lag))
                continue
            steps.append(site)
            lag += part.carried(site)
            first, *others = self.flow.operands[site]
            waiting.append((first, -power if self.op(site) in RECIPROCALS else power, lag))
            waiting += ((other, -power if self.op(site) in DIVISIONS else power, lag) for other in others)
        return Product(tuple(factors), tuple(steps), tuple(parts))

    def age(self, factor: Factor) -> int:
        """How many examples earlier than the product a factor was written."""
        site = self.writer(factor.operand)
        return factor.lag + (site is not None and factor.operand.carried(site))

    def terms(
        self, operand: Operand, sign: int = 1, steps: tuple[Site, ...] = (), whole: Test = _nothing
    ) -> Iterator[Term]:
        """An operand as a sum, traced back through the additions made in the same example.

        Args:
            operand: the operand.
            sign: sign to begin with.
            steps: instructions that have added up to here.
            whole: tells which operands not to take apart.
        """
        operand = self.copied(operand)
        site = None if whole(operand) else self.writer(operand)
        if site is None or len(operand.sources) > 1 or operand.carried(site) or self.op(site) not in SUMS | DIFFERENCES:
            yield Term(operand, sign, steps)
            return
        first, second = self.flow.operands[site]
        yield from self.terms(first, sign, (*steps, site), whole)
        yield from self.terms(second, -sign if self.op(site) in DIFFERENCES else sign, (*steps, site), whole)

    def sign(self, factors: tuple[Factor, ...]) -> int:
        """Sign of the product of the factors that no data reach: 1 or -1, or 0 when there is no one sign."""
        sign = 1
        for factor in factors:
            if self.timeline.is_data_free(factor.operand):
                sign *= self.timeline.sign(factor.operand)
        return sign
