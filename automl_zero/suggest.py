"""Did-you-mean hints for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The hint `` (did you mean X?)`` for a misspelt or shortened name, or "" when nothing known is close to it."""
    names = list(known)
    longer = [full for full in names if len(name) > 2 and full.startswith(name)]
    close = longer or difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
