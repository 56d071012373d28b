from __future__ import annotations

import ast
import json
import re
import struct

import pytest

from automl_zero import programs
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE
from automl_zero.program import COMPONENTS, Instruction, Program

MEMORY = MemorySpec(4, 3, 1)
LINEAR_TEXT = """\
def Setup():
    s2 = 0.01
def Predict():  # v0 = features; s1 = prediction
    s1 = dot(v1, v0)
def Learn():  # v0 = features; s0 = label
    s3 = s0 - s1
    s3 = s2 * s3
    v2 = s3 * v0
    v1 = v1 + v2"""


def record(**changes: object) -> dict[str, object]:
    """A valid program file, with some keys changed."""
    base = {
        "format": "automl-zero-program/1",
        "memory": {"scalars": 4, "vectors": 3, "matrices": 1},
        "setup": [{"op": "scalar_const_set", "out": 2, "constants": [0.01]}],
        "predict": [{"op": "vector_inner_product", "in1": 0, "in2": 1, "out": 1}],
        "learn": [],
    }
    return base | changes


def every_op() -> Program:
    """A program in which each op occurs once."""
    generator_memory = MemorySpec(5, 4, 3)
    names = [op.name for op in TABLE]
    drawn = [programs.random(generator_memory, {"learn": [name]}, {"learn": 1}, seed=i) for i, name in enumerate(names)]
    return Program(generator_memory, (), (), tuple(program.learn[0] for program in drawn))


def test_a_program_file_is_read():
    program = Program.from_json(json.dumps(record()))
    assert program.memory == MEMORY
    assert program.setup == (Instruction("scalar_const_set", out=2, constants=(0.01,)),)
    assert program.predict == (Instruction("vector_inner_product", in1=0, in2=1, out=1),)
    assert program.learn == ()


def test_text_and_dict_give_the_same_program():
    assert Program.from_json(record()) == Program.from_json(json.dumps(record()))


def test_every_op_survives_a_round_trip_through_json():
    program = every_op()
    assert Program.from_json(program.to_json()) == program
    assert json.loads(program.to_json()) == program.to_dict()


def test_an_instruction_is_written_with_exactly_the_keys_that_its_op_uses():
    for instruction in every_op().learn:
        op = instruction.spec
        wanted = ["op", *("in1", "in2")[: len(op.inputs)]]
        wanted += ["out"] * (op.name != "no_op") + ["constants"] * bool(op.constants)
        assert list(instruction.to_dict()) == wanted


def test_a_saved_program_is_loaded_again(tmp_path):
    programs.neural_net().save(tmp_path / "net.json")
    assert Program.load(tmp_path / "net.json") == programs.neural_net()


def test_loading_a_malformed_file_names_the_file(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"broken\.json is not JSON; it may have been cut off: "):
        Program.load(path)


def test_equal_programs_have_equal_hashes():
    assert hash(programs.linear(0.5)) == hash(programs.linear(0.5))
    assert programs.linear(0.5) != programs.linear(0.25)


def test_programs_that_differ_in_the_sign_of_a_zero_are_different():
    positive, negative = (Instruction("scalar_const_set", out=1, constants=(zero,)) for zero in (0.0, -0.0))
    assert positive != negative


def test_constants_are_rounded_to_float32_but_the_scalar_constant_stays_double():
    single = struct.unpack("f", struct.pack("f", 0.1))[0]
    assert Instruction("vector_const_set", out=1, constants=(0.1, 0.1)).constants == (single, single)
    assert Instruction("scalar_uniform_set", out=1, constants=(0.1, 1)).constants == (single, 1.0)
    assert Instruction("scalar_const_set", out=1, constants=(0.1,)).constants == (0.1,)


