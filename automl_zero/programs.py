"""Ready-made programs: hand-designed learners and random programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from automl_zero.memory import MemorySpec, first_output
from automl_zero.ops import TABLE, ConstantKind, Op, RegisterType
from automl_zero.program import COMPONENTS, Instruction, Program

LINEAR_MEMORY = MemorySpec(scalars=4, vectors=3, matrices=1)
NEURAL_NET_MEMORY = MemorySpec(scalars=5, vectors=9, matrices=2)
SOFTMAX_LINEAR_MEMORY = MemorySpec(scalars=3, vectors=5, matrices=2)
SOFTMAX_NET_MEMORY = MemorySpec(scalars=3, vectors=10, matrices=3)


def empty(memory: MemorySpec = LINEAR_MEMORY) -> Program:
    """The program without instructions, which always predicts 0."""
    return Program(memory, (), (), ())


def linear(learning_rate: float = 0.01, memory: MemorySpec = LINEAR_MEMORY) -> Program:
    """Linear model without bias, trained by stochastic gradient descent (paper, Section 4.1).

    Args:
        learning_rate: step size.
        memory: at least 4 scalars and 3 vectors; ValueError otherwise.
    """
    return Program(
        memory,
        setup=(Instruction("scalar_const_set", out=2, constants=(learning_rate,)),),
        predict=(Instruction("vector_inner_product", 1, 0, 1),),
        learn=(
            Instruction("scalar_diff", 0, 1, 3),  # s3 = label - prediction
            Instruction("scalar_product", 2, 3, 3),
            Instruction("scalar_vector_product", 3, 0, 2),
            Instruction("vector_sum", 1, 2, 1),  # v1: the weights
        ),
    )


def neural_net(
    learning_rate: float = 0.01,
    first_scale: float = 0.1,
    final_scale: float = 0.1,
    memory: MemorySpec = NEURAL_NET_MEMORY,
) -> Program:
    """Two-layer network with F hidden ReLU units, trained by gradient descent (paper, Section 4.1).

    Args:
        learning_rate: step size.
        first_scale: standard deviation of the initial weights of the hidden layer.
        final_scale: standard deviation of the initial weights of the output layer.
        memory: at least 5 scalars, 9 vectors and 2 matrices; ValueError otherwise.
    """
    return Program(
        memory,
        setup=(
            Instruction("vector_gaussian_set", out=2, constants=(0.0, final_scale)),  # v2: output weights
            Instruction("matrix_gaussian_set", out=0, constants=(0.0, first_scale)),  # m0: hidden weights
            Instruction("scalar_const_set", out=3, constants=(learning_rate,)),
        ),
        predict=(
            Instruction("matrix_vector_product", 0, 0, 3),
            Instruction("vector_sum", 3, 1, 3),  # v1: hidden biases
            Instruction("vector_max", 3, 5, 4),  # relu, because v5 stays zero
            Instruction("vector_inner_product", 4, 2, 1),
            Instruction("scalar_sum", 1, 2, 1),  # s2: output bias
        ),
        learn=(
            Instruction("scalar_diff", 0, 1, 4),  # s4 = label - prediction
            Instruction("scalar_product", 3, 4, 4),
            Instruction("scalar_sum", 2, 4, 2),
            Instruction("scalar_vector_product", 4, 4, 6),
            Instruction("vector_sum", 2, 6, 2),
            Instruction("scalar_vector_product", 4, 2, 7),
            Instruction("vector_heaviside", 3, out=8),  # gradient of the relu
            Instruction("vector_product", 8, 7, 7),
            Instruction("vector_sum", 1, 7, 1),
            Instruction("vector_outer_product", 7, 0, 1),
            Instruction("matrix_sum", 0, 1, 0),
        ),
    )


def softmax_linear(learning_rate: float = 0.02, memory: MemorySpec = SOFTMAX_LINEAR_MEMORY) -> Program:
    """Softmax regression, trained by stochastic gradient descent; for tasks with vector labels.

    Each row of a matrix holds the weights of a class. The interpreter turns the numbers of Predict into
    probabilities, so that label - prediction is the gradient of the cross-entropy.

    Args:
        learning_rate: step size.
        memory: at least 3 scalars, 5 vectors and 2 matrices; ValueError otherwise.
    """
    return Program(
        memory,
        setup=(Instruction("scalar_const_set", out=2, constants=(learning_rate,)),),
        predict=(
            Instruction("matrix_vector_product", 0, 0, 2),  # m0: the weights
            Instruction("vector_sum", 2, 4, 2),  # v4: the biases
        ),
        learn=(
            Instruction("vector_diff", 1, 2, 3),  # v3 = label - prediction
            Instruction("scalar_vector_product", 2, 3, 3),
            Instruction("vector_sum", 4, 3, 4),
            Instruction("vector_outer_product", 3, 0, 1),
            Instruction("matrix_sum", 0, 1, 0),
        ),
    )


def softmax_net(
    learning_rate: float = 0.02,
    first_scale: float = 0.1,
    final_scale: float = 0.1,
    memory: MemorySpec = SOFTMAX_NET_MEMORY,
) -> Program:
    """Two-layer network with F hidden ReLU units and a softmax, trained by gradient descent; for vector labels.

    Args:
        learning_rate: step size.
        first_scale: standard deviation of the initial weights of the hidden layer.
        final_scale: standard deviation of the initial weights of the output layer.
        memory: at least 3 scalars, 10 vectors and 3 matrices; ValueError otherwise.
    """
    return Program(
        memory,
        setup=(
            Instruction("matrix_gaussian_set", out=0, constants=(0.0, first_scale)),  # m0: hidden weights
            Instruction("matrix_gaussian_set", out=1, constants=(0.0, final_scale)),  # m1: output weights
            Instruction("scalar_const_set", out=2, constants=(learning_rate,)),
        ),
        predict=(
            Instruction("matrix_vector_product", 0, 0, 3),
            Instruction("vector_sum", 3, 4, 3),  # v4: hidden biases
            Instruction("vector_max", 3, 6, 5),  # relu, because v6 stays zero
            Instruction("matrix_vector_product", 1, 5, 2),
            Instruction("vector_sum", 2, 7, 2),  # v7: output biases
        ),
        learn=(
            Instruction("vector_diff", 1, 2, 8),  # v8 = label - prediction
            Instruction("scalar_vector_product", 2, 8, 8),
            Instruction("matrix_transpose", 1, out=2),
            Instruction("matrix_vector_product", 2, 8, 9),  # back through the output layer
            Instruction("vector_heaviside", 3, out=3),  # gradient of the relu
            Instruction("vector_product", 3, 9, 9),
            Instruction("vector_sum", 7, 8, 7),
            Instruction("vector_outer_product", 8, 5, 2),
            Instruction("matrix_sum", 1, 2, 1),
            Instruction("vector_sum", 4, 9, 4),
            Instruction("vector_outer_product", 9, 0, 2),
            Instruction("matrix_sum", 0, 2, 0),
        ),
    )


def pad(program: Program, sizes: Mapping[str, int]) -> Program:
    """Fill components up with no_ops.

    Args:
        program: the program.
        sizes: number of instructions wanted, by component; components that are not named stay as they are.

    Raises:
        ValueError: an unknown component, or one that is longer already.
    """
    _check_components("sizes", sizes)
    padded = []
    for name, instructions in zip(COMPONENTS, program.components, strict=True):
        missing = sizes.get(name, len(instructions)) - len(instructions)
        if missing < 0:
            raise ValueError(f"sizes[{name!r}] is {sizes[name]}: the program has {len(instructions)} there already")
        padded.append(instructions + (Instruction("no_op"),) * missing)
    return Program(program.memory, *padded)


def random(
    memory: MemorySpec,
    allowed_ops: Mapping[str, Sequence[str]],
    sizes: Mapping[str, int],
    seed: int | np.random.Generator,
    num_classes: int = 0,
) -> Program:
    """A random program: ops uniform over those allowed, addresses and constants as in the paper (Section 3.2).

    Args:
        memory: numbers of registers.
        allowed_ops: names of the ops to draw from, by component.
        sizes: number of instructions, by component; a component that is not named is empty.
        seed: seed of the draws, or the generator to take them from.
        num_classes: C of vector labels, whose programs do not write v1; 0 for scalar labels.

    Raises:
        ValueError: an unknown component or op, a size below 0, a component with instructions but without ops, or an
            op on a register type of which there is none.
    """
    _check_components("allowed_ops", allowed_ops)
    _check_components("sizes", sizes)
    generator = np.random.default_rng(seed)
    components = []
    for name in COMPONENTS:
        size, ops = sizes.get(name, 0), [TABLE[op] for op in allowed_ops.get(name, ())]
        if size < 0:
            raise ValueError(f"sizes[{name!r}] is {size}: expected 0 or more")
        if size and not ops:
            raise ValueError(f"allowed_ops[{name!r}] is empty, but {size} instructions are wanted")
        for op in ops:
            _check_registers(op, memory, num_classes)
        components.append(
            tuple(
                random_instruction(ops[generator.integers(len(ops))], memory, generator, num_classes)
                for _ in range(size)
            )
        )
    return Program(memory, *components)


def random_instruction(op: Op, memory: MemorySpec, generator: np.random.Generator, num_classes: int = 0) -> Instruction:
    """An instruction with the given op and random addresses and constants."""
    inputs: list[int | None] = [int(generator.integers(memory.count(kind))) for kind in op.inputs]
    in1, in2 = (*inputs, None, None)[:2]
    out = None
    if op.output != RegisterType.NONE:
        out = int(generator.integers(first_output(op.output, num_classes), memory.count(op.output)))
    return Instruction(op.name, in1, in2, out, tuple(_random_constant(kind, generator) for _, kind in op.constants))


def _random_constant(kind: ConstantKind, generator: np.random.Generator) -> float:
    if kind in (ConstantKind.INDEX, ConstantKind.ST_DEV):
        return float(generator.uniform(0.0, 1.0))
    return float(generator.uniform(-1.0, 1.0))


def _check_components(argument: str, mapping: Mapping[str, object]) -> None:
    for name in mapping:
        if name not in COMPONENTS:
            raise ValueError(f"{argument}: unknown component {name!r}, expected {', '.join(COMPONENTS)}")


def _check_registers(op: Op, memory: MemorySpec, num_classes: int) -> None:
    for kind in op.inputs:
        if memory.count(kind) < 1:
            raise ValueError(f"op {op.name!r} reads a {kind.name.lower()}, but memory has none")
    if op.output != RegisterType.NONE and memory.count(op.output) <= first_output(op.output, num_classes):
        raise ValueError(f"op {op.name!r} writes a {op.output.name.lower()}, but memory has none to write")
