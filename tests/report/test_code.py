"""Pseudocode as HTML."""

from __future__ import annotations

import re

from automl_zero import programs
from automl_zero.analysis.differences import differences
from automl_zero.report.code import difference, highlighted, shortened
from tests.report.pages import parsed


def test_highlighting_changes_no_character() -> None:
    text = programs.neural_net().pseudocode()
    assert re.sub(r"<[^>]+>", "", highlighted(text)) == text


def test_parts_are_marked_by_kind() -> None:
    written = highlighted("def Learn():  # v0 = features\n    error = dot(v0, 0.5)")
    assert '<span class="c-keyword">def</span>' in written
    assert '<span class="c-comment"># v0 = features</span>' in written
    assert '<span class="c-function">dot</span>(v0, <span class="c-number">0.5</span>)' in written
    assert '<span class="c-name">error</span>' in written


def test_text_cannot_become_markup() -> None:
    assert "<b>" not in highlighted("x = <b>")


def test_constants_are_shortened_and_small_ones_kept() -> None:
    assert shortened("s1 = gaussian(-0.123456, 1e-05, 2.0)") == "s1 = gaussian(-0.123, 1e-05, 2.0)"
    assert shortened("s2 = 1.5") == "s2 = 1.5"


def test_a_difference_shows_what_changed_and_a_line_around_it() -> None:
    old, new = programs.linear(), programs.linear(learning_rate=0.5)
    root = parsed(difference(differences(old, new)))
    assert [d.words.split() for d in root.all("del")] == [["-", "s2", "=", "0.01"]]
    assert [i.words.split() for i in root.all("ins")] == [["+", "s2", "=", "0.5"]]
    assert "def Setup" in re.sub(r"<[^>]+>", "", difference(differences(old, new)))
    assert "dot" not in difference(differences(old, new))


def test_equal_programs_have_no_difference() -> None:
    assert difference(differences(programs.linear(), programs.linear())) == ""
