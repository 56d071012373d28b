"""Search tasks that differ between islands (paper, Section 4.2: half of the workers search on a second data set)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Keys that matter to the run's own tasks alone: what other tasks an island has, they are only searched on.
_OF_THE_RUN = ("select", "final", "final_features")


def island_tasks(
    tasks: Mapping[str, Any], diversity: Sequence[Sequence[Mapping[str, Any]]], islands: int
) -> list[Mapping[str, Any]]:
    """The `tasks` table of each island.

    Args:
        tasks: the run's own.
        diversity: lists of changes, of which a combination takes one each.
        islands: number of islands; they take the combinations in turn, the changes of the first list in turn first.

    Returns:
        One table an island; `tasks` itself where nothing changes. A change replaces what it names, within tables too.
    """
    own = _searched_on(tasks)
    tables: list[Mapping[str, Any]] = []
    for island in range(islands):
        changed, position = tasks, island
        for axis in diversity:
            position, choice = divmod(position, len(axis))
            changed = _merged(changed, axis[choice])
        changed = _searched_on(changed)
        tables.append(tasks if changed == own else next((table for table in tables if table == changed), changed))
    return tables


def _searched_on(tasks: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tasks.items() if key not in _OF_THE_RUN}


def _merged(table: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(table)
    for key, value in change.items():
        before = table.get(key)
        merged[key] = _merged(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return merged
