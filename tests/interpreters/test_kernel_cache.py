"""Compiled code is kept on disk, found again by the next process, and never stale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import automl_zero
from automl_zero import jit, machine_code
from automl_zero.interpreters import kernel, kernel_code
from automl_zero.interpreters.kernel import get_kernel
from automl_zero.interpreters.numba_interpreter import execute
from automl_zero.ops import TABLE, Op, RegisterType, register, unregister

PACKAGE = Path(automl_zero.__file__).parent
SCALAR, VECTOR = RegisterType.SCALAR, RegisterType.VECTOR


def run(code: str, cache: Path, path: Path = PACKAGE.parent) -> list[str]:
    """The words that a new process prints, with its own cache directory and the package from some folder."""
    environment = {**os.environ, "AUTOML_ZERO_CACHE": str(cache), "PYTHONPATH": str(path)}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment, cwd=cache.anchor, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


class FewOps:
    """The first ops of the table and all user ops, for kernels that are compiled in no time."""

    def __iter__(self) -> Iterator[Op]:
        return (op for op in TABLE if op.id <= TABLE["scalar_abs"].id or op.source == "user")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache directory, no kernels in memory, and kernels of few ops."""
    monkeypatch.setenv("AUTOML_ZERO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kernel, "_kernels", {})
    monkeypatch.setattr(kernel_code, "TABLE", FewOps())
    return tmp_path / "cache"


def files(cache: Path) -> list[Path]:
    return sorted((cache / "kernels").glob("*"))


def compute(name: str, *operands: float) -> float:
    """An op on scalars, by the kernel of 16 lanes and one feature."""
    in1, in2 = (*operands, None)[:2]
    return float(execute(TABLE[name], (), 1, in1, in2, 0.0, "float32"))


KERNEL = """
from automl_zero.interpreters.kernel import get_kernel
from automl_zero.interpreters.numba_interpreter import execute
from automl_zero.ops import TABLE
print(get_kernel(16, 1, "float32").compile_seconds, execute(TABLE["scalar_sum"], (), 1, 2.0, 3.0, 0.0, "float32"))
"""


def test_a_second_process_loads_the_kernel_and_compiles_nothing(tmp_path):
    seconds, result = run(KERNEL, tmp_path)
    assert float(seconds) > 0
    assert result == "5.0"
    assert len(files(tmp_path)) == 1
    stored = files(tmp_path)[0].read_bytes()
    assert run(KERNEL, tmp_path) == ["0.0", "5.0"]
    assert [file.read_bytes() for file in files(tmp_path)] == [stored]


def test_a_kernel_is_made_once_and_who_asks_is_told(cache):
    told: list[tuple[str, bool]] = []

    def observe(description: str, seconds: float | None) -> None:
        told.append((description, seconds is not None and seconds > 0))

    with ThreadPoolExecutor(4) as pool:
        kernels = list(pool.map(lambda _: get_kernel(16, 1, "float32", observe), range(4)))
    assert len({id(one) for one in kernels}) == 1
    assert told == [("float32, 16 lanes, F = 1", False), ("float32, 16 lanes, F = 1", True)]
    kernel._kernels.clear()
    assert get_kernel(16, 1, "float32", observe).compile_seconds == 0.0
    assert len(told) == 2


def test_other_lanes_features_and_types_are_other_files(cache):
    made = [get_kernel(*key) for key in ((8, 1, "float32"), (16, 1, "float32"), (8, 3, "float32"), (8, 1, "float64"))]
    assert len(files(cache)) == 4
    assert len({one.address for one in made}) == 4


@pytest.fixture
def user_ops() -> Iterator[None]:
    known = len(TABLE)
    yield
    while len(TABLE) > known:
        unregister(TABLE[len(TABLE) - 1].name)


def test_a_registered_op_gets_a_kernel_of_its_own(cache, user_ops):
    plain = get_kernel(16, 1, "float32")
    register(Op("scalar_root", (SCALAR,), SCALAR, "{out} = sqrt({in1})"), numba=lambda c, x: c.sqrt(x))
    assert compute("scalar_root", 9.0) == 3.0
    assert len(files(cache)) == 2
    unregister("scalar_root")
    assert get_kernel(16, 1, "float32") is plain


def test_an_op_registered_anew_under_the_same_name_does_what_it_does_now(cache, user_ops):
    for body, expected in (("c.sqrt(x)", 3.0), ("c.abs(x)", 9.0), ("c.mul(x, x)", 81.0)):
        register(Op("scalar_other", (SCALAR,), SCALAR, "{out} = other({in1})"), numba=eval(f"lambda c, x: {body}"))
        assert compute("scalar_other", 9.0) == expected
        unregister("scalar_other")


def test_an_op_registered_anew_for_other_types_is_compiled_for_them(cache, user_ops):
    def body(c, x):
        return c.mul(x, x)

    op = register(Op("square", (SCALAR,), SCALAR, "{out} = {in1} ** 2"), numba=body)
    assert execute(op, (), 2, 3.0, None, 0.0, "float32") == 9.0
    unregister("square")
    op = register(Op("square", (VECTOR,), VECTOR, "{out} = {in1} ** 2"), numba=body)
    assert execute(op, (), 2, [3.0, 4.0], None, [0.0, 0.0], "float32").tolist() == [9.0, 16.0]


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped"])
def test_a_damaged_file_is_compiled_anew(cache, damage):
    get_kernel(16, 1, "float32")
    (file,) = files(cache)
    good = file.read_bytes()
    middle = len(good) // 2
    flipped = good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :]
    file.write_bytes({"empty": b"", "cut": good[:-100], "flipped": flipped}[damage])
    kernel._kernels.clear()
    assert get_kernel(16, 1, "float32").compile_seconds > 0
    assert compute("scalar_sum", 2.0, 3.0) == 5.0
    assert file.read_bytes() == good
    kernel._kernels.clear()
    assert get_kernel(16, 1, "float32").compile_seconds == 0.0


