from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from automl_zero.tasks import HELD_OUT_PAIRS, SEARCH_PAIRS, DigitsSource, Sizes, digits
from automl_zero.tasks.digits import (
    SET_ASIDE_PER_PAIR,
    SMALLEST_HELD_OUT_PAIR,
    SMALLEST_SEARCH_PAIR,
    load_digits,
)
from automl_zero.tasks.images import Pair, PairTask, pair_task
from automl_zero.tasks.streams import purpose_seed


def chosen(source: DigitsSource, purpose: str, seed: int) -> Iterable[PairTask]:
    """Which images the tasks of a source's set use."""
    final = purpose == "final"
    sizes: Sizes = getattr(source, f"{purpose}_sizes")
    for index in range(sizes.num_tasks):
        yield pair_task(
            load_digits(),
            HELD_OUT_PAIRS if final else SEARCH_PAIRS,
            index,
            sizes.num_train,
            sizes.num_valid,
            purpose_seed(seed, purpose),
            on_set_aside=final,
        )


def test_the_sizes_known_beforehand_are_those_of_the_data() -> None:
    data = load_digits()

    def images(pair: Pair, set_aside: bool) -> int:
        return int(np.count_nonzero(np.isin(data.labels, pair) & (data.set_aside == set_aside)))

    assert min(images(pair, False) for pair in SEARCH_PAIRS) == SMALLEST_SEARCH_PAIR
    assert min(images(pair, False) for pair in HELD_OUT_PAIRS) == SMALLEST_HELD_OUT_PAIR
    assert {images(pair, True) for pair in HELD_OUT_PAIRS} == {SET_ASIDE_PER_PAIR}


@pytest.mark.parametrize("purpose", ["search", "select"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_search_and_select_tasks_never_read_set_aside_images(purpose: str, seed: int) -> None:
    set_aside = load_digits().set_aside
    for task in chosen(DigitsSource(), purpose, seed):
        assert not set_aside[task.train].any()
        assert not set_aside[task.valid].any()
        assert not np.isin(task.train, task.valid).any()
        assert task.pair in SEARCH_PAIRS


def test_final_tasks_are_scored_on_every_set_aside_image_of_the_held_out_pairs() -> None:
    data = load_digits()
    tasks = list(chosen(DigitsSource(), "final", 0))
    for task in tasks:
        assert not data.set_aside[task.train].any()
        wanted = np.flatnonzero(data.set_aside & np.isin(data.labels, task.pair))
        assert sorted(task.valid) == wanted.tolist()
    pairs = [task.pair for task in tasks]
    assert {pair: pairs.count(pair) for pair in pairs} == dict.fromkeys(HELD_OUT_PAIRS, 10)


def test_the_tasks_of_a_source_are_made_of_the_chosen_images() -> None:
    data, source = load_digits(), DigitsSource()
    for purpose in ("search", "final"):
        tasks = getattr(source, purpose)(0)
        for index, task in enumerate(chosen(source, purpose, 0)):
            assert np.array_equal(tasks.train_y[index], data.labels[task.train] == task.pair[1])
            assert np.array_equal(tasks.valid_y[index], data.labels[task.valid] == task.pair[1])


def test_select_uses_other_projections_and_splits_than_search() -> None:
    source = DigitsSource()
    search, select = source.search(0), source.select(0)
    assert not np.isin(search.train_x, select.train_x).any()
    splits = {frozenset(task.train) for purpose in ("search", "select") for task in chosen(source, purpose, 0)}
    assert len(splits) == search.num_tasks + select.num_tasks


def test_the_defaults_are_16_features_and_200_and_80_examples() -> None:
    tasks = digits()
    assert (tasks.num_tasks, tasks.num_features, tasks.num_train, tasks.num_valid) == (10, 16, 200, 80)
    assert (tasks.evaluation, tasks.epochs) == ("accuracy", 4)
    assert digits(1, held_out=True).num_valid == 70


def test_a_linear_separator_tells_the_digits_apart() -> None:
    tasks = digits(num_tasks=3)
    for x, y, vx, vy in zip(tasks.train_x, tasks.train_y, tasks.valid_x, tasks.valid_y, strict=True):
        weights = np.linalg.lstsq(x, 2 * y - 1, rcond=None)[0]
        assert np.mean((vx @ weights > 0) == (vy > 0.5)) > 0.8


def test_more_images_than_a_pair_has_are_refused_before_any_is_loaded() -> None:
    with pytest.raises(ValueError, match=r"num_train \+ num_valid must be at most 281 for a search pair .*, got 300"):
        DigitsSource(search_sizes=Sizes(10, 200, 100))
    with pytest.raises(ValueError, match="num_valid must be at most 70 for a held-out pair of digits, got 80"):
        DigitsSource(final_sizes=Sizes(9, 200, 80))
    with pytest.raises(ValueError, match="num_train must be at most 284"):
        digits(num_train=285, held_out=True)


def test_the_shared_images_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        load_digits().images[0] = 0
