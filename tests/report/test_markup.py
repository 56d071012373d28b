"""Small functions that write HTML."""

from __future__ import annotations

import pytest

from automl_zero.report.markup import Markup, element, escaped, table


def test_text_is_escaped_and_markup_is_not() -> None:
    assert element("p", "a < b", element("em", "c & d")) == "<p>a &lt; b<em>c &amp; d</em></p>"


def test_attributes_are_escaped_and_none_leaves_one_out() -> None:
    written = element("a", href='"><script>', class_=None, aria_label="x", width=1.5)
    assert written == '<a href="&quot;&gt;&lt;script&gt;" aria-label="x" width="1.5"></a>'


def test_children_may_be_nested_lists_and_none() -> None:
    assert element("ul", [element("li", "1"), None], ("2", Markup("<br>"))) == "<ul><li>1</li>2<br></ul>"


def test_void_elements_are_not_closed() -> None:
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'


@pytest.mark.parametrize("text", ["'", '"', "<", ">", "&"])
def test_no_character_of_markup_is_left(text: str) -> None:
    assert escaped(text) != text


def test_a_table_has_a_caption_and_headers_with_a_scope() -> None:
    written = table("Sizes", ("what", "how much"), [("a", "1")], numbers=(1,))
    assert "<caption><span>Sizes</span></caption>" in written
    assert '<th scope="col">what</th><th scope="col" class="number">how much</th>' in written
    assert '<th scope="row">a</th><td class="number">1</td>' in written