def test_a_kernel_does_without_a_cache_that_cannot_be_written(cache, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("AUTOML_ZERO_CACHE", str(tmp_path / "file" / "cache"))
    assert get_kernel(16, 1, "float32").compile_seconds > 0
    assert compute("scalar_sum", 2.0, 3.0) == 5.0
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# -- functions compiled by Numba -------------------------------------------------------------------------------------

PROBE = """
import sys
import numpy as np
from automl_zero.evolution.random_numbers import next_bits
from automl_zero.jit import entry_point

@entry_point
def draw(state):
    return np.int64(next_bits(state) >> np.uint64(8))

print(draw(np.arange(1, 5, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)), "numba" in sys.modules)
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package that may be edited."""
    shutil.copytree(PACKAGE, tmp_path / "copy" / "automl_zero", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "copy" / "probe.py").write_text(PROBE, encoding="utf-8")
    return tmp_path / "copy"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_second_process_does_without_numba_until_a_helper_in_another_file_changes(tmp_path, copy):
    cache = tmp_path / "cache"
    value, compiled = run("import probe", cache, copy)
    assert compiled == "True"
    assert run("import probe", cache, copy) == [value, "False"]
    edit(copy / "automl_zero/evolution/random_numbers.py", "<< np.uint64(23)", "<< np.uint64(22)")
    changed, compiled = run("import probe", cache, copy)
    assert changed != value
    assert compiled == "True"
    assert len(list((cache / "engine").iterdir())) == 2


def test_a_kernel_is_compiled_anew_when_its_sources_change(tmp_path, copy):
    assert run(KERNEL, tmp_path, copy)[1] == "5.0"
    edit(
        copy / "automl_zero/interpreters/lane_bodies.py",
        '"sum": lambda c, x, y: c.add(x, y)',
        '"sum": lambda c, x, y: c.mul(x, y)',
    )
    seconds, result = run(KERNEL, tmp_path, copy)
    assert float(seconds) > 0
    assert result == "6.0"
    assert len(files(tmp_path)) == 2


def test_functions_do_without_a_cache_that_cannot_be_written(tmp_path, copy):
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    before = set(tmp_path.iterdir())
    assert run("import probe", tmp_path / "file" / "cache", copy)[1] == "True"
    assert set(tmp_path.iterdir()) == before


@pytest.fixture
def directory(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Where the functions of the copy go, found out anew with every call."""
    for module in (jit, machine_code):
        monkeypatch.setattr(module, "__file__", str(copy / "automl_zero" / f"{module.__name__.rpartition('.')[2]}.py"))
    monkeypatch.setattr(machine_code, "sources_digest", machine_code.sources_digest.__wrapped__)
    monkeypatch.setattr(jit, "_sources_of", jit._sources_of.__wrapped__)
    return lambda: jit.compiled_directory(str(copy / "automl_zero" / "evolution" / "engine.py"))


@pytest.mark.parametrize(
    ("file", "matters"),
    [
        ("jit.py", True),
        ("machine_code.py", True),
        ("memory.py", True),
        ("ops/table.py", True),
        ("analysis/compiled.py", True),
        ("analysis/names.py", False),
        ("interpreters/record.py", True),
        ("evolution/engine.py", True),
        ("evolution/run.py", False),
        ("cli/group.py", False),
        ("tasks/digits.py", False),
    ],
)
def test_the_directory_of_compiled_functions_is_named_by_the_sources(copy, directory, file, matters):
    before = directory()
    assert directory() == before
    with (copy / "automl_zero" / file).open("a", encoding="utf-8") as source:
        source.write("# a change\n")
    assert (directory() != before) == matters


def test_the_directory_of_compiled_functions_is_named_by_the_versions_and_the_processor(directory, monkeypatch):
    before = directory()
    for target, name, value in (
        (jit, "version", lambda library: "0.0"),
        (jit.np, "__version__", "0.0"),
        (machine_code.llvmlite, "__version__", "0.0"),
        (machine_code.llvm, "get_host_cpu_name", lambda: "z80"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(target, name, value)
            assert directory() != before
        assert directory() == before


def test_functions_of_other_files_are_named_by_these_too(directory, tmp_path):
    assert jit.compiled_directory(__file__) != directory()
