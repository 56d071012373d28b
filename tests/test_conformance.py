from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import golden
from benchmarks.conformance import agrees, main

DATA = Path(__file__).parent / "data"
OPS, PROGRAMS = DATA / "golden_ops.json.gz", DATA / "golden_programs.json.gz"
NUMPY = ["--backend", "numpy"]


@pytest.fixture(scope="module")
def op_cases() -> list[golden.OpCase]:
    cases = golden.read(OPS)
    assert isinstance(cases, list)
    return cases


@pytest.fixture(scope="module")
def short_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden programs on the tasks with few examples, as plain JSON."""
    data = json.loads(gzip.decompress(PROGRAMS.read_bytes()))
    data["tasks"] = [task for task in data["tasks"] if len(task["train_y"]) <= 100]
    ids = {task["id"] for task in data["tasks"]}
    for program in data["programs"]:
        program["fitness"] = [entry for entry in program["fitness"] if entry["task"] in ids]
    path: Path = tmp_path_factory.mktemp("golden") / "programs.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def test_the_numpy_backend_agrees_with_the_reference_on_every_op(capsys):
    assert main([str(OPS), *NUMPY]) == 0
    assert last_line(capsys) == "808 passed, 0 failed"


def test_in_float32_special_cases_are_skipped_and_counted(capsys):
    assert main([str(OPS), *NUMPY, "--dtype", "float32"]) == 0
    assert capsys.readouterr().out.splitlines() == ["344 special cases skipped", "464 passed, 0 failed"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_numpy_backend_agrees_with_the_reference_on_programs(short_programs, capsys, dtype):
    assert main([str(short_programs), *NUMPY, "--dtype", dtype]) == 0
    assert last_line(capsys) == "360 passed, 0 failed"


def test_all_deterministic_ops_are_covered(op_cases):
    names = Counter(case.op.name for case in op_cases)
    assert len(names) == 58
    assert min(names.values()) >= 10
    assert {case.num_features for case in op_cases} == {4, 8}


@pytest.mark.parametrize(("dtype", "factor"), [("float64", 1 + 1e-10), ("float32", 1 + 1e-3)])
def test_a_small_error_in_any_op_is_noticed(op_cases, dtype, factor):
    caught = {case.op.name for case in op_cases if not agrees(case, case.expected * factor, dtype)}
    assert caught == {case.op.name for case in op_cases}


def test_a_non_finite_number_in_the_place_of_another_is_noticed(op_cases):
    special = [case for case in op_cases if not np.isfinite(case.expected).all()]
    assert len(special) > 50
    for case in special:
        assert agrees(case, case.expected, "float64")
        for wrong in (1.0, np.nan, np.inf, -np.inf):
            other = np.where(np.isfinite(case.expected), case.expected, wrong)
            same = np.array_equal(other, case.expected, equal_nan=True)
            # A standard deviation may be NaN by round-off, but only where its terms are finite.
            assert agrees(case, other, "float64") == same


def test_cancellation_is_judged_by_the_size_of_the_terms(op_cases):
    case = next(case for case in op_cases if case.op.name == "vector_inner_product" and case.num_features == 4)
    terms = (np.array([1e8, 1.0, 0.0, 0.0]), np.array([1.0, 1.0, 0.0, 0.0]))
    cancelling = replace(case, operands=terms, expected=np.array(1.0))
    assert agrees(cancelling, np.array(1.0 + 1e-5), "float64")
    assert not agrees(cancelling, np.array(1.0 + 1e-3), "float64")


def test_failures_are_listed_and_counted(capsys, tmp_path):
    wrong = json.loads(gzip.decompress(OPS.read_bytes()))
    scalar = [record for record in wrong if "s_after" in record][:29]
    for record in scalar:
        record["s_after"] = 1234.5
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(wrong), encoding="utf-8")
    assert main([str(path), *NUMPY]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("case 0: scalar_sum: expected 1234.5, got ")
    assert lines[-2:] == ["... and 9 more", "779 passed, 29 failed"]


@pytest.mark.parametrize(("changed", "status"), [(3, 0), (4, 1)])
def test_one_percent_of_the_programs_may_drift(short_programs, capsys, tmp_path, changed, status):
    data = json.loads(short_programs.read_text(encoding="utf-8"))
    for program in data["programs"][:changed]:
        program["fitness"][0]["fitness"] += 2e-6
    path = tmp_path / "drifting.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert main([str(path), *NUMPY]) == status
    assert last_line(capsys) == f"{360 - changed} passed, {changed} failed"


def test_other_sizes_and_other_tasks_can_be_checked(capsys, tmp_path):
    case = {
        "F": 3,
        "special": False,
        "instruction": {"op": 27, "in1": 1, "in2": 1, "out": 1, "act": 0, "f": [0, 0, 0]},
        "scalars": [0.0, 5.0],
        "v_in1": [1.0, 2.0, 3.0],
        "v_in2": [1.0, 2.0, 3.0],
        "s_after": 14.0,
    }
    path = tmp_path / "one.json"
    path.write_text(json.dumps([case]), encoding="utf-8")
    assert main([str(path), *NUMPY]) == 0
    assert last_line(capsys) == "1 passed, 0 failed"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not a JSON file"),
        (b"\x1f\x8bxx", "cannot be read"),
        (b"3", "expected a list of op cases, or an object"),
        (b"[]", "expected a list of op cases, or an object"),
        (b"[3]", "case 0: a value of the wrong type"),
        (b"[{}]", "case 0: 'instruction' is missing"),
        (b'[{"instruction": {"op": 99}}]', "case 0: op is 99: expected an id from 0 to 64"),
        (b'[{"instruction": {"op": 0, "f": []}}]', "case 0: op no_op has no output that could be compared"),
        (b"{}", "memory: 'scalar_addresses' is missing"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(capsys, tmp_path, content, message):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    assert main([str(path), *NUMPY]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"bad.json: {message}" in line


def test_a_missing_file_is_refused(capsys, tmp_path):
    assert main([str(tmp_path / "none.json")]) == 2
    assert "none.json: cannot be read" in capsys.readouterr().err


def test_a_register_of_the_wrong_size_is_refused(capsys, tmp_path, op_cases):
    record = json.loads(gzip.decompress(OPS.read_bytes()))[-1]
    path = tmp_path / "size.json"
    path.write_text(json.dumps([record | {"F": 5}]), encoding="utf-8")
    assert main([str(path), *NUMPY]) == 2
    assert "case 0: a matrix register holds" in capsys.readouterr().err


def test_a_backend_whose_library_is_missing_is_refused(short_programs, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    for path in (OPS, short_programs):
        assert main([str(path), "--backend", "jax"]) == 2
        assert "backend 'jax' needs the library jax" in capsys.readouterr().err
