import pytest
import tensorflow as tf

from mtlx.trainer.examples import traced_once
from mtlx.trainer.examples.traced_once import TracedOnce


def test_batches_of_any_number_of_rows_are_traced_once():
    traced = []

    def total(batch):
        traced.append(batch["x"].shape)
        return tf.reduce_sum(batch["x"]) + tf.cast(tf.shape(batch["ids"])[0], tf.float32)

    function = TracedOnce(total)
    for rows in (7, 7, 3, 1, 0):
        batch = {"x": tf.ones((rows, 2)), "ids": tf.range(rows)}
        assert float(function(batch)) == 3 * rows
    assert traced == [tf.TensorShape([None, 2])]


def test_columns_are_those_of_the_first_batch():
    function = TracedOnce(lambda batch: batch["x"])
    function({"x": tf.ones(3)})
    with pytest.raises(TypeError, match="y"):
        function({"y": tf.ones(3)})


@pytest.fixture
def rows_traced(monkeypatch):
    """A function, and for how many rows it was traced; whole batches pay after three calls."""
    monkeypatch.setattr(traced_once, "WHOLE_AFTER", 3)
    traced = []

    def total(batch):
        traced.append(batch["x"].shape[0])
        return tf.reduce_sum(batch["x"])

    return total, traced


def call(function, *rows):
    for each in rows:
        assert float(function({"x": tf.ones(each)})) == each


def test_after_so_many_calls_whole_batches_have_a_graph_of_their_own(rows_traced):
    total, traced = rows_traced
    function = TracedOnce(total, whole_rows=7)
    call(function, 2, 7, 7)
    assert traced == [None]
    call(function, 2, 7, 2, 7)
    assert traced == [None, 7]


def test_calls_before_this_process_count(rows_traced):
    total, traced = rows_traced
    # Resumed behind the change: the last rows of an epoch, then a whole batch.
    call(TracedOnce(total, whole_rows=7, earlier_calls=lambda: 4), 2, 7)
    assert traced == [None, 7]
    # Resumed before it: at the same call as without the stop.
    call(TracedOnce(total, whole_rows=7, earlier_calls=lambda: 2), 7)
    assert traced == [None, 7, None]


def test_within_another_graph_it_knows_the_rows_of_that():
    traced = []

    def total(batch):
        traced.append(batch["x"].shape[0])
        return tf.reduce_sum(batch["x"])

    function = TracedOnce(total)
    outer = tf.function(lambda x: function({"x": x[:4]}) + function({"x": x[4:8]}))
    assert float(outer(tf.ones(8))) == 8
    assert traced == [4]
