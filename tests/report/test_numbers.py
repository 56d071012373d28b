"""Numbers as people read them."""

from __future__ import annotations

import pytest

from automl_zero.report import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "not measured"), (0.5, "0.5000"), (1.0, "1.0000"), (0.99995, "0.999950"), (1 - 3e-8, "0.999999970")],
)
def test_a_fitness_can_be_told_from_one(value: float | None, text: str) -> None:
    assert numbers.fitness(value) == text


@pytest.mark.parametrize(
    ("mean", "error", "text"),
    [
        (0.25, None, "+0.2500"),
        (-0.25, 0.01, "\N{MINUS SIGN}0.2500 ± 0.0100"),
        (3.2e-8, 1e-17, "+3e\N{MINUS SIGN}08 ± 0.0000"),
        (0.0, 0.0, "+0.0000 ± 0.0000"),
    ],
)
def test_a_change_shows_small_numbers_too(mean: float, error: float | None, text: str) -> None:
    assert numbers.change(mean, error) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not known"),
        (5.812, "5.81 s"),
        (136, "2 min 16 s"),
        (179.7, "3 min 0 s"),
        (1800, "30 min"),
        (9000, "2.5 h"),
        (4e5, "4.6 days"),
    ],
)
def test_a_time_has_the_unit_that_suits_it(seconds: float | None, text: str) -> None:
    assert numbers.duration(seconds) == text


def test_quantities_are_written_without_exponents() -> None:
    assert numbers.energy(0.00072) == "0.720 Wh"
    assert numbers.energy(1_287_000) == "1,287 MWh"
    assert numbers.mass(0.000342) == "0.342 g"
    assert numbers.price(0.0019, "USD") == "USD 0.0019"
    assert numbers.price(1234.5, "EUR") == "EUR 1,234.50"
    assert numbers.quantity(0.0) == "0"


@pytest.mark.parametrize(("ratio", "text"), [(0.5, "0.5"), (37_234, "37,000"), (2.1e6, "2.1 million")])
def test_ratios_are_round(ratio: float, text: str) -> None:
    assert numbers.times(ratio) == text


def test_axis_labels_are_short() -> None:
    assert [numbers.short_count(v) for v in (0, 950, 20_000, 1.5e6, 2e9)] == ["0", "950", "20k", "1.5M", "2G"]
