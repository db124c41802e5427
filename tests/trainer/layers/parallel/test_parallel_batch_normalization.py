"""Batch normalisation of several copies against NumPy, in training, after it, and in an MLP."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.layers.parallel.parallel_batch_normalization import ParallelBatchNormalization
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP

RANDOM = np.random.RandomState(0)
#: Three copies of two units, of means and sizes of their own; far from 0 for sums of squares.
CENTRES, SIZES = 100 * RANDOM.randn(3, 2), np.exp(RANDOM.randn(3, 2))


def _inputs(rows=50):
    return (CENTRES + SIZES * RANDOM.randn(rows, 3, 2)).astype("float32")


def _layer(**options):
    layer = ParallelBatchNormalization(3, **options)
    layer.build((None, 3, 2))
    layer.scale.assign(RANDOM.randn(3, 2))
    layer.shift.assign(RANDOM.randn(3, 2))
    return layer


def _expected(layer, values, mean, variance):
    normal = (values - mean) / np.sqrt(variance + 1e-5)
    return normal * np.array(layer.scale) + np.array(layer.shift)


def test_training_normalises_by_the_batch_and_inference_by_moving_averages():
    layer = _layer(momentum=0.8)
    mean, variance = np.zeros((3, 2)), np.ones((3, 2))
    for _ in range(40):
        values = _inputs()
        outputs = np.asarray(layer(values, training=True))
        own_mean, own_variance = values.mean(axis=0), values.astype(float).var(axis=0)
        np.testing.assert_allclose(
            outputs, _expected(layer, values, own_mean, own_variance), atol=2e-3
        )
        mean, variance = 0.8 * mean + 0.2 * own_mean, 0.8 * variance + 0.2 * own_variance
    np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, variance, rtol=2e-2)
    values = _inputs()
    before = np.array(layer.moving_mean)
    outputs = np.asarray(layer(values, training=False))
    found = np.array(layer.moving_mean), np.array(layer.moving_variance)
    np.testing.assert_allclose(outputs, _expected(layer, values, *found), atol=2e-3)
    np.testing.assert_array_equal(layer.moving_mean, before)


def test_statistics_are_part_of_the_gradient():
    """Of BN alone: what is added to all rows, or multiplied to them, changes nothing."""
    layer, values = _layer(), tf.constant(_inputs(20) - CENTRES.astype("float32"))
    weights = tf.constant(RANDOM.randn(20, 3, 2).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = tf.reduce_sum(weights * layer(values, training=True))
    gradient = tape.gradient(loss, values).numpy()
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-4)
    centred = values.numpy() - values.numpy().mean(axis=0)
    np.testing.assert_allclose((gradient * centred).sum(axis=0), 0, atol=1e-3)
    assert np.abs(gradient).max() > 0.1


def test_no_rows_leave_the_statistics_alone():
    layer = _layer()
    layer(_inputs(), training=True)
    before = np.array(layer.moving_mean), np.array(layer.moving_variance)
    assert layer(np.zeros((0, 3, 2), "float32"), training=True).shape == (0, 3, 2)
    np.testing.assert_array_equal(layer.moving_mean, before[0])
    np.testing.assert_array_equal(layer.moving_variance, before[1])


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_computes_in_float32_under_mixed_precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        layer = ParallelBatchNormalization(3)
        values = _inputs()
        outputs = layer(tf.cast(values, layer.compute_dtype), training=True)
        assert outputs.dtype == layer.compute_dtype
        assert layer.moving_variance.dtype == "float32"
        rounded = tf.cast(tf.cast(values, layer.compute_dtype), "float32").numpy()
        np.testing.assert_allclose(layer.moving_mean, 0.1 * rounded.mean(axis=0), rtol=1e-4)
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_an_mlp_normalises_before_its_activation(normalization):
    keras.utils.set_random_seed(1)
    inputs = RANDOM.randn(30, 5).astype("float32")
    layer = ParallelMLP(2, [4, 3], normalization=normalization)
    outputs = np.asarray(layer(inputs, training=True))
    axis = 0 if normalization == "batch" else 1
    for copy in range(2):
        hidden = inputs
        for dense in layer.hidden_layers:
            hidden = hidden @ np.asarray(dense.kernel)[copy]
            spread = np.sqrt(hidden.var(axis=axis, keepdims=True) + 1e-5)
            hidden = np.maximum((hidden - hidden.mean(axis=axis, keepdims=True)) / spread, 0)
        np.testing.assert_allclose(outputs[:, copy], hidden, atol=1e-4)
    biases = [dense.bias for dense in layer.hidden_layers]
    assert all((bias is None) == (normalization == "batch") for bias in biases)
