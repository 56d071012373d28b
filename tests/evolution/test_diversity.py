"""Islands take the combinations of changes to the tasks in turn."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from automl_zero.evolution.diversity import island_tasks

TASKS: dict[str, Any] = {
    "kind": "digits",
    "num_features": 16,
    "search": {"num_tasks": 36, "num_train": 200, "num_valid": 80},
    "select": {"num_tasks": 36},
    "final": {"num_tasks": 9},
    "final_features": "all",
}
SEARCH = TASKS["search"]


def search_part(**changed: Any) -> dict[str, Any]:
    """The table of an island with other tasks."""
    return {"kind": "digits", "num_features": 16, "search": SEARCH, **changed}


def test_without_diversity_all_islands_have_the_tasks_of_the_run():
    for nothing in ([], [[{}]], [[{}], [{}, {}]]):
        assert all(table is TASKS for table in island_tasks(TASKS, nothing, 5))


def test_the_changes_of_one_list_are_taken_in_turn():
    tables = island_tasks(TASKS, [[{}, {"num_features": 8}, {"kind": "mnist"}]], 7)
    expected = [TASKS, search_part(num_features=8), search_part(kind="mnist")]
    assert tables == [expected[number % 3] for number in range(7)]
    assert [table is TASKS for table in tables] == [number % 3 == 0 for number in range(7)]


def test_of_several_lists_the_first_is_the_fastest():
    axes = [[{}, {"kind": "mnist"}], [{}, {"num_features": 8}, {"num_features": 4}]]
    tables = island_tasks(TASKS, axes, 8)
    assert [(table["kind"], table["num_features"]) for table in tables] == [
        *(("digits", 16), ("mnist", 16)),
        *(("digits", 8), ("mnist", 8)),
        *(("digits", 4), ("mnist", 4)),
        *(("digits", 16), ("mnist", 16)),  # the combinations come round
    ]


def test_a_later_list_changes_what_an_earlier_one_left():
    axes = [[{"search": {"num_train": 50}, "epochs": 2}], [{"search": {"num_train": 20}}, {"search": {"num_valid": 9}}]]
    first, second = island_tasks(TASKS, axes, 2)
    assert first == search_part(epochs=2, search={"num_tasks": 36, "num_train": 20, "num_valid": 80})
    assert second == search_part(epochs=2, search={"num_tasks": 36, "num_train": 50, "num_valid": 9})


def test_tables_are_merged_key_by_key_and_anything_else_is_replaced():
    table = {"kind": "x", "a": {"b": {"c": 1, "d": [1, 2]}, "e": 5}, "plain": 3, "nested": {"f": 1}}
    change = {"a": {"b": {"d": [9]}, "new": {"g": 2}}, "plain": {"now": "a table"}, "nested": 7, "more": None}
    (merged,) = island_tasks(table, [[change]], 1)
    assert merged == {
        "kind": "x",
        "a": {"b": {"c": 1, "d": [9]}, "e": 5, "new": {"g": 2}},
        "plain": {"now": "a table"},
        "nested": 7,
        "more": None,
    }


def test_neither_the_tasks_nor_the_changes_are_touched():
    axes = [[{}, {"search": {"num_train": 1}}], [{"search": {"num_valid": 2}}]]
    tasks, before = deepcopy(TASKS), deepcopy(axes)
    island_tasks(tasks, axes, 6)
    assert tasks == TASKS
    assert axes == before


def test_select_and_final_tasks_are_those_of_the_run_alone():
    change = {"num_features": 8, "select": {"num_tasks": 2}, "final": {"num_tasks": 1}, "final_features": 3}
    own, other = island_tasks(TASKS, [[{}, change]], 2)
    assert own == TASKS
    assert other == search_part(num_features=8)


def test_islands_with_equal_tasks_share_one_table():
    axes = [[{}, {"num_features": 8}], [{}, {"epochs": 2}, {"epochs": 1, "num_features": 8}, {"epochs": 1}]]
    tables = island_tasks(TASKS, axes, 16)
    for first in tables:
        for second in tables:
            assert (first is second) == (first == second)
    assert len({id(table) for table in tables}) == 6  # the third of the second list undoes the first


@pytest.mark.parametrize(
    "change",
    [
        {"num_features": 16},
        {"search": {"num_train": 200}},
        {"kind": "digits", "search": dict(SEARCH)},
        {"search": {}},
        {"select": {"num_tasks": 3}, "final_features": 8},
    ],
)
def test_a_change_that_changes_nothing_of_the_search_leaves_the_tasks_of_the_run(change):
    for table in island_tasks(TASKS, [[change]], 2):
        assert table is TASKS
    tables = island_tasks(TASKS, [[{"num_features": 8}], [{}, {"num_features": 16}]], 2)
    assert [table is TASKS for table in tables] == [False, True]
