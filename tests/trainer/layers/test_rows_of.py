"""In bfloat16, too, a row of weights hears all of the examples that read it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.layers.attention.added_embedding import AddedEmbedding
from mtlx.trainer.layers.domain.domain_batch_normalization import DomainBatchNormalization
from mtlx.trainer.layers.domain.domain_dense import DomainDense
from mtlx.trainer.layers.domain.domain_layer_normalization import DomainLayerNormalization
from mtlx.trainer.layers.domain.meta_unit import MetaUnit
from mtlx.trainer.layers.domain.partitioned_normalization import PartitionedNormalization
from mtlx.trainer.layers.domain.star_dense import StarDense
from mtlx.trainer.layers.rows_of import rows_of

BATCH, DOMAINS = 6000, 3
#: A layer, the shape of its inputs, and what it takes between these and the domains.
LAYERS = {
    "added_embedding": (lambda: AddedEmbedding(DOMAINS, 0.1), (4,), ()),
    "domain_dense": (lambda: DomainDense(DOMAINS, 2, 4), (5,), ()),
    "star_dense": (lambda: StarDense(DOMAINS, 4), (5,), ()),
    "layer_normalization": (lambda: DomainLayerNormalization(DOMAINS), (5,), ()),
    "batch_normalization": (lambda: DomainBatchNormalization(DOMAINS), (5,), ()),
    "partitioned_normalization": (lambda: PartitionedNormalization(DOMAINS), (5,), ()),
    "meta_unit": (lambda: MetaUnit(2, 4), (2, 1, 5), (np.eye(DOMAINS, 6, dtype="float32"),)),
}


@pytest.fixture(autouse=True)
def policy_as_before():
    yield
    keras.config.set_dtype_policy("float32")


def gradients(policy, build, shape, between):
    """Of all weights, as float32 and by their paths."""
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(1)
    layer = build()
    generator = np.random.default_rng(2)
    inputs = generator.uniform(0.5, 1.0, (BATCH, *shape)).astype("float32")
    domains = np.arange(BATCH) % DOMAINS
    with tf.GradientTape() as tape:
        outputs = layer(inputs, *between, domains)
        loss = tf.reduce_sum(tf.cast(outputs, "float32"))
    values = [variable.value for variable in layer.trainable_variables]
    found = tape.gradient(loss, values)
    return [np.asarray(tf.cast(tf.convert_to_tensor(one), "float32")) for one in found]


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_what_many_examples_read_are_those_of_full_precision(name):
    exact = gradients("float32", *LAYERS[name])
    close = gradients("mixed_bfloat16", *LAYERS[name])
    # Where the exact sum is nearly nothing, as of what a norm takes out, rounding is all there is.
    for ours, theirs in zip(close, exact, strict=True):
        error, size = np.linalg.norm(ours - theirs), np.linalg.norm(theirs)
        assert error < 0.03 * max(size, BATCH / DOMAINS), (name, ours.shape, error / size)


def test_the_rows_are_those_of_the_table_and_of_its_precision():
    table = tf.cast(tf.reshape(tf.range(12.0), (4, 3)) / 7, "bfloat16")
    index = np.array([[3, 0], [2, 2]])
    rows = rows_of(table, index)
    assert rows.dtype == "bfloat16"
    np.testing.assert_array_equal(rows, tf.gather(table, index))
    exact = tf.Variable(tf.random.normal((4, 3)))
    np.testing.assert_array_equal(rows_of(exact, index), tf.gather(exact, index))
