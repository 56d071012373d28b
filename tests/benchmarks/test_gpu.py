from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax", reason="JAX is not installed")

from automl_zero import programs
from automl_zero.instruction import Instruction
from automl_zero.interpreters.jax_lockstep import devices
from automl_zero.memory import MemorySpec
from automl_zero.program import Program
from benchmarks import gpu, gpu_conformance, gpu_speed, roofline, threads

PASSED = {"passed": 3, "failed": 0, "needed": 1.0, "conforms": True, "first_failures": []}
FAILED = {"passed": 1, "failed": 2, "needed": 0.9, "conforms": False, "first_failures": ["random program 7"]}
TIMED = {"evaluations_per_second": 1000.0, "train_steps_per_second": 2000.0}
SMALL = gpu_speed.Case("linear", "linear", 4, 6, 4, {"portable": 2, "pallas": 2}, num_tasks=2, shorter=2)


class Device(SimpleNamespace):
    client = SimpleNamespace(platform_version="cuda 13000\nmore")


@pytest.fixture
def measured(monkeypatch):
    """Nothing is measured or checked in earnest."""
    monkeypatch.setattr(gpu_speed, "SMALL_CASES", (SMALL,))
    monkeypatch.setattr(gpu_speed, "CASES", (SMALL,))
    monkeypatch.setattr(gpu_conformance, "check_ops", lambda path: PASSED)
    monkeypatch.setattr(gpu_conformance, "check_programs", lambda path, evaluate, limit: PASSED)
    monkeypatch.setattr(gpu_conformance, "check_random_programs", lambda evaluate, count: PASSED)
    monkeypatch.setattr(gpu_speed, "measure_cpu", lambda case, cores, seconds: {**TIMED, "threads": cores})
    monkeypatch.setattr(gpu_speed, "measure_jax", lambda case, name, evaluate, rounds: dict(TIMED))
    monkeypatch.setattr(threads, "search_rate", lambda config, workers, seed, seconds: 5000.0)


def with_device(monkeypatch: pytest.MonkeyPatch, **facts: Any) -> None:
    device = Device(**facts)
    monkeypatch.setattr(devices, "choose", lambda: SimpleNamespace(device=device, platform=device.platform))


def test_without_a_gpu_it_says_so_in_a_sentence(capsys, monkeypatch):
    with_device(monkeypatch, platform="cpu", device_kind="cpu")
    assert gpu.main([]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "python -m benchmarks.gpu: JAX finds no GPU here, only CPU; "
        "--cpu tries everything out on the CPU, at a small scale\n"
    )


def test_on_the_cpu_the_portable_interpreter_alone_is_measured(capsys, monkeypatch, measured, tmp_path):
    with_device(monkeypatch, platform="cpu", device_kind="cpu")
    path = tmp_path / "gpu.json"
    assert gpu.main(["--cpu", "--json", "--out", str(path)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert json.loads(path.read_text(encoding="utf-8")) == record
    assert "NVIDIA" in record["kernel_not_used_because"]
    assert {"portable: golden op cases", "portable: golden programs", "portable: random programs"} == set(
        record["conformance"]
    )
    [entry] = record["evaluations"]
    assert entry["portable"]["times_one_core"] == 1.0
    assert entry["roofline"] is None
    assert {search["backend"] for search in record["searches"]} == {"numba", "jax"}


def test_on_a_hopper_gpu_the_kernel_is_measured_against_the_roofline(capsys, monkeypatch, measured):
    with_device(monkeypatch, platform="gpu", device_kind="NVIDIA H100 80GB HBM3", compute_capability="9.0")

    def measure(case, name, evaluate, rounds):
        if name == "pallas":
            raise RuntimeError("out of registers\nmore")
        return dict(TIMED)

    monkeypatch.setattr(gpu_speed, "measure_jax", measure)
    monkeypatch.setattr(gpu_conformance, "check_random_programs", lambda evaluate, count: FAILED)
    assert gpu.main([]) == 1
    printed = capsys.readouterr().out
    assert "pallas: random programs             1 passed, 2 failed" in printed
    assert "random program 7" in printed
    assert "RuntimeError: out of registers" in printed
    assert "bound by shared_memory" in printed
    assert "5,000" in printed


def test_a_batch_is_timed_on_the_device_at_hand_and_scaled_to_the_full_tasks():
    from automl_zero.interpreters.jax_lockstep import evaluate

    def perfect(batch, tasks, shape):
        n, D = batch.code.shape[0], tasks.train_x.shape[0]
        zeros = np.zeros((n, D), np.float32)
        return evaluate.Losses(zeros, zeros, np.full(n, D * tasks.train_x.shape[1], np.int32), None)

    timed = gpu_speed.measure_jax(SMALL, "portable", perfect, rounds=3)
    assert (timed["programs"], timed["num_train"], timed["num_valid"]) == (2, 3, 2)
    assert timed["train_steps_per_second"] * timed["seconds"] == pytest.approx(2 * 2 * 3)
    assert timed["evaluations_per_second"] * timed["seconds"] == pytest.approx(2 * 3 / 6)


def test_the_programs_of_a_case_differ_in_their_constants_alone():
    several = SMALL.programs(5)
    assert len(set(several)) == 5
    assert len({tuple(i.op for component in program.components for i in component) for program in several}) == 1


def test_golden_and_random_programs_are_judged_by_what_an_interpreter_makes_of_them():
    from automl_zero.interpreters.numpy_interpreter import evaluate_program

    def definition(several, tasks):
        return np.array([evaluate_program(program, tasks, "float32") for program in several])

    def wrong(several, tasks):
        return 1 - definition(several, tasks)

    assert gpu_conformance.check_random_programs(definition, 2)["conforms"]
    verdict = gpu_conformance.check_random_programs(wrong, 2)
    assert not verdict["conforms"]
    assert verdict["first_failures"][0].startswith("F=4: random program")
    golden = gpu_conformance.check_programs(gpu.DATA / "golden_programs.json.gz", definition, limit=1)
    assert golden["conforms"]
    assert golden["passed"] >= 5


# -- the roofline ----------------------------------------------------------------------------------------------------


def test_work_counts_live_instructions_once_an_example():
    memory = MemorySpec(3, 2, 1)
    dead = Instruction("matrix_matrix_product", 0, 0, 0)
    dot = Instruction("vector_inner_product", 0, 1, 1)
    axpy = Instruction("vector_sum", 0, 1, 1)
    work = roofline.work_of(Program(memory, (), (dot, dead), (axpy,)), 4, num_tasks=10, num_train=100, num_valid=50)
    assert work.flops == 10 * (150 * 8 + 100 * 4)
    assert work.register_bytes == 10 * 4 * (150 * 9 + 100 * 12 + 150 * 4)


def test_a_matrix_product_needs_two_operations_for_each_of_its_terms():
    square = Instruction("matrix_matrix_product", 0, 0, 0)
    norm = Instruction("matrix_norm", 0, None, 1)
    work = roofline.work_of(Program(MemorySpec(2, 1, 1), (), (square, norm), ()), 16, 1, 1, 0)
    assert work.flops == 2 * 16**3 + 2 * 16**2


def test_the_bound_is_the_lesser_of_two_and_unknown_devices_have_none():
    peak = roofline.peak_of("NVIDIA H100 80GB HBM3")
    assert peak is not None
    assert roofline.peak_of("cpu") is None
    work = roofline.work_of(programs.linear(), 4, 10, 100, 100)
    bound = roofline.bound(work, peak)
    assert bound["bound_by"] == "shared_memory"
    assert bound["evaluations_per_second"] == peak.shared_bytes / work.register_bytes
