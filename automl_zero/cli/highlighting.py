"""Highlighted pseudocode."""

from __future__ import annotations

from rich.style import Style
from rich.syntax import ANSISyntaxTheme, Syntax

#: Whether a terminal is light or dark cannot be told. Only its own colours are used, and of these only magenta, which
#: is legible on both; all else is in the colour of its plain text. Keys are names of tokens of Pygments.
_THEME = ANSISyntaxTheme(
    {
        ("Keyword",): Style(bold=True),
        ("Name", "Function"): Style(bold=True),
        ("Literal", "Number"): Style(color="magenta"),
        ("Comment",): Style(italic=True),
    }
)


def highlighted(text: str) -> Syntax:
    """Pseudocode in colours that can be read on light and on dark terminals."""
    return Syntax(text, "python", theme=_THEME, background_color="default")
