"""Counts and sums of the first pass: who counts where."""

import numpy as np
import pytest

from mtlx.components.slice_evaluation.statistics.slice_totals import (
    SliceTotals,
    TooManySlicesError,
)
from tests.components.slice_evaluation.made_batches import batch, key


def test_only_rows_of_a_tasks_population_count_for_it():
    totals = SliceTotals(1, 2, 10)
    totals.add(
        batch(
            labels=[[1, 0, 1, 0], [1, 1, 0, 0]],
            population=[[1, 1, 1, 1], [1, 0, 1, 0]],
            scores=[[[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]]],
            city=["a", "a", "b", "b"],
        )
    )
    assert totals.keys == [(), key("city", "a"), key("city", "b")]
    assert totals.examples.tolist() == [[4, 2], [2, 1], [2, 1]]
    # The second row's label of the second task is no positive: the row is not in its population.
    assert totals.positives.tolist() == [[2, 1], [1, 1], [1, 0]]
    assert totals.negatives.tolist() == [[2, 1], [1, 0], [1, 1]]
    np.testing.assert_allclose(
        totals.predictions[:, 0], [[1.0, 1.2], [0.3, 0.5], [0.7, 0.7]], rtol=1e-6
    )


def test_slices_of_a_cross_add_up_to_all_rows():
    rng = np.random.default_rng(1)
    totals = SliceTotals(2, 1, 100)
    for _ in range(3):
        totals.add(
            batch(
                rng.random((1, 50)) < 0.3,
                rng.random((2, 1, 50)),
                city=rng.choice(list("abcdef"), 50),
            )
        )
    for name in ("examples", "positives", "log_loss", "predictions"):
        overall, *others = getattr(totals, name)
        np.testing.assert_allclose(np.sum(others, axis=0), overall)


def test_a_certain_and_wrong_prediction_costs_as_much_as_keras_says():
    totals = SliceTotals(1, 1, 10)
    totals.add(batch([[1, 0]], [[[0.0, 1.0]]]))
    # The negative's own is 1 - (1 - 1e-7), in double precision.
    expected = -np.log(1e-7) - np.log(1 - (1 - 1e-7))
    assert totals.log_loss[0, 0, 0] == pytest.approx(expected)


def test_undefined_predictions_are_counted_per_model_and_leave_the_others_alone():
    totals = SliceTotals(2, 1, 10)
    scores = [[[0.5, 0.5, 0.5]], [[np.nan, 0.5, -np.inf]]]
    totals.add(batch([[1, 0, 1]], scores, city=["a", "b", "b"]))
    assert totals.undefined[:, :, 0].tolist() == [[0, 2], [0, 1], [0, 1]]
    assert totals.predictions[0, :, 0].tolist() == [1.5, 0.5]
    assert totals.examples[0, 0] == 3


def test_merging_joins_slices_by_their_keys_and_not_by_their_numbers():
    one, other = SliceTotals(1, 1, 10), SliceTotals(1, 1, 10)
    one.add(batch([[1, 0]], [[[0.9, 0.1]]], city=["b", "c"]))
    other.add(batch([[1, 1, 0]], [[[0.2, 0.3, 0.4]]], city=["a", "b", "b"]))
    one.merge(other)
    found = dict(zip(one.keys, one.examples[:, 0].tolist(), strict=True))
    assert found == {(): 5, key("city", "a"): 1, key("city", "b"): 3, key("city", "c"): 1}
    positives = dict(zip(one.keys, one.positives[:, 0].tolist(), strict=True))
    assert positives == {(): 3, key("city", "a"): 1, key("city", "b"): 2, key("city", "c"): 0}
    one.histogram.compact()
    groups = one.groups(one.ordinals((key("city", "b"),)), 0, 0)
    assert (one.histogram.groups() == groups).sum() == 3


def test_one_slice_too_many_is_refused_with_its_name_and_the_setting():
    totals = SliceTotals(1, 1, 3)
    totals.add(batch([[1, 0]], [[[0.9, 0.1]]], city=["a", "b"]))
    with pytest.raises(TooManySlicesError) as caught:
        totals.add(batch([[1]], [[[0.9]]], city=['two\n"lines"']))
    message = str(caught.value)
    assert message.startswith("evaluation.slices: more than 3 slices")
    assert "evaluation.maximum_slices" in message and "\n" not in message


def test_a_batch_without_rows_changes_nothing():
    totals = SliceTotals(1, 1, 3)
    totals.add(batch(np.zeros((1, 0)), np.zeros((1, 1, 0))))
    assert totals.examples.tolist() == [[0]] and totals.log_loss.tolist() == [[[0.0]]]
