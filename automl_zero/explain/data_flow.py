"""Where every value of a program comes from: reaching definitions over the loop in which the components run.

Setup runs once; then Predict and Learn for every training example, and Predict alone for every validation example,
memory being carried over throughout. A forward analysis to a fixpoint finds, for every operand, the instructions that
may have written what it reads. What only a validation example can have left behind is kept apart: that is not how a
program learns.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from automl_zero.instruction import Instruction
from automl_zero.memory import FEATURES, LABEL, PREDICTION
from automl_zero.ops import RegisterType
from automl_zero.program import COMPONENTS, Program

SETUP, PREDICT, LEARN = range(3)
VECTOR_LABEL, VECTOR_PREDICTION = 1, 2  # registers of tasks with several classes
KEPT = "kept"  # name of the operand that a partial write keeps: the old contents of its output

Register = tuple[RegisterType, int]


def register_name(register: Register) -> str:
    """Name in pseudocode, such as ``s1``."""
    return f"{register[0].letter}{register[1]}"


@dataclass(frozen=True, order=True)
class Site:
    """Place of an instruction: its component (0 Setup, 1 Predict, 2 Learn) and its position there."""

    component: int
    position: int

    def __str__(self) -> str:
        return f"{COMPONENTS[self.component]}[{self.position}]"


class Input(enum.Enum):
    """Values that no instruction wrote."""

    FEATURES = "features"
    LABEL = "label"
    ZERO = "zero"  # memory as it is at first, and s0 outside of Learn


class Origin(enum.Flag):
    """What a value depends on."""

    NOTHING = 0
    FEATURES = enum.auto()  #: the features of this example
    LABEL = enum.auto()  #: the label of this example
    STATE = enum.auto()  #: memory left by earlier examples
    NOISE = enum.auto()  #: random draws made for this example
    INITIAL_DRAW = enum.auto()  #: random draws made in Setup
    CONSTANT = enum.auto()  #: constants of the program

    @property
    def words(self) -> tuple[str, ...]:
        """The single origins in words."""
        return tuple(str(part.name).lower().replace("_", " ") for part in type(self) if part in self)


#: What makes a value differ between tasks or draws; a value without any of it is a function of time alone.
DATA = Origin.FEATURES | Origin.LABEL | Origin.NOISE | Origin.INITIAL_DRAW

Value = Site | Input
Sources = frozenset[Value]


@dataclass(frozen=True)
class Operand:
    """A register that an instruction reads, and who may have written it.

    Attributes:
        site: the instruction that reads; for the prediction, the end of Predict.
        name: "in1", "in2", or "kept" for what a partial write keeps.
        register: type and address.
        sources: values that it may hold in training.
        validation: further values that only a preceding validation example can have left.
    """

    site: Site
    name: str
    register: Register
    sources: Sources
    validation: Sources

    @property
    def all_sources(self) -> Sources:
        """Values that it may hold in training or validation."""
        return self.sources | self.validation

    @property
    def source_sites(self) -> tuple[Site, ...]:
        """Instructions that may have written it in training, in order."""
        return tuple(sorted(source for source in self.sources if isinstance(source, Site)))

    def carried(self, source: Value) -> bool:
        """Whether a source was written for an earlier example than the one that reads it."""
        return isinstance(source, Site) and source.component != SETUP and source >= self.site


class DataFlow:
    """Definitions and uses of the live instructions of a program.

    Args:
        program: the program.
        vector_label: whether labels are vectors (v1) and predictions too (v2), as in tasks with several classes.

    Attributes:
        program: the program.
        vector_label: whether labels are vectors.
        live: the live instructions by site, in order; positions are those in the program as given.
        operands: for every live site, the registers that it reads.
        prediction: the reading of the prediction at the end of Predict.
    """

    def __init__(self, program: Program, vector_label: bool = False) -> None:
        self.program = program
        self.vector_label = vector_label
        if vector_label:
            self._label = (RegisterType.VECTOR, VECTOR_LABEL)
            self._output = (RegisterType.VECTOR, VECTOR_PREDICTION)
        else:
            self._label = (RegisterType.SCALAR, LABEL)
            self._output = (RegisterType.SCALAR, PREDICTION)
        self._features = (RegisterType.VECTOR, FEATURES)
        training = self._reach(with_validation=False)
        both = self._reach(with_validation=True)
        operands: dict[Site, list[Operand]] = {}
        for (site, name, register), sources in training.items():
            validation = both[site, name, register] - sources
            operands.setdefault(site, []).append(Operand(site, name, register, sources, validation))
        (self.prediction,) = operands.pop(Site(PREDICT, len(program.predict)))
        alive = _reachable(self.prediction, operands)
        self.live: dict[Site, Instruction] = {
            site: instruction for site, instruction in sites(program) if site in alive
        }
        self.operands: dict[Site, tuple[Operand, ...]] = {site: tuple(operands.get(site, ())) for site in self.live}

    def _reach(self, with_validation: bool) -> dict[tuple[Site, str, Register], Sources]:
        """Sources of every read, the prediction's included."""
        reads: dict[tuple[Site, str, Register], Sources] = {}
        after_setup = self._walk(SETUP, {}, reads)
        after_predict: dict[Register, Sources] | None = None  # not reached yet
        after_learn: dict[Register, Sources] | None = None
        while True:
            before = (after_setup, after_learn, after_predict if with_validation else None)
            at_predict = _merge([state for state in before if state is not None])
            at_predict[self._label], at_predict[self._features] = _only(Input.ZERO), _only(Input.FEATURES)
            new_predict = self._walk(PREDICT, at_predict, reads)
            end = Site(PREDICT, len(self.program.predict))
            reads[end, "in1", self._output] = new_predict.get(self._output, _only(Input.ZERO))
            at_learn = {**new_predict, self._label: _only(Input.LABEL), self._features: _only(Input.FEATURES)}
            new_learn = self._walk(LEARN, at_learn, reads)
            if (new_predict, new_learn) == (after_predict, after_learn):
                return reads
            after_predict, after_learn = new_predict, new_learn

    def _walk(
        self, component: int, state: Mapping[Register, Sources], reads: dict[tuple[Site, str, Register], Sources]
    ) -> dict[Register, Sources]:
        """Pass through a component, noting what is read; returns the state after it."""
        state = dict(state)
        for position, instruction in enumerate(self.program.components[component]):
            site = Site(component, position)
            for name, kind, address in instruction.operands():
                if name == "out" and not instruction.spec.partial_write:
                    continue
                register = (kind, address)
                reads[site, KEPT if name == "out" else name, register] = state.get(register, _only(Input.ZERO))
            if instruction.out is not None:
                state[output_register(instruction)] = _only(site)
        return state

    @cached_property
    def uses(self) -> dict[Value, tuple[Operand, ...]]:
        """Operands of live instructions, and the prediction, that may read each value in training."""
        found: dict[Value, list[Operand]] = {}
        for operand in self.reads():
            for source in operand.sources:
                found.setdefault(source, []).append(operand)
        return {value: tuple(operands) for value, operands in found.items()}

    def reads(self) -> Iterator[Operand]:
        """Every operand of the live instructions, in order, and the prediction at last."""
        for operands in self.operands.values():
            yield from operands
        yield self.prediction

    @property
    def different_in_validation(self) -> tuple[Operand, ...]:
        """Operands that, when no Learn has run in between, may hold what the Predict before wrote."""
        return tuple(operand for operand in self.reads() if operand.validation)

    @cached_property
    def fresh(self) -> dict[Site, Origin]:
        """What each live instruction's result depends on within one training example; earlier ones are STATE."""
        origins: dict[Site, Origin] = {}
        for site, instruction in self.live.items():  # a source that is not carried comes earlier in this order
            origin = own_origin(site, instruction)
            for operand in self.operands[site]:
                origin |= self._origin(operand, origins)
            origins[site] = origin
        return origins

    def _origin(self, operand: Operand, origins: Mapping[Site, Origin]) -> Origin:
        origin = Origin.NOTHING
        for source in operand.sources:
            if isinstance(source, Input):
                origin |= _INPUT_ORIGINS[source]
            else:
                origin |= Origin.STATE if operand.carried(source) else origins[source]
        return origin

    def origin(self, operand: Operand) -> Origin:
        """What an operand depends on within one example."""
        return self._origin(operand, self.fresh)

    @cached_property
    def ever(self) -> dict[Site, Origin]:
        """What each live instruction's result depends on in training, earlier examples included (without STATE)."""
        origins = {site: own_origin(site, instruction) for site, instruction in self.live.items()}
        while True:
            before = dict(origins)
            for site, operands in self.operands.items():
                for operand in operands:
                    origins[site] |= self.ever_of(operand, origins)
            if origins == before:
                return origins

    def ever_of(self, operand: Operand, origins: Mapping[Site, Origin] | None = None) -> Origin:
        """What an operand depends on, earlier examples included."""
        known = self.ever if origins is None else origins
        origin = Origin.NOTHING
        for source in operand.sources:
            origin |= _INPUT_ORIGINS[source] if isinstance(source, Input) else known[source]
        return origin


