"""A hurdle lets a program pass that reaches a percentile of the last unique fitnesses of its island."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from automl_zero.evolution.hurdles import HurdleRecord, new_record
from tests.compiled import clears


class Model:
    """One stage, in plain Python: the record is a list in order of arrival."""

    def __init__(self, window: int, percentile: float) -> None:
        self.window, self.percentile = window, percentile
        self.arrivals: list[float] = []

    def clears(self, fitness: float) -> bool:
        known = len(self.arrivals)
        cleared = True
        if known >= self.window // 4:
            below = sum(1 for other in self.arrivals if other <= fitness)  # those that it reaches, in any order
            cleared = below > min(int(self.percentile * known / 100), known - 1)
        if fitness not in self.arrivals:
            self.arrivals.append(fitness)
            del self.arrivals[: -self.window]
        return cleared


def kept(record: HurdleRecord, stage: int = 0) -> list[float]:
    """The fitnesses in the ring, the oldest first."""
    count, oldest = int(record.counts[stage]), int(record.oldest[stage])
    return np.roll(record.arrivals[stage, :count], -oldest).tolist()


def verdicts(window: int, percentile: float, fitnesses: Iterable[float]) -> list[bool]:
    record = new_record(1, window)
    return [bool(clears(record, 0, fitness, percentile)) for fitness in fitnesses]


def test_a_fitness_must_reach_the_one_of_that_rank():
    # Of eight, 0.1 to 0.8, the 75th percentile is of rank 6 from 0: 0.7.
    known = [0.3, 0.8, 0.1, 0.6, 0.2, 0.7, 0.5, 0.4]
    for fitness, cleared in ((0.69, False), (0.7, True), (0.71, True), (0.05, False), (0.9, True)):
        assert verdicts(32, 75.0, [*known, fitness]) == [True] * 8 + [cleared]


@pytest.mark.parametrize(
    ("percentile", "threshold"),
    [(0.0, 0.1), (12.4, 0.1), (12.5, 0.2), (50.0, 0.5), (74.9, 0.6), (87.5, 0.8), (99.0, 0.8), (100.0, 0.8)],
)
def test_percentiles_of_eight_fitnesses(percentile, threshold):
    known = [i / 10 for i in range(1, 9)]
    for fitness in (*known, 0.05, 0.95):
        assert verdicts(32, percentile, [*known, fitness])[-1] == (fitness >= threshold)


@pytest.mark.parametrize(("window", "open_for"), [(4, 1), (7, 1), (8, 2), (1000, 250)])
def test_the_hurdle_is_open_until_a_quarter_of_the_window_is_known(window, open_for):
    falling = [1 - i / 1000 for i in range(open_for + 3)]
    assert verdicts(window, 75.0, falling) == [True] * open_for + [False] * 3


def test_fitnesses_that_are_known_already_do_not_open_or_move_it():
    record = new_record(1, 8)
    for _ in range(5):
        assert clears(record, 0, 0.5, 75.0)  # one unique fitness of the two that it takes
    assert kept(record) == [0.5]
    assert clears(record, 0, 0.2, 75.0)
    assert not clears(record, 0, 0.2, 75.0)
    assert clears(record, 0, 0.5, 75.0)  # ties with the threshold clear it
    assert kept(record) == [0.5, 0.2]


def test_a_failure_enters_the_record_as_a_success_does():
    record = new_record(1, 4)
    fitnesses = [0.5, 0.1, 0.6, 0.2]  # thresholds: none, 0.5, 0.5 of (0.1, 0.5), 0.5 of (0.1, 0.5, 0.6)
    assert [bool(clears(record, 0, fitness, 50.0)) for fitness in fitnesses] == [True, False, True, False]
    assert kept(record) == fitnesses


def test_the_oldest_fitness_goes_when_the_window_is_full():
    record = new_record(1, 4)
    for fitness in (0.9, 0.1, 0.5, 0.3):
        clears(record, 0, fitness, 100.0)
    assert not clears(record, 0, 0.6, 100.0)  # 0.9 is still there, and goes now
    assert kept(record) == [0.1, 0.5, 0.3, 0.6]
    assert clears(record, 0, 0.6, 100.0)
    assert not clears(record, 0, 0.55, 100.0)
    assert kept(record) == [0.5, 0.3, 0.6, 0.55]
    assert clears(record, 0, 0.9, 100.0)  # new again
    assert kept(record) == [0.3, 0.6, 0.55, 0.9]


def test_a_fitness_that_is_seen_again_stays_as_old_as_it_is():
    record = new_record(1, 4)
    for fitness in (0.1, 0.2, 0.3, 0.4, 0.1, 0.1):
        clears(record, 0, fitness, 0.0)
    clears(record, 0, 0.5, 0.0)
    assert kept(record) == [0.2, 0.3, 0.4, 0.5]


def test_stages_have_records_of_their_own():
    record = new_record(3, 4)
    assert clears(record, 0, 0.9, 50.0)
    assert clears(record, 2, 0.1, 50.0)
    assert not clears(record, 0, 0.5, 50.0)
    assert clears(record, 2, 0.5, 50.0)
    assert clears(record, 1, 0.0, 50.0)
    assert [kept(record, stage) for stage in range(3)] == [[0.9, 0.5], [0.0], [0.1, 0.5]]


@pytest.mark.parametrize("window", [4, 5, 16, 100])
@pytest.mark.parametrize("percentile", [0.0, 33.3, 75.0, 100.0])
@pytest.mark.parametrize("levels", [6, 40, 10**6])
def test_a_long_random_use_is_that_of_the_model(window, percentile, levels):
    generator = np.random.default_rng([window, int(percentile), levels])
    record, model = new_record(2, window), Model(window, percentile)
    cleared = 0
    for number in range(2000):
        drift = 0.5 * number / 2000  # fitness rises in a search, so that the oldest are often the lowest
        fitness = float(generator.integers(levels)) / levels / 2 + round(drift * levels) / levels
        expected = model.clears(fitness)
        assert clears(record, 1, fitness, percentile) == expected
        cleared += expected
        if number % 100 == 0 or number == 1999:
            assert kept(record, 1) == model.arrivals
            assert record.ranked[1, : len(model.arrivals)].tolist() == sorted(model.arrivals)
    assert record.counts.tolist() == [0, len(model.arrivals)]
    assert 0 < cleared <= 2000 - (percentile > 0.0 and levels > window)


def test_zero_is_a_fitness_like_any_other():
    record = new_record(1, 4)
    assert clears(record, 0, 0.0, 75.0)
    assert clears(record, 0, 0.0, 75.0)
    assert clears(record, 0, 0.3, 75.0)
    assert not clears(record, 0, 0.0, 75.0)
    assert kept(record) == [0.0, 0.3]
