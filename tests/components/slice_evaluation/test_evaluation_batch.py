"""Rows as arrays: the order of models and tasks, and every membership in a slice."""

import numpy as np
import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.evaluation_batch import SLICE_COLUMNS_KEY, EvaluationBatch
from tests.components.slice_evaluation.made_batches import batch, column


def test_arrays_stand_in_the_order_that_is_asked_for_and_not_in_that_of_the_extracts():
    extracts = {
        tfma.LABELS_KEY: {"buy": np.float32([0, 1]), "click": np.float32([1, 1])},
        tfma.EXAMPLE_WEIGHTS_KEY: {"buy": np.float32([1, 1]), "click": np.float32([1, 0])},
        tfma.PREDICTIONS_KEY: {
            "old": {"buy": np.float32([0.1, 0.2]), "click": np.float32([0.3, 0.4])},
            "new": {"buy": np.float32([0.5, 0.6]), "click": np.float32([0.7, 0.8])},
        },
        SLICE_COLUMNS_KEY: [],
    }
    made = EvaluationBatch.from_extracts(extracts, ("new", "old"), ("click", "buy"))
    assert made.labels.tolist() == [[True, True], [False, True]]
    assert made.population.tolist() == [[True, False], [True, True]]
    np.testing.assert_array_equal(
        made.scores, np.float32([[[0.7, 0.8], [0.5, 0.6]], [[0.3, 0.4], [0.1, 0.2]]])
    )
    assert made.users is None and made.groupings == {}


def test_every_row_is_listed_once_per_cross_under_the_global_number_of_its_slice():
    made = batch([[1, 0, 1]], [[[0.1, 0.2, 0.3]]], city=["b", "a", "b"])
    # This batch's a and b are slices 7 and 4 of the whole evaluation.
    rows, slices = made.entries([np.array([0]), np.array([7, 4])])
    assert sorted(zip(rows.tolist(), slices.tolist(), strict=True)) == [
        (0, 0), (0, 4), (1, 0), (1, 7), (2, 0), (2, 4),
    ]  # fmt: skip


def test_a_batch_without_rows_has_no_memberships():
    made = batch(np.zeros((2, 0)), np.zeros((1, 2, 0)), city=np.array([], str))
    rows, slices = made.entries([np.array([0]), np.array([], np.int64)])
    assert len(rows) == len(slices) == 0
    assert column("city", np.array([], str)).keys == ()
