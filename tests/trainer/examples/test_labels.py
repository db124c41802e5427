import numpy as np
import tensorflow as tf

from mtlx.trainer.examples.labels import counted_labels, labels_and_mask
from mtlx.transform.contract.model_inputs import TaskSpec


def test_labels_in_the_order_of_tasks_and_masks_of_populations():
    tasks = (
        TaskSpec("ctr", "click"),
        TaskSpec("ctcvr", "purchase", after="ctr"),
        TaskSpec("cvr", "bought", after="ctr", population="ctr"),
    )
    batch = {
        "bought": tf.constant([0, 1, 0, 0], tf.int64),
        "purchase": tf.constant([0, 1, 0, 1], tf.int64),
        "click": tf.constant([0, 1, 1, 0], tf.int64),
        "item": tf.constant([5, 6, 7, 8], tf.int64),
    }
    labels, mask = labels_and_mask(batch, tasks)
    assert labels.dtype == mask.dtype == tf.float32
    np.testing.assert_array_equal(labels, [[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(mask, [[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 0]])


def test_labels_that_do_not_count_are_not_in_the_mask():
    """Rows: all count; buy is not known; click was learnt, and the populations need it; nothing."""
    tasks = (
        TaskSpec("ctr", "click"),
        TaskSpec("buy", "buy", after="ctr", matures_after=2),
        TaskSpec("cvr", "bought", after="ctr", population="ctr", matures_after=2),
    )
    batch = {
        "click": tf.constant([1, 1, 3, 2, -1], tf.int64),
        "buy": tf.constant([1, -1, 1, 0, -1], tf.int64),
        "bought": tf.constant([1, -1, 1, 0, -1], tf.int64),
    }
    labels, mask = labels_and_mask(batch, tasks)
    np.testing.assert_array_equal(labels, [[1, 1, 1], [1, 0, 0], [1, 1, 1], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(mask, [[1, 1, 1], [1, 0, 0], [0, 1, 1], [0, 1, 0], [0, 0, 0]])
    expected = [[1, 1, 1], [1, 0, 0], [0, 1, 1], [0, 1, 1], [0, 0, 0]]
    np.testing.assert_array_equal(counted_labels(batch, tasks), expected)
    assert counted_labels(batch, tasks[:1]) is None
