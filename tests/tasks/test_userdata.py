from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automl_zero.tasks import Sizes, Table, UserData
from automl_zero.tasks.streams import purpose_seed
from automl_zero.tasks.userdata import default_sizes, split_off_test, task_rows


def table(kind: str = "rmse", rows: int = 100) -> Table:
    rng = np.random.default_rng(0)
    x = rng.normal(5, 3, size=(rows, 3))
    if kind == "rmse":
        return Table(x, 1e6 * (x @ [1.0, 2.0, 3.0]), ("a", "b", "c"), "rmse")
    y = np.zeros(rows)
    y[: rows // 10] = 1
    return Table(x, y, ("a", "b", "c"), "accuracy", ("no", "yes"))


def source(kind: str = "rmse", rows: int = 100) -> UserData:
    data = table(kind, rows)
    return UserData("data", data, *default_sizes(data))


def test_a_fifth_of_the_rows_is_set_aside() -> None:
    rest, test = split_off_test(table())
    assert (rest.size, test.size) == (80, 20)
    assert sorted([*rest, *test]) == list(range(100))


def test_a_fifth_of_each_class_is_set_aside() -> None:
    data = table("accuracy")
    rest, test = split_off_test(data)
    assert (data.y[test].sum(), data.y[rest].sum()) == (2, 8)


def test_which_rows_are_set_aside_does_not_depend_on_their_values() -> None:
    data = table()
    other = replace(data, x=data.x * 2 + 1, y=-data.y)
    assert np.array_equal(split_off_test(data)[1], split_off_test(other)[1])


@pytest.mark.parametrize("kind", ["rmse", "accuracy"])
def test_only_final_tasks_read_the_rows_set_aside(kind: str) -> None:
    data = table(kind)
    rest, test = split_off_test(data)
    search, select, final = default_sizes(data)
    for purpose, sizes in (("search", search), ("select", select)):
        for index in range(sizes.num_tasks):
            train, valid = task_rows(data, index, sizes, purpose_seed(0, purpose), on_test=False)
            assert sorted([*train, *valid]) == rest.tolist()
    for index in range(final.num_tasks):
        train, valid = task_rows(data, index, final, purpose_seed(0, "final"), on_test=True)
        assert sorted(train) == rest.tolist()
        assert sorted(valid) == test.tolist()


@pytest.mark.parametrize("kind", ["rmse", "accuracy"])
def test_rows_set_aside_have_no_influence_on_search_and_select_tasks(kind: str) -> None:
    original = source(kind)
    _, test = split_off_test(original.table)
    x = original.table.x.copy()
    x[test] = 1e6
    changed = replace(original, table=replace(original.table, x=x))
    for purpose in ("search", "select"):
        before, after = getattr(original, purpose)(0), getattr(changed, purpose)(0)
        assert np.array_equal(before.train_x, after.train_x)
        assert np.array_equal(before.valid_x, after.valid_x)


@pytest.mark.parametrize("kind", ["rmse", "accuracy"])
def test_the_tasks_are_the_chosen_rows_standardised_by_the_training_rows(kind: str) -> None:
    data = table(kind)
    tasks = source(kind).search(3)
    sizes = default_sizes(data)[0]
    for index in range(tasks.num_tasks):
        train, valid = task_rows(data, index, sizes, purpose_seed(3, "search"), on_test=False)
        mean, deviation = data.x[train].mean(axis=0), data.x[train].std(axis=0)
        assert tasks.train_x[index] == pytest.approx((data.x[train] - mean) / deviation)
        assert tasks.valid_x[index] == pytest.approx((data.x[valid] - mean) / deviation)
        mean_y, deviation_y = (data.y[train].mean(), data.y[train].std()) if kind == "rmse" else (0, 1)
        assert tasks.train_y[index] == pytest.approx((data.y[train] - mean_y) / deviation_y)
        assert tasks.valid_y[index] == pytest.approx((data.y[valid] - mean_y) / deviation_y)


def test_splits_differ_between_tasks_and_between_search_and_select() -> None:
    data = table()
    sizes = default_sizes(data)[0]
    splits = {
        frozenset(task_rows(data, index, sizes, purpose_seed(0, purpose), on_test=False)[0])
        for index in range(10)
        for purpose in ("search", "select")
    }
    assert len(splits) == 20


def test_final_tasks_differ_in_the_order_of_their_training_rows() -> None:
    tasks = source().final(0)
    assert len({row.tobytes() for row in tasks.train_y}) == tasks.num_tasks


def test_more_tasks_never_change_the_earlier_ones() -> None:
    few = source()
    many = replace(few, search_sizes=replace(few.search_sizes, num_tasks=15))
    assert np.array_equal(few.search(0).train_x, many.search(0).train_x[:10])
    assert np.array_equal(few.search(0).seeds, many.search(0).seeds[:10])


def test_both_classes_are_in_every_part_of_an_unbalanced_table() -> None:
    data = source("accuracy")
    for tasks in (data.search(0), data.select(0), data.final(0)):
        for labels in (*tasks.train_y, *tasks.valid_y):
            assert set(labels) == {0.0, 1.0}


def test_the_classes_are_named_in_the_description() -> None:
    assert "classification (no, yes), 100 rows, 3 features" in source("accuracy").describe()


@pytest.mark.parametrize(
    ("field", "sizes", "message"),
    [
        ("search_sizes", Sizes(1, 60, 21), r"search.num_train \+ search.num_valid must be at most 80, .*, got 81"),
        ("select_sizes", Sizes(1, 80, 1), r"select.num_train \+ select.num_valid must be at most 80, .*, got 81"),
        ("final_sizes", Sizes(1, 81, 20), "final.num_train must be at most 80, the rows that are not set aside, got"),
        ("final_sizes", Sizes(1, 80, 21), "final.num_valid must be at most 20, the rows set aside, got 21"),
    ],
)
def test_more_rows_than_there_are_cannot_be_asked_for(field: str, sizes: Sizes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(source(), **{field: sizes})  # type: ignore[arg-type]


def three_classes(features: int = 3) -> Table:
    rng = np.random.default_rng(0)
    y = np.repeat([0.0, 1.0, 2.0], [50, 30, 20])
    names = tuple(f"x{i}" for i in range(features))
    return Table(rng.normal(size=(100, features)), y, names, "accuracy", ("low", "middle", "high"))


def test_labels_of_more_than_two_classes_are_vectors() -> None:
    data = three_classes()
    tasks = UserData("data", data, *default_sizes(data)).search(0)
    assert (tasks.num_classes, tasks.evaluation) == (3, "accuracy")
    rows, _ = task_rows(data, 0, default_sizes(data)[0], purpose_seed(0, "search"), on_test=False)
    assert np.array_equal(tasks.train_y[0].argmax(axis=1), data.y[rows])
    assert np.array_equal(tasks.train_y[0].sum(axis=1), np.ones(rows.size))


def test_more_classes_than_features_are_refused() -> None:
    data = three_classes(features=2)
    with pytest.raises(ValueError, match=r"the target has 3 classes, but predictions .* there are 2"):
        UserData("data", data, *default_sizes(data))
