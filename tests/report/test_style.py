"""The style sheet: contrast in both themes, and no colours beside its palette."""

from __future__ import annotations

import re

import pytest

from automl_zero.report.page import style_sheet

CSS = re.sub(r"/\*.*?\*/", "", style_sheet(), flags=re.S)
ROOTS = re.findall(r":root\s*\{(.*?)\}", CSS, flags=re.S)
PALETTES = [dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]+)", root)) for root in ROOTS]
THEMES = dict(zip(("light", "dark", "print"), PALETTES, strict=True))
TEXT = [
    *((name, "paper") for name in ("ink", "muted", "accent", "second", "third")),
    *((name, "surface") for name in ("ink", "muted", "accent", "second", "third")),
    ("added-ink", "added"),
    ("removed-ink", "removed"),
    ("ink", "notice"),
]
LINES = [(name, "paper") for name in ("accent", "second", "third", "fourth")]


def luminance(colour: str) -> float:
    """Relative luminance as in WCAG 2."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_is_that_of_wcag() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "background"), TEXT)
def test_text_can_be_read(theme: str, text: str, background: str) -> None:
    palette = THEMES[theme]
    assert contrast(palette[text], palette[background]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("line", "background"), LINES)
def test_lines_can_be_seen(theme: str, line: str, background: str) -> None:
    palette = THEMES[theme]
    assert contrast(palette[line], palette[background]) >= 3.0


def test_every_theme_has_the_whole_palette() -> None:
    assert THEMES["light"].keys() == THEMES["dark"].keys() == THEMES["print"].keys()


def test_there_is_no_other_colour() -> None:
    rest = re.sub(r":root\s*\{.*?\}", "", CSS, flags=re.S)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", rest) == []
    assert set(re.findall(r"var\(--([\w-]+)\)", rest)) <= THEMES["light"].keys()
