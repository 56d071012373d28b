"""Experiment configurations that come with the package, as commented TOML files in this folder."""

from __future__ import annotations

from importlib import resources
from itertools import takewhile

from automl_zero.suggest import did_you_mean


def preset_names() -> list[str]:
    """Names of the presets, sorted."""
    suffix = ".toml"
    files = (entry.name for entry in resources.files(__package__).iterdir())
    return sorted(name.removesuffix(suffix) for name in files if name.endswith(suffix))


def preset_text(name: str) -> str:
    """TOML text of a preset, comments included.

    Raises:
        ValueError: there is no such preset.
    """
    names = preset_names()
    if name not in names:
        raise ValueError(f"unknown preset {name!r}{did_you_mean(name, names)}; presets are {', '.join(names)}")
    return resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def preset_summary(name: str) -> str:
    """The first sentence of a preset's opening comment."""
    comment = takewhile(lambda line: line.startswith("# "), preset_text(name).splitlines())
    text = " ".join(line.removeprefix("# ") for line in comment)
    return text.partition(". ")[0].removesuffix(".") + "."