_INPUT_ORIGINS = {Input.FEATURES: Origin.FEATURES, Input.LABEL: Origin.LABEL, Input.ZERO: Origin.NOTHING}


def sites(program: Program) -> Iterator[tuple[Site, Instruction]]:
    """All instructions of a program with their places, no_ops left out."""
    for component, instructions in enumerate(program.components):
        for position, instruction in enumerate(instructions):
            if instruction.op != "no_op":
                yield Site(component, position), instruction


def output_register(instruction: Instruction) -> Register:
    """The register that an instruction other than no_op writes."""
    assert instruction.out is not None
    return instruction.spec.output, instruction.out


def own_origin(site: Site, instruction: Instruction) -> Origin:
    """What an instruction adds itself: constants or random draws."""
    if instruction.spec.random and not _is_degenerate(instruction):
        return Origin.INITIAL_DRAW if site.component == SETUP else Origin.NOISE
    return Origin.CONSTANT if instruction.constants else Origin.NOTHING


def _is_degenerate(instruction: Instruction) -> bool:
    """Whether a random instruction always draws the same number."""
    if instruction.spec.source == "user":
        return False
    first, second = instruction.constants
    return second == 0.0 if instruction.op.endswith("gaussian_set") else first == second


def _only(value: Value) -> Sources:
    return frozenset({value})


def _merge(states: Sequence[Mapping[Register, Sources]]) -> dict[Register, Sources]:
    """Union of states in which a register that is absent is zero."""
    registers = {register for state in states for register in state}
    zero = _only(Input.ZERO)
    return {r: frozenset().union(*(state.get(r, zero) for state in states)) for r in registers}


def _reachable(prediction: Operand, operands: Mapping[Site, Iterable[Operand]]) -> set[Site]:
    """Sites that can influence the prediction."""
    alive: set[Site] = set()
    waiting: list[Operand] = [prediction]
    while waiting:
        for source in waiting.pop().all_sources:
            if isinstance(source, Site) and source not in alive:
                alive.add(source)
                waiting.extend(operands.get(source, ()))
    return alive