def test_an_index_fraction_stays_below_one_when_it_is_rounded():
    (fraction, _) = Instruction("vector_const_set", out=1, constants=(1 - 1e-12, 0.0)).constants
    assert int(1000 * fraction) == 999


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other/1"}, "format: 'other/1' is not supported"),
        ({"extra": 1}, "program: unknown key 'extra'"),
        ({"memory": {"scalars": 4, "vectors": 3}}, "memory: key 'matrices' is missing"),
        ({"memory": {"scalars": 4, "vectors": 3, "matrices": 21}}, "memory.matrices is 21"),
        ({"memory": {"scalars": 4.5, "vectors": 3, "matrices": 1}}, "memory.scalars is 4.5"),
        ({"learn": None}, "learn: expected a list"),
        ({"learn": [3]}, "learn[0]: expected an object"),
        ({"learn": [{}]}, "learn[0]: key 'op' is missing"),
        ({"learn": [{"op": 7}]}, "learn[0].op: 7 is not the name of an op"),
        ({"learn": [{"op": "scalar_som"}]}, "learn[0].op: unknown op 'scalar_som' (did you mean scalar_sum?)"),
        ({"learn": [{"op": "no_op", "act": 1}]}, "learn[0]: unknown key 'act'"),
        ({"learn": [{"op": "no_op", "out": 1}]}, "learn[0].out: no_op (-) takes none"),
        ({"learn": [{"op": "no_op", "out": None}]}, "learn[0].out: no_op does not use it"),
        ({"learn": [{"op": "no_op", "constants": []}]}, "learn[0].constants: no_op does not use it"),
        ({"learn": [{"op": "scalar_abs", "in1": 1}]}, "learn[0].out: missing"),
        ({"learn": [{"op": "scalar_abs", "in1": 1.0, "out": 2}]}, "learn[0].in1: 1.0 is not an integer"),
        ({"learn": [{"op": "scalar_abs", "in1": True, "out": 2}]}, "learn[0].in1: True is not an integer"),
        ({"learn": [{"op": "scalar_abs", "in1": -1, "out": 2}]}, "learn[0].in1: -1 is negative"),
        (
            {"learn": [{"op": "scalar_abs", "in1": 9, "out": 2}]},
            "learn[0].in1: register s9 is out of range (4 scalars)",
        ),
        ({"learn": [{"op": "scalar_abs", "in1": 1, "out": 0}]}, "learn[0].out: s0 is the label"),
        ({"learn": [{"op": "vector_abs", "in1": 1, "out": 0}]}, "learn[0].out: v0 holds the features"),
        (
            {"learn": [{"op": "scalar_const_set", "out": 1, "constants": [1, 2]}]},
            "learn[0].constants: scalar_const_set",
        ),
        ({"learn": [{"op": "scalar_const_set", "out": 1, "constants": ["1"]}]}, "learn[0].constants[0]: '1' is not"),
        ({"learn": [{"op": "scalar_const_set", "out": 1, "constants": 1}]}, "learn[0].constants: 1 is not a list"),
        ({"learn": [{"op": "scalar_const_set", "out": 1, "constants": [1e999]}]}, "learn[0].constants[0]: inf is not"),
        ({"learn": [{"op": "scalar_const_set", "out": 1, "constants": [10**400]}]}, "is too large"),
        (
            {"learn": [{"op": "scalar_uniform_set", "out": 1, "constants": [0, 1e39]}]},
            "constants[1]: 1e+39 is too large",
        ),
        ({"learn": [{"op": "vector_const_set", "out": 1, "constants": [1, 0]}]}, "constants[0]: 1 is not in [0, 1)"),
    ],
)
def test_a_malformed_program_is_refused_with_the_place(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Program.from_json(record(**changes))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "program: expected an object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"format": 1, "format": 1}', "key 'format' appears twice"),
        ('{"format": NaN}', "NaN is not a finite number"),
        ('{"format": -Infinity}', "-Infinity is not a finite number"),
    ],
)
def test_malformed_text_is_refused(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Program.from_json(text)


def test_something_that_is_not_json_is_a_type_error():
    with pytest.raises(TypeError, match="expected JSON text or a dict, got int"):
        Program.from_json(3)  # type: ignore[arg-type]


def test_wrong_types_are_refused_by_the_constructors():
    with pytest.raises(TypeError, match=r"in1: '1' is not an integer"):
        Instruction("scalar_abs", in1="1", out=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"predict\[0\]: 'no_op' is not an Instruction"):
        Program(MEMORY, (), ("no_op",), ())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"memory: \(4, 3, 1\) is not a MemorySpec"):
        Program((4, 3, 1), (), (), ())  # type: ignore[arg-type]


def test_pseudocode_is_written_as_in_the_paper():
    assert str(programs.linear()) == LINEAR_TEXT


def test_the_pseudocode_of_every_op_is_valid_python():
    functions = ast.parse(str(every_op())).body
    assert [function.name for function in functions] == ["Setup", "Predict", "Learn"]
    assert len(functions[2].body) == len(TABLE) - 1  # all but no_op


def test_an_empty_component_and_one_of_no_ops_read_pass():
    program = Program(MEMORY, (), (Instruction("no_op"),), ())
    assert [line for line in str(program).splitlines() if not line.startswith("def")] == ["    pass"] * 3


def test_constants_are_printed_as_the_shortest_text_in_their_precision():
    constants = [("scalar_const_set", (0.1,)), ("scalar_const_set", (1 / 3,)), ("scalar_uniform_set", (-0.1, 1e-7))]
    learn = tuple(Instruction(op, out=1, constants=values) for op, values in constants)
    lines = Program(MEMORY, (), (), learn).pseudocode().splitlines()[-3:]
    assert lines == ["    s1 = 0.1", "    s1 = 0.3333333333333333", "    s1 = uniform(-0.1, 1e-07)"]


def test_index_constants_are_elements_when_the_number_of_features_is_known():
    program = Program(MEMORY, (), (), (Instruction("matrix_const_set", out=0, constants=(0.25, 0.7, 2.0)),))
    assert program.pseudocode().endswith("m0[int(0.25*F), int(0.7*F)] = 2.0")
    # The float32 next to 0.7 is below 0.7.
    assert program.pseudocode(num_features=10).endswith("m0[2, 6] = 2.0")
    with pytest.raises(ValueError, match="num_features is 0"):
        program.pseudocode(num_features=0)


def test_components_come_in_the_order_of_their_names():
    program = programs.neural_net()
    assert program.components == tuple(getattr(program, name) for name in COMPONENTS)
