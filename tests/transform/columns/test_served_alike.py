"""Columns that are the same in every row, and values in the schema's type."""

import numpy as np
import tensorflow as tf

from mtlx.transform.columns.served_alike import served_alike, typed
from mtlx.transform.contract.data_contract import DataContract


def test_text_for_a_column_of_integers_may_be_none():
    """Readers other than ours make integers of what the contract calls text."""
    found = typed(tf.constant(["5345439", "-7", "5345439.0", "x", "9" * 30]), tf.int64)
    unknown = tf.int64.min
    assert found.numpy().tolist() == [5345439, -7, unknown, unknown, unknown]
    assert typed(tf.constant([2.0]), tf.int64).numpy().tolist() == [2]


def test_rows_have_what_is_served_in_the_form_that_parsing_gives():
    contract = DataContract.read(
        {
            "features": {
                "item": {"kind": "categorical"},
                "place": {"kind": "numeric", "serve_as": 5},
                "slot": {"kind": "categorical", "serve_as": "top"},
                "seen": {"kind": "vector", "size": 2, "dropped": True},
                "price": {"kind": "numeric", "dropped": True},
            },
            "tasks": {"ctr": {"label": "click"}},
        }
    )
    specs = {
        "place": tf.io.FixedLenFeature([1], tf.float32),
        "slot": tf.io.VarLenFeature(tf.string),
        "seen": tf.io.VarLenFeature(tf.float32),
        "price": tf.io.FixedLenFeature([], tf.float32),
    }
    found = served_alike(contract, specs, tf.constant(3, tf.int64))
    assert set(found) == set(specs)
    assert found["place"].numpy().tolist() == [[5.0]] * 3
    assert tf.sparse.to_dense(found["slot"]).numpy().tolist() == [[b"top"]] * 3
    assert found["seen"].dense_shape[0] == 3 and not found["seen"].values.shape[0]
    assert np.isnan(found["price"].numpy()).all() and found["price"].shape == (3,)
