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

INITIAL = ("random", "no_op", "empty", "linear", "neural_net")

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

    def problems(self, memory: MemorySpec, initial: str) -> Iterator[str]:
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
        if initial == "random" and self.initial_size and not self.ops:
            yield "ops: none are allowed, so random instructions cannot be drawn"


class SearchSpace(Table):
    """Registers, the three component functions and the initial program (paper, Section 3.1 and Table S5).

    Attributes:
        scalars: number of scalar registers.
        vectors: number of vector registers.
        matrices: number of matrix registers.
        initial: "random", "no_op" (``initial_size`` of them), "empty", "linear", "neural_net" (the hand-designed
            programs, filled up with no_ops) or the path of a program file.
        setup: the component function run once.
        predict: the component function run on every example.
        learn: the component function run on every training example.
    """

    scalars: Annotated[int, Field(ge=2, le=MAX_REGISTERS), INTEGRAL]
    vectors: Annotated[int, Field(ge=1, le=MAX_REGISTERS), INTEGRAL]
    matrices: Annotated[int, Field(ge=0, le=MAX_REGISTERS), INTEGRAL]
    initial: str = "random"
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

    def initial_program(self) -> Program | None:
        """The program that every individual of an initial population is, or None when they are random.

        Raises:
            OSError: the program file cannot be read.
            ValueError: the program file is malformed, or the program does not fit the registers or sizes.
        """
        if self.initial == "random":
            return None
        sizes = {name: space.initial_size for name, space in zip(COMPONENTS, self.components, strict=True)}
        if self.initial in ("no_op", "empty"):
            return programs.pad(programs.empty(self.memory), sizes if self.initial == "no_op" else {})
        if self.initial == "linear":
            program = programs.linear(memory=self.memory)
        elif self.initial == "neural_net":
            program = programs.neural_net(memory=self.memory)
        else:
            program = Program(self.memory, *Program.load(self.initial).components)
        for name, space, instructions in zip(COMPONENTS, self.components, program.components, strict=True):
            if len(instructions) > space.max_size:
                raise ValueError(f"{name} has {len(instructions)} instructions, but its max_size is {space.max_size}")
            sizes[name] = max(space.initial_size, len(instructions))
        return programs.pad(program, sizes)

    def problems(self) -> Iterator[str]:
        """Sentences on what cannot work, each beginning with the key."""
        for name, space in zip(COMPONENTS, self.components, strict=True):
            yield from (f"{name}.{problem}" for problem in space.problems(self.memory, self.initial))
        if not any(space.ops for space in self.components):
            yield "setup.ops: no component function has ops, so that nothing could ever change"
        if self.initial == "empty":
            for name, space in zip(COMPONENTS, self.components, strict=True):
                if space.min_size > 0:
                    yield f"{name}.min_size: got {space.min_size}, but initial programs are empty"
        if self.initial not in INITIAL and not Path(self.initial).is_file():
            hint = did_you_mean(self.initial, INITIAL)
            yield f"initial: {self.initial!r} is neither one of {', '.join(INITIAL)} nor a program file{hint}"
            return
        try:
            self.initial_program()
        except (OSError, ValueError) as error:
            yield f"initial: {self.initial} does not fit: {error}"
