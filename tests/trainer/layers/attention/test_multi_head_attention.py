import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.layers.attention.multi_head_attention import MultiHeadAttention
from mtlx.trainer.layers.told import ATTENTION, listening

RANDOM = np.random.RandomState(0)
QUERIES, KEYS = (RANDOM.randn(3, 2, length, 4).astype("float32") for length in (2, 5))
MASK = np.arange(5) < np.asarray([[5, 0], [2, 1], [0, 3]])[:, :, None]


@pytest.mark.parametrize("copies", [None, 2])
@pytest.mark.parametrize("factors", [False, True])
def test_scaled_dot_products_head_by_head(copies, factors):
    layer = MultiHeadAttention(2, copies)
    given = {n: RANDOM.rand(2, 4, 4).astype("float32") for n in ("query", "key", "value")}
    given = given if factors else {}
    outputs = np.asarray(layer(QUERIES, KEYS, MASK, given))

    def matrix(name, copy):
        kernel = np.asarray(getattr(layer, name).kernel, "float64")
        return (kernel if copies is None else kernel[copy]) * given.get(name, np.ones((2, 1, 1)))[
            copy
        ]

    for row, copy, place in np.ndindex(3, 2, 2):
        real = KEYS[row, copy][MASK[row, copy]]
        heads = []
        for part in (slice(0, 2), slice(2, 4)):
            query = QUERIES[row, copy, place] @ matrix("query", copy)[:, part]
            powers = np.exp(real @ matrix("key", copy)[:, part] @ query / np.sqrt(2))
            heads.append(powers / (powers.sum() or 1) @ (real @ matrix("value", copy)[:, part]))
        expected = np.concatenate(heads) @ matrix("output_layer", copy)
        np.testing.assert_allclose(outputs[row, copy, place], expected, rtol=1e-4, atol=1e-5)


def test_padding_is_neither_seen_nor_trained():
    layer, keys = MultiHeadAttention(2), tf.Variable(KEYS)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(QUERIES, keys, MASK) ** 2)
    gradient = np.asarray(tape.gradient(loss, keys))
    assert np.isfinite(gradient).all()
    assert (gradient[~MASK] == 0).all() and (gradient[MASK] != 0).any(axis=-1).all()


@pytest.mark.parametrize("copies", [None, 2])
def test_one_query_is_answered_as_beside_others(copies):
    """Without projecting a key, and with the same gradients; what it tells is the same, too."""
    layer = MultiHeadAttention(2, copies)
    queries, keys = tf.constant(QUERIES), tf.constant(KEYS)
    layer(queries, keys, MASK)
    found = []
    for together in (True, False):
        with listening() as told, tf.GradientTape() as tape:
            tape.watch([queries, keys])
            given = queries if together else queries[:, :, :1]
            outputs = layer(given, keys, MASK)[:, :, :1]
            loss = tf.reduce_sum(tf.sin(outputs))
        weights = [weight.value for weight in layer.weights]
        ((_, attention),) = told[ATTENTION]
        gradients = tape.gradient(loss, [queries, keys, *weights])
        found.append([outputs, attention[:, :, :1], *gradients])
    for one, other in zip(*found, strict=True):
        assert np.abs(one).max() > 0
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
