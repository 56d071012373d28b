"""HTML and SVG by small functions. Text is escaped unless it was made here, so that data cannot become markup."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TypeAlias

_VOID = {"meta", "br", "hr"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[Child] | None"


def escaped(child: Child) -> Markup:
    """HTML of a child: markup as it is, text escaped, None as nothing, others one after the other."""
    if child is None:
        return Markup()
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return Markup(html.escape(child, quote=True))
    return Markup("".join(escaped(part) for part in child))


def element(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """An element.

    Args:
        name: its tag.
        children: text or markup.
        attributes: their values; None leaves one out. An underscore in a name stands for a hyphen, one at the end for
            nothing, so that ``class_`` and ``aria_label`` can be written.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{escaped(children)}</{name}>")


def _text(value: str | float) -> str:
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def section(ident: str, title: str, *children: Child) -> Markup:
    """A section of the page, which links can lead to."""
    heading = element("h2", title, id=f"{ident}-title")
    return element("section", heading, *children, id=ident, aria_labelledby=f"{ident}-title")


def paragraph(*children: Child, class_: str | None = None) -> Markup:
    """A paragraph of text."""
    return element("p", *children, class_=class_)


def folded(summary: Child, *children: Child) -> Markup:
    """What is shown on request."""
    return element("details", element("summary", summary), element("div", *children, class_="folded"))


def scrolling(label: str, *children: Child) -> Markup:
    """What may be wider than a phone: it scrolls by itself, also from the keyboard."""
    return element("div", *children, class_="scroll", role="region", aria_label=label, tabindex=0)


def code_block(label: str, *children: Child) -> Markup:
    """Lines of code."""
    return scrolling(label, element("pre", element("code", *children)))


def table(
    caption: Child, headers: Sequence[Child], rows: Iterable[Sequence[Child]], numbers: Sequence[int] = ()
) -> Markup:
    """A table.

    Args:
        caption: what it shows.
        headers: of the columns.
        rows: the cells; the first of each row is its header.
        numbers: positions of the columns that hold numbers, which are aligned on the right.
    """
    align = ["number" if column in numbers else None for column in range(len(headers))]
    head = element("tr", *(element("th", text, scope="col", class_=c) for text, c in zip(headers, align, strict=True)))
    body = [
        element(
            "tr",
            element("th", row[0], scope="row", class_=align[0]),
            *(element("td", cell, class_=c) for cell, c in zip(row[1:], align[1:], strict=True)),
        )
        for row in rows
    ]
    title = element("caption", element("span", caption))
    whole = element("table", title, element("thead", head), element("tbody", *body))
    label = caption if isinstance(caption, str) and not isinstance(caption, Markup) else "Table"
    return scrolling(label, whole)


def definitions(pairs: Iterable[tuple[Child, Child]], class_: str = "facts") -> Markup:
    """Names and what they stand for."""
    rows = (element("div", element("dt", name), element("dd", value)) for name, value in pairs)
    return element("dl", *rows, class_=class_)
