"""Did-you-mean hints for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """The hint `` (did you mean X?)`` for a misspelt or shortened name, or "" when nothing known is close to it."""
    given = str(name).lower()
    by_lower = {choice.lower(): choice for choice in known}  # a wrong case is the commonest slip
    longer = [full for full in by_lower if len(given) > 2 and full.startswith(given)]
    close = longer or difflib.get_close_matches(given, by_lower, n=1)
    return f" (did you mean {by_lower[close[0]]}?)" if close else ""
