"""Numbers as people read them."""

from __future__ import annotations

import math

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_ROUND_OFF = 1e-9  # smaller changes of fitness come from adding in another order
UNKNOWN = "not known"


def count(value: float | None) -> str:
    """A whole number with separators."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def short_count(value: float) -> str:
    """A number in few characters, as on an axis: 1.5M."""
    for factor, prefix in _PREFIXES:
        if abs(value) >= factor:
            return f"{value / factor:.3g}{prefix}"
    return f"{value:.3g}"


def fitness(value: float | None) -> str:
    """A fitness in four digits, or in as many as tell it from 1."""
    if value is None:
        return "not measured"
    digits = min(math.ceil(-math.log10(1 - value)) + 1, 9) if 0.999 < value < 1 else 4
    return f"{value:.{digits}f}"


def change(mean: float, standard_error: float | None = None) -> str:
    """A change and its standard error, with a real minus sign."""
    text = f"{mean:+.4f}" if abs(mean) >= 1e-4 or abs(mean) < _ROUND_OFF else f"{mean:+.0e}"
    return text.replace("-", "\N{MINUS SIGN}") + error(standard_error)


def error(standard_error: float | None) -> str:
    """A standard error, to stand behind a mean; nothing when it is not known."""
    if standard_error is None:
        return ""
    text = f"{standard_error:.4f}" if standard_error >= 1e-4 or standard_error < _ROUND_OFF else f"{standard_error:.0e}"
    return f" ± {text}".replace("-", "\N{MINUS SIGN}")


def duration(seconds: float | None) -> str:
    """A time in the unit that suits it."""
    if seconds is None:
        return UNKNOWN
    if seconds < 100:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 10:
        return f"{minutes} min {rest} s"
    if minutes < 120:
        return f"{minutes} min"
    return f"{seconds / 3600:,.1f} h" if seconds < 72 * 3600 else f"{seconds / 86400:,.1f} days"


def quantity(value: float, unit: str = "", digits: int = 3) -> str:
    """A measured quantity to some significant digits, without exponents."""
    places = 0 if value == 0 else max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(places, 9)}f} {unit}".rstrip()


def times(ratio: float) -> str:
    """How many times as much, in words where it is large."""
    for factor, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if ratio >= factor:
            return f"{ratio / factor:.2g} {word}"
    return f"{float(f'{ratio:.2g}'):,.0f}" if ratio >= 10 else f"{ratio:.2g}"


def energy(kwh: float) -> str:
    """An energy, given in kWh."""
    if kwh < 1:
        return quantity(kwh * 1000, "Wh")
    return quantity(kwh, "kWh") if kwh < 10_000 else quantity(kwh / 1000, "MWh")


def mass(kilograms: float) -> str:
    """A mass, given in kilograms."""
    if kilograms < 1:
        return quantity(kilograms * 1000, "g")
    return quantity(kilograms, "kg") if kilograms < 10_000 else quantity(kilograms / 1000, "t")


def price(amount: float, currency: str) -> str:
    """A sum of money; below a cent, in as many digits as it takes."""
    return f"{currency} {amount:,.2f}" if amount >= 0.01 or amount == 0 else f"{currency} {quantity(amount, digits=2)}"


def plural(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
