"""Experiment configurations that come with the package, as commented TOML files in this folder.

Presets named for an experiment of the paper have the paper's scale there and, in the folder ``small``, a version that
takes minutes on two cores, on data that need no download.
"""

from __future__ import annotations

from importlib import resources
from itertools import takewhile

from automl_zero.suggest import did_you_mean

FULL, SMALL = "full", "small"
SCALES = (SMALL, FULL)

_SUFFIX = ".toml"
_FOLDERS = {FULL: __name__, SMALL: f"{__name__}.small"}


def preset_names(scale: str = FULL) -> list[str]:
    """Names of the presets that have a version of a scale, sorted; all have one of scale "full".

    Raises:
        ValueError: there is no such scale.
    """
    if scale not in SCALES:
        raise ValueError(f"unknown scale {scale!r}{did_you_mean(scale, SCALES)}; scales are {', '.join(SCALES)}")
    files = (entry.name for entry in resources.files(_FOLDERS[scale]).iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX))


def preset_scales(name: str) -> list[str]:
    """The scales that a preset comes in, the smallest first."""
    return [scale for scale in SCALES if name in preset_names(scale)]


def preset_text(name: str, scale: str = FULL) -> str:
    """TOML text of a preset, comments included.

    Args:
        name: name of the preset.
        scale: "full", or "small" for the version that takes minutes on two cores.

    Raises:
        ValueError: there is no such preset or scale, or the preset has no such version.
    """
    names, at_scale = preset_names(), preset_names(scale)
    if name not in names:
        raise ValueError(f"unknown preset {name!r}{did_you_mean(name, names)}; presets are {', '.join(names)}")
    if name not in at_scale:
        raise ValueError(f"preset {name!r} has no {scale} version; presets that have one are {', '.join(at_scale)}")
    return resources.files(_FOLDERS[scale]).joinpath(f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def preset_summary(name: str, scale: str = FULL) -> str:
    """The first sentence of a preset's opening comment."""
    comment = takewhile(lambda line: line.startswith("# "), preset_text(name, scale).splitlines())
    text = " ".join(line.removeprefix("# ") for line in comment)
    return text.partition(". ")[0].removesuffix(".") + "."
