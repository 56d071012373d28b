"""The table of ops is the paper's (Table S1), and what is derived from it agrees with it."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from automl_zero.ops import NUM_BUILT_IN, TABLE, ConstantKind, Op, OpTable, RegisterType
from automl_zero.ops.arrays import op_arrays
from automl_zero.ops.table import MAX_OPS

# By the paper's ids: name and types.
EXPECTED = """
no_op:-  scalar_sum:s,s->s  scalar_diff:s,s->s  scalar_product:s,s->s  scalar_division:s,s->s  scalar_abs:s->s
scalar_reciprocal:s->s  scalar_sin:s->s  scalar_cos:s->s  scalar_tan:s->s  scalar_arcsin:s->s  scalar_arccos:s->s
scalar_arctan:s->s  scalar_exp:s->s  scalar_log:s->s  scalar_heaviside:s->s  vector_heaviside:v->v
matrix_heaviside:m->m  scalar_vector_product:s,v->v  scalar_broadcast:s->v  vector_reciprocal:v->v  vector_norm:v->s
vector_abs:v->v  vector_sum:v,v->v  vector_diff:v,v->v  vector_product:v,v->v  vector_division:v,v->v
vector_inner_product:v,v->s  vector_outer_product:v,v->m  scalar_matrix_product:s,m->m  matrix_reciprocal:m->m
matrix_vector_product:m,v->v  vector_column_broadcast:v->m  vector_row_broadcast:v->m  matrix_norm:m->s
matrix_column_norm:m->v  matrix_row_norm:m->v  matrix_transpose:m->m  matrix_abs:m->m  matrix_sum:m,m->m
matrix_diff:m,m->m  matrix_product:m,m->m  matrix_division:m,m->m  matrix_matrix_product:m,m->m  scalar_min:s,s->s
vector_min:v,v->v  matrix_min:m,m->m  scalar_max:s,s->s  vector_max:v,v->v  matrix_max:m,m->m  vector_mean:v->s
matrix_mean:m->s  matrix_row_mean:m->v  matrix_row_st_dev:m->v  vector_st_dev:v->s  matrix_st_dev:m->s
scalar_const_set:->s  vector_const_set:->v  matrix_const_set:->m  scalar_uniform_set:->s  vector_uniform_set:->v
matrix_uniform_set:->m  scalar_gaussian_set:->s  vector_gaussian_set:->v  matrix_gaussian_set:->m
"""
SCALAR = RegisterType.SCALAR
VALUE, INDEX, ST_DEV, BOUND = ConstantKind
COSTS = (  # of the reference, in 1e6 units
    "3.01 4.70 5.10 4.42 3.96 3.68 4.21 7.54 7.45 7.58 9.15 7.67 9.27 11.76 11.63 4.06 3.97 6.73 3.71 4.17 6.31 4.81 "
    "3.71 4.70 4.17 4.50 4.56 4.29 9.83 5.99 24.34 9.31 10.99 11.09 6.42 6.68 13.35 9.39 4.63 5.58 5.43 5.48 18.23 "
    "14.52 3.68 3.99 5.46 4.57 3.97 5.84 4.28 4.60 9.76 16.77 5.59 10.64 3.69 3.99 3.69 26.61 57.82 208.34 20.78 "
    "77.48 277.69"
)


def test_the_built_in_ops_are_those_of_the_paper_in_its_order():
    expected = [entry.split(":") for entry in EXPECTED.split()]
    assert [name for name, _ in expected] == [op.name for op in TABLE]
    assert len(TABLE) == NUM_BUILT_IN == 65
    assert [op.id for op in TABLE] == list(range(65))
    assert [op.signature for op in TABLE] == [types for _, types in expected]
    for op in TABLE:
        letters = "svm"
        operands, _, output = op.signature.partition("->")
        assert [letters[kind - 1] for kind in op.inputs] == [letter for letter in operands if letter in letters]
        assert output == (letters[op.output - 1] if op.output else "")


def test_the_costs_are_those_of_the_reference():
    assert [op.static_cost for op in TABLE] == [float(cost) for cost in COSTS.split()]


def test_constants_have_the_kinds_that_decide_how_they_are_drawn():
    kinds = {op.name: tuple(kind for _, kind in op.constants) for op in TABLE if op.constants}
    assert kinds == {
        "scalar_const_set": (VALUE,),
        "vector_const_set": (INDEX, VALUE),
        "matrix_const_set": (INDEX, INDEX, VALUE),
        **dict.fromkeys((f"{kind}_uniform_set" for kind in ("scalar", "vector", "matrix")), (BOUND, BOUND)),
        **dict.fromkeys((f"{kind}_gaussian_set" for kind in ("scalar", "vector", "matrix")), (VALUE, ST_DEV)),
    }


def test_traits_mark_the_ops_that_need_them():
    def names(trait: str) -> set[str]:
        return {op.name for op in TABLE if getattr(op, trait)}

    assert names("commutative") == {
        *(f"{kind}_{op}" for kind in ("scalar", "vector", "matrix") for op in ("sum", "product")),
        "vector_inner_product",
    }
    assert names("partial_write") == {"vector_const_set", "matrix_const_set"}
    assert names("random") == {f"{k}_{d}_set" for k in ("scalar", "vector", "matrix") for d in ("uniform", "gaussian")}
    assert {op.name for op in TABLE if not op.rounds_constants} == {"scalar_const_set"}


def test_pseudocode_uses_every_operand_and_constant():
    for op in TABLE:
        fields = set(re.findall(r"{(\w+)}", op.pseudocode))
        used = [f"in{i + 1}" for i in range(len(op.inputs))] + [f"c{i}" for i in range(len(op.constants))]
        assert fields == {*used, *(["out"] if op.output else [])}


def test_an_elementwise_op_has_one_type():
    for op in TABLE:
        if op.elementwise:
            assert {*op.inputs} == {op.output}


def test_an_op_is_found_by_id_and_by_name():
    assert TABLE[27] is TABLE["vector_inner_product"]
    assert "matrix_min" in TABLE
    assert "matrix_mim" not in TABLE
    with pytest.raises(ValueError, match="unknown op 'matrix_mim'"):
        TABLE["matrix_mim"]


def test_the_arrays_for_compiled_code_say_the_same():
    arrays = op_arrays()
    for op in TABLE:
        assert [kind for kind in arrays.inputs[op.id] if kind] == list(op.inputs)
        assert arrays.output[op.id] == op.output
        assert arrays.num_constants[op.id] == len(op.constants)
        assert arrays.kinds[op.id, : len(op.constants)].tolist() == [kind for _, kind in op.constants]
        traits = (op.commutative, op.partial_write, op.random, op.rounds_constants)
        assert tuple(array[op.id] for array in arrays[4:]) == traits
    assert {array.shape[0] for array in arrays} == {len(TABLE)}
    assert all(array.dtype == np.uint8 for array in arrays)


def some_op(**changes: object) -> Op:
    return dataclasses.replace(Op("mine", (SCALAR,), SCALAR, "{out} = mine({in1})"), **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Mine"}, "op name 'Mine': expected lower-case letters, digits and underscores"),
        ({"name": "2mine"}, "op name '2mine'"),
        ({"name": "mine\n"}, "op name"),
        ({"inputs": (SCALAR,) * 3}, "at most 2 inputs and 3 constants"),
        ({"inputs": (), "constants": (("c", VALUE),) * 4}, "at most 2 inputs and 3 constants"),
        ({"constants": (("c", VALUE),)}, "an op has either inputs or constants"),
    ],
)
def test_an_unusable_record_is_refused(changes, message):
    table = OpTable()
    with pytest.raises(ValueError, match=re.escape(message)):
        table.add(some_op(**changes))
    assert len(table) == 0


def test_names_are_unique_and_ids_fit_a_byte():
    table = OpTable()
    for number in range(MAX_OPS):
        assert table.add(some_op(name=f"op_{number}")).id == number
    with pytest.raises(ValueError, match="op 'one_more': the table is full"):
        table.add(some_op(name="one_more"))
    table = OpTable()
    table.add(some_op())
    with pytest.raises(ValueError, match="op 'mine' exists already"):
        table.add(some_op())
    assert len(table) == 1


def test_only_the_last_op_can_be_removed_and_only_a_user_op():
    table = OpTable()
    table.add(some_op(name="first"), {"numpy": abs})
    table.add(some_op(name="second"), {"numpy": abs})
    with pytest.raises(ValueError, match="op 'first': only the user op that was registered last can be removed"):
        table.remove("first")
    table.remove("second")
    table.remove("first")
    assert (len(table), table.bodies) == (0, {"numpy": {}})
    with pytest.raises(ValueError, match="can be removed"):
        table.remove("first")
    with pytest.raises(ValueError, match="can be removed"):
        TABLE.remove("matrix_gaussian_set")
    assert len(TABLE) == NUM_BUILT_IN
