import pytest
import tensorflow as tf

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
