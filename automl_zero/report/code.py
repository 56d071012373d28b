"""Pseudocode as HTML: highlighted, or as the difference between two programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from automl_zero.analysis.differences import Line
from automl_zero.report.markup import Markup, element, escaped

_TOKEN = re.compile(
    r"(?P<comment>\#.*)"
    r"|(?P<keyword>\b(?:def|pass)\b)"
    r"|(?P<register>\b[svm]\d+\b)"
    r"|(?P<number>(?<![\w.])\d[\d.]*(?:e[-+]?\d+)?)"
    r"|(?P<function>\b[A-Za-z_]\w*(?=\())"
    r"|(?P<name>\b[A-Za-z_]\w+)"
)
_PLAIN = {"register"}
_LONG_NUMBER = re.compile(r"(?<![\w.])\d+\.\d{3,}(?:e[-+]?\d+)?")
_CLASSES = {"+": "added", "-": "removed"}


def highlighted(text: str) -> Markup:
    """Pseudocode with its parts marked for the style sheet."""
    parts: list[Markup] = []
    end = 0
    for match in _TOKEN.finditer(text):
        parts.append(escaped(text[end : match.start()]))
        kind = match.lastgroup or ""
        parts.append(escaped(match[0]) if kind in _PLAIN else element("span", match[0], class_=f"c-{kind}"))
        end = match.end()
    return Markup("".join([*parts, escaped(text[end:])]))


def shortened(text: str) -> str:
    """Pseudocode with constants in three digits."""
    return _LONG_NUMBER.sub(lambda match: f"{float(match[0]):.3g}", text)


def difference(lines: Sequence[Line], context: int = 1) -> Markup:
    """What differs between two programs, with a few of the lines around it."""
    changed = [number for number, line in enumerate(lines) if line.sign != " "]
    near = {n for at in changed for n in range(at - context, at + context + 1) if 0 <= n < len(lines)}
    shown = {n for n in near if not lines[n].text.startswith("def ")} | {_header(lines, at) for at in changed}
    return Markup("".join(_rows(lines, shown)))


def _header(lines: Sequence[Line], at: int) -> int:
    """Position of the first line of the component function that a line belongs to."""
    return next((n for n in range(at, -1, -1) if lines[n].text.startswith("def ")), 0)


def _rows(lines: Sequence[Line], shown: set[int]) -> Iterable[Markup]:
    skipped = False
    for number, line in enumerate(lines):
        if number not in shown:
            skipped = True
            continue
        if skipped and not line.text.startswith("def "):
            yield Markup('<span class="gap">    …\n</span>')
        skipped = False
        name = {"+": "ins", "-": "del"}.get(line.sign, "span")
        yield element(name, f"{line.sign} ", highlighted(line.text), "\n", class_=_CLASSES.get(line.sign))
