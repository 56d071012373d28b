from __future__ import annotations

from typing import Any

import pytest

from automl_zero import programs
from automl_zero.export import to_latex
from automl_zero.memory import MemorySpec
from automl_zero.ops import NUM_BUILT_IN, TABLE, Op, RegisterType, register, unregister
from automl_zero.program import Instruction, Program
from tests.oracle import random_program

LINEAR = r"""\begin{aligned}
&\textbf{Setup} \\
&\quad s_{2} = 0.01 \\
&\textbf{Predict} \\
&\quad s_{1} = \mathbf{v}_{1}^{\top} \mathbf{v}_{0} \\
&\textbf{Learn} \\
&\quad s_{3} = s_{0} - s_{1} \\
&\quad s_{3} = s_{2} \, s_{3} \\
&\quad \mathbf{v}_{2} = s_{3} \, \mathbf{v}_{0} \\
&\quad \mathbf{v}_{1} = \mathbf{v}_{1} + \mathbf{v}_{2}
\end{aligned}
"""


def line(*instructions: Instruction, num_features: int | None = None) -> str:
    """LaTeX of the first of the instructions, which end in one that reads the rest into s1."""
    program = Program(MemorySpec(4, 4, 2), (), instructions, ())
    return to_latex(program, num_features=num_features).splitlines()[3].removeprefix(r"&\quad ").removesuffix(r" \\")


def vector(op: str, *inputs: int, constants: tuple[float, ...] = (), num_features: int | None = None) -> str:
    in1, in2 = (*inputs, None, None)[:2]
    made = Instruction(op, in1, in2, 2, constants)
    return line(made, Instruction("vector_norm", 2, out=1), num_features=num_features)


def matrix(op: str, *inputs: int, constants: tuple[float, ...] = ()) -> str:
    in1, in2 = (*inputs, None, None)[:2]
    return line(Instruction(op, in1, in2, 1, constants), Instruction("matrix_norm", 1, out=1))


def scalar(op: str, *inputs: int, constants: tuple[float, ...] = ()) -> str:
    in1, in2 = (*inputs, None, None)[:2]
    return line(Instruction(op, in1, in2, 1, constants))


def test_a_program_is_an_aligned_environment_without_dead_code() -> None:
    assert to_latex(programs.pad(programs.linear(), {"predict": 3})) == LINEAR


def test_with_vector_labels_other_instructions_matter() -> None:
    text = to_latex(programs.softmax_linear(), num_classes=3)
    assert text.count("quad") == sum(map(len, programs.softmax_linear().components))
    assert r"\mathbf{v}_{3} = \mathbf{v}_{1} - \mathbf{v}_{2}" in text
    assert "quad" not in to_latex(programs.softmax_linear())


def test_operations_read_as_in_mathematics() -> None:
    assert scalar("scalar_division", 2, 3) == r"s_{1} = \frac{s_{2}}{s_{3}}"
    assert scalar("scalar_heaviside", 2) == r"s_{1} = \left[s_{2} \ge 0\right]"
    assert scalar("scalar_const_set", constants=(-1.5e-5,)) == r"s_{1} = -1.5 \times 10^{-5}"
    assert vector("vector_heaviside", 1) == r"\mathbf{v}_{2} = \left[\mathbf{v}_{1} > 0\right]"
    assert vector("vector_product", 1, 3) == r"\mathbf{v}_{2} = \mathbf{v}_{1} \odot \mathbf{v}_{3}"
    assert vector("vector_reciprocal", 1) == r"\mathbf{v}_{2} = 1 \oslash \mathbf{v}_{1}"
    assert vector("scalar_broadcast", 3) == r"\mathbf{v}_{2} = s_{3} \, \mathbf{1}"
    assert vector("matrix_vector_product", 0, 1) == r"\mathbf{v}_{2} = \mathbf{M}_{0} \mathbf{v}_{1}"
    assert (
        vector("matrix_row_st_dev", 0)
        == r"\mathbf{v}_{2} = \operatorname{std}_{\text{rows}}\left(\mathbf{M}_{0}\right)"
    )
    assert matrix("vector_outer_product", 1, 0) == r"\mathbf{M}_{1} = \mathbf{v}_{1} \mathbf{v}_{0}^{\top}"
    assert matrix("vector_column_broadcast", 2) == r"\mathbf{M}_{1} = \mathbf{v}_{2} \mathbf{1}^{\top}"
    assert matrix("matrix_transpose", 0) == r"\mathbf{M}_{1} = \mathbf{M}_{0}^{\top}"


def test_a_draw_is_from_its_distribution() -> None:
    assert vector("vector_gaussian_set", constants=(0.0, 0.5)) == r"\mathbf{v}_{2} \sim \mathcal{N}(0.0, 0.5^{2})^{F}"
    drawn = r"\mathbf{M}_{1} \sim \mathcal{U}(-1.0, 0.5)^{F \times F}"
    assert matrix("matrix_uniform_set", constants=(-1.0, 0.5)) == drawn


def test_an_element_is_a_number_when_that_of_the_features_is_known() -> None:
    constants = (0.5, 2.0)
    assert vector("vector_const_set", constants=constants) == r"\mathbf{v}_{2}[\lfloor 0.5 \, F \rfloor] = 2.0"
    assert vector("vector_const_set", constants=constants, num_features=8) == r"\mathbf{v}_{2}[4] = 2.0"
    with pytest.raises(ValueError, match="num_features is 0: expected a positive integer"):
        to_latex(programs.linear(), num_features=0)


def test_every_op_has_a_line() -> None:
    used = set()
    for seed in range(60):
        program = random_program(seed)
        text = to_latex(program, num_features=3)
        assert "operatorname" not in text.replace(r"\operatorname{mean}", "").replace(r"\operatorname{std}", "")
        used |= {instruction.op for component in program.components for instruction in component}
    assert used == {TABLE[index].name for index in range(NUM_BUILT_IN)}


@pytest.fixture
def user_ops() -> Any:
    kind = RegisterType.SCALAR
    register(Op("scalar_erf", (kind,), kind, "{out} = soft_erf({in1})"), numpy=lambda a: a)
    register(Op("scalar_odd", (kind,), kind, "{out} = {in1} if {in1} else 0"), numpy=lambda a: a)
    yield
    unregister("scalar_odd")
    unregister("scalar_erf")


@pytest.mark.usefixtures("user_ops")
def test_a_user_ops_function_keeps_its_name_and_other_syntax_is_refused() -> None:
    assert scalar("scalar_erf", 2) == r"s_{1} = \operatorname{soft\_erf}\left(s_{2}\right)"
    with pytest.raises(ValueError, match="op 'scalar_odd' cannot be exported: its pseudocode 's1 = s2 if s2 else 0'"):
        scalar("scalar_odd", 2)
