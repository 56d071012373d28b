"""The programs that a search may visit: registers, allowed ops, sizes, and the program it starts from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from automl_zero import programs
from automl_zero.evolution.validation import INTEGRAL, Table
from automl_zero.memory import MAX_REGISTERS, MemorySpec
from automl_zero.ops import TABLE
from automl_zero.program import COMPONENTS, Program
from automl_zero.suggest import did_you_mean

HAND_DESIGNED = ("linear", "neural_net", "softmax_linear", "softmax_net")
INITIAL = ("random", "no_op", "empty", *HAND_DESIGNED)

_Size = Annotated[int, Field(ge=0), INTEGRAL]


class ComponentSpace(Table):
    """What a component function may hold.

    Attributes:
        ops: names of the ops that random instructions and mutations choose from, each equally likely; a component
            without ops keeps the instructions of the initial program.
        min_size: fewest instructions.
        max_size: most instructions.
        initial_size: number of instructions of initial programs.
    """

    ops: Annotated[tuple[str, ...], Field(strict=False)] = ()
    min_size: _Size
    max_size: _Size
    initial_size: _Size

    def problems(self, memory: MemorySpec, random_start: bool) -> Iterator[str]:
        """Sentences on what cannot work, each beginning with the key."""
        if not self.min_size <= self.initial_size <= self.max_size:
            sizes = f"{self.min_size}, {self.initial_size} and {self.max_size}"
            yield f"initial_size: expected min_size <= initial_size <= max_size, got {sizes}"
        for name in sorted({name for name in self.ops if self.ops.count(name) > 1}):
            yield f"ops: {name} is listed twice"
        for name in dict.fromkeys(self.ops):
            if name not in TABLE:
                yield f"ops: unknown op {name!r}{did_you_mean(name, (op.name for op in TABLE))}"
                continue
            try:
                programs.random(memory, {"setup": [name]}, {}, seed=0)
            except ValueError as error:
                yield f"ops: {error}"
        if random_start and self.initial_size and not self.ops:
            yield "ops: none are allowed, so random instructions cannot be drawn"


class SearchSpace(Table):
    """Registers, the three component functions and the initial program (paper, Section 3.1 and Table S5).

    Attributes:
        scalars: number of scalar registers.
        vectors: number of vector registers.
        matrices: number of matrix registers.
        initial: "random", "no_op" (``initial_size`` of them), "empty", the name of a hand-designed program (filled up
            with no_ops) or the path of a program file; a list of them is taken in turn by the individuals.
        randomize: draw the instructions of the initial programs at random, in the component functions that have ops;
            the others stay as they are. Goes without saying for "random".
        setup: the component function run once.
        predict: the component function run on every example.
        learn: the component function run on every training example.
    """

    scalars: Annotated[int, Field(ge=2, le=MAX_REGISTERS), INTEGRAL]
    vectors: Annotated[int, Field(ge=1, le=MAX_REGISTERS), INTEGRAL]
    matrices: Annotated[int, Field(ge=0, le=MAX_REGISTERS), INTEGRAL]
    initial: str | Annotated[tuple[str, ...], Field(strict=False, min_length=1)] = "random"
    randomize: bool = False
    setup: ComponentSpace
    predict: ComponentSpace
    learn: ComponentSpace

    @property
    def memory(self) -> MemorySpec:
        """The register files of every program of the space."""
        return MemorySpec(self.scalars, self.vectors, self.matrices)

    @property
    def components(self) -> tuple[ComponentSpace, ComponentSpace, ComponentSpace]:
        """The spaces of setup, predict and learn."""
        return self.setup, self.predict, self.learn

    @property
    def initials(self) -> tuple[str, ...]:
        """The initial programs by name."""
        return (self.initial,) if isinstance(self.initial, str) else self.initial

    @property
    def random_start(self) -> bool:
        """Whether initial populations are drawn at random."""
        return self.randomize or "random" in self.initials

    def initial_programs(self) -> list[Program]:
        """The programs that the individuals of an initial population are, in turn, unless they are random.

        Of a random start these are the sizes, and the component functions that are fixed.

        Raises:
            OSError: a program file cannot be read.
            ValueError: a program file is malformed, or a program does not fit the registers or sizes.
        """
        return [self._initial_program(name) for name in self.initials]

    def _initial_program(self, name: str) -> Program:
        sizes = {key: space.initial_size for key, space in zip(COMPONENTS, self.components, strict=True)}
        if name in ("random", "no_op", "empty"):
            return programs.pad(programs.empty(self.memory), {} if name == "empty" else sizes)
        if name in HAND_DESIGNED:
            program: Program = getattr(programs, name)(memory=self.memory)
        else:
            program = Program(self.memory, *Program.load(name).components)
        for key, space, instructions in zip(COMPONENTS, self.components, program.components, strict=True):
            if len(instructions) > space.max_size:
                raise ValueError(f"{key} has {len(instructions)} instructions, but its max_size is {space.max_size}")
            sizes[key] = max(space.initial_size, len(instructions))
        return programs.pad(program, sizes)

    def problems(self) -> Iterator[str]:
        """Sentences on what cannot work, each beginning with the key."""
        for name, space in zip(COMPONENTS, self.components, strict=True):
            yield from (f"{name}.{problem}" for problem in space.problems(self.memory, "random" in self.initials))
        if not any(space.ops for space in self.components):
            yield "setup.ops: no component function has ops, so that nothing could ever change"
        if "empty" in self.initials:
            for name, space in zip(COMPONENTS, self.components, strict=True):
                if space.min_size > 0:
                    yield f"{name}.min_size: got {space.min_size}, but initial programs are empty"
        if "random" in self.initials and len(self.initials) > 1:
            yield "initial: random initial programs cannot be mixed with others; randomize makes all of them random"
        for name in self.initials:
            yield from self._problems_of_initial(name)

    def _problems_of_initial(self, name: str) -> Iterator[str]:
        if name not in INITIAL and not Path(name).is_file():
            hint = did_you_mean(name, INITIAL)
            yield f"initial: {name!r} is neither one of {', '.join(INITIAL)} nor a program file{hint}"
            return
        try:
            self._initial_program(name)
        except (OSError, ValueError) as error:
            yield f"initial: {name} does not fit: {error}"
