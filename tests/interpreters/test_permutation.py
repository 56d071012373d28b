from __future__ import annotations

import numpy as np

from automl_zero.interpreters.permutation import epoch_order


def test_the_first_epoch_is_in_order():
    assert epoch_order(0, 5).tolist() == [0, 1, 2, 3, 4]


def test_later_epochs_are_permutations_that_differ():
    second, third = epoch_order(1, 50), epoch_order(2, 50)
    assert sorted(second.tolist()) == sorted(third.tolist()) == list(range(50))
    assert second.tolist() != third.tolist()
    assert second.tolist() != list(range(50))


def test_an_order_depends_on_the_epoch_and_on_the_number_of_examples():
    assert epoch_order(1, 50).tolist() == epoch_order(1, 50).tolist()
    assert epoch_order(1, 50).tolist() != epoch_order(1, 51)[:50].tolist()


def test_the_order_is_the_one_recorded():
    assert epoch_order(1, 8).tolist() == [6, 2, 7, 0, 5, 4, 3, 1]
    assert epoch_order(1, 8).dtype == np.int64
