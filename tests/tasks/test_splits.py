from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl_zero.tasks.splits import Scaling, stratified_split


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.data())
def test_the_parts_are_disjoint_and_of_the_sizes_asked_for(data: st.DataObject) -> None:
    groups = np.array(data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=40)))
    num_train = data.draw(st.integers(0, groups.size))
    num_valid = data.draw(st.integers(0, groups.size - num_train))
    train, valid = stratified_split(groups, num_train, num_valid, rng(data.draw(st.integers(0, 100))))
    assert (train.size, valid.size) == (num_train, num_valid)
    together = np.concatenate([train, valid])
    assert np.unique(together).size == num_train + num_valid
    assert np.isin(together, np.arange(groups.size)).all()


def test_each_part_has_the_groups_in_proportion() -> None:
    groups = np.repeat([0, 1], [270, 30])
    for seed in range(20):
        train, valid = stratified_split(groups, 200, 50, rng(seed))
        assert abs(groups[train].sum() - 20) <= 2
        assert abs(groups[valid].sum() - 5) <= 2


def test_each_part_is_in_random_order() -> None:
    groups = np.repeat([0, 1], 500)
    train, _ = stratified_split(groups, 800, 200, rng())
    changes = np.count_nonzero(np.diff(groups[train]))
    assert 350 < changes < 450  # alternating classes would give nearly 799, sorted ones 1


def test_either_part_is_the_same_whatever_the_size_of_the_other() -> None:
    groups = np.repeat([0, 1, 2], [20, 30, 50])
    train, valid = stratified_split(groups, 40, 30, rng(1))
    assert np.array_equal(stratified_split(groups, 40, 0, rng(1))[0], train)
    assert np.array_equal(stratified_split(groups, 1, 30, rng(1))[1], valid)


def test_another_generator_gives_another_split() -> None:
    groups = np.zeros(100)
    first, second = (stratified_split(groups, 50, 50, rng(seed))[0] for seed in (0, 1))
    assert set(first) != set(second)


def test_standardised_rows_have_mean_0_and_deviation_1() -> None:
    rows = rng().normal(3, 5, size=(50, 4))
    scaled = Scaling.fit(rows).apply(rows)
    assert scaled.mean(axis=0) == pytest.approx(0)
    assert scaled.std(axis=0) == pytest.approx(1)


def test_other_rows_are_scaled_by_the_fitted_rows() -> None:
    scaling = Scaling.fit(np.array([[0.0], [2.0]]))
    assert scaling.apply(np.array([[5.0]])).item() == 4.0


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 / 3, -1e-9])
def test_a_column_that_does_not_vary_is_only_centred(value: float) -> None:
    scaling = Scaling.fit(np.full((7, 1), value))
    assert scaling.apply(np.full((3, 1), value)) == pytest.approx(0)
    assert scaling.apply(np.array([[value + 2]])).item() == pytest.approx(2)


def test_a_column_of_tiny_numbers_is_scaled_like_any_other() -> None:
    rows = np.array([[1e-100], [3e-100]])
    assert Scaling.fit(rows).apply(rows).ravel() == pytest.approx([-1, 1])
