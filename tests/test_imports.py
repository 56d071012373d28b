"""Start-up stays quick, because nothing heavy is imported before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import automl_zero
from automl_zero.cli.group import COMMANDS

HEAVY = {"jax", "llvmlite", "matplotlib", "numba", "pandas", "pydantic", "scipy", "sklearn"}


def modules_after(code: str) -> set[str]:
    """Top-level modules that a new Python has loaded after running the code."""
    report = "import sys; print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "code",
    [
        "import automl_zero",
        "import automl_zero; automl_zero.Program; automl_zero.programs.linear(); automl_zero.tasks; automl_zero.ops",
        "from automl_zero.cli import main\nmain(['--help'], standalone_mode=False)",
        "from automl_zero.cli import main\nmain(['presets'], standalone_mode=False)",
        "from automl_zero.cli import main\nmain(['ops', '--json'], standalone_mode=False)",
        *(
            f"from automl_zero.cli import main\nmain(['{command}', '--help'], standalone_mode=False)"
            for command in COMMANDS
        ),
    ],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    loaded = modules_after(code)
    assert "automl_zero" in loaded
    assert loaded & HEAVY == set()


def test_the_guard_sees_heavy_imports() -> None:
    assert "pydantic" in modules_after("import automl_zero; automl_zero.ExperimentConfig")


@pytest.mark.parametrize("name", automl_zero.__all__)
def test_public_names_load_on_use_and_are_listed(name: str) -> None:
    assert getattr(automl_zero, name) is not None
    assert name in dir(automl_zero)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="evolv"):
        automl_zero.evolv  # noqa: B018
