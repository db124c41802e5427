"""Batch normalisation by domains against NumPy, in training and after it."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.layers.domain.domain_batch_normalization import DomainBatchNormalization

RANDOM = np.random.RandomState(0)
#: Domains 0 and 1 are far apart, 2 has a single row, 3 none.
IDS = np.asarray([0] * 30 + [1] * 20 + [2])


def _inputs():
    centre = np.asarray([5.0, -5.0, 40.0])[IDS][:, None, None]
    size = np.asarray([1.0, 3.0, 2.0])[IDS][:, None, None]
    return (centre + size * RANDOM.randn(len(IDS), 2, 3)).astype("float32")


def _layer(**options):
    layer = DomainBatchNormalization(4, **options)
    layer.build((None, 2, 3))
    layer.scale.assign(RANDOM.randn(4, 2, 3))
    layer.shift.assign(RANDOM.randn(4, 2, 3))
    return layer


def _expected(layer, values, domain, mean, variance):
    normal = (values - mean) / np.sqrt(variance + 1e-5)
    return normal * np.asarray(layer.scale)[domain] + np.asarray(layer.shift)[domain]


def test_the_first_batch_is_normalised_by_each_domain_s_own_rows():
    layer, values = _layer(), _inputs()
    outputs = np.asarray(layer(values, IDS, training=True))
    for domain in range(3):
        own = values[domain == IDS].astype("float64")
        expected = _expected(layer, own, domain, own.mean(0), own.var(0))
        np.testing.assert_allclose(outputs[domain == IDS], expected, rtol=2e-3, atol=2e-3)


def test_a_small_domain_has_its_past_beside_it_and_inference_the_past_alone():
    """Of 40 batches; a row alone has no spread."""
    layer, momentum = _layer(momentum=0.8), 0.8
    counts, sums, squares = 0.0, 0.0, 0.0
    for _ in range(40):
        values = _inputs()
        if counts:
            past, mean, variance = min(counts, 8.0), sums / counts, squares / counts
            variance = variance - mean**2
            own = values[-1].astype("float64")
            centre = (past * mean + own) / (past + 1)
            spread = past * (variance + (mean - centre) ** 2) + (own - centre) ** 2
            expected = _expected(layer, own, 2, centre, spread / (past + 1))
            outputs = np.asarray(layer(values, IDS, training=True))
            np.testing.assert_allclose(outputs[-1], expected, rtol=0.03, atol=0.03)
        else:
            layer(values, IDS, training=True)
        own = values[-1].astype("float64")
        counts, sums = momentum * counts + 1, momentum * sums + own
        squares = momentum * squares + own**2
    mean = sums / counts
    variance = squares / counts - mean**2
    before = [np.array(weight) for weight in layer.weights]
    outputs = np.asarray(layer(values, IDS))
    np.testing.assert_allclose(
        outputs[-1], _expected(layer, values[-1], 2, mean, variance), rtol=0.03, atol=0.03
    )
    for old, new in zip(before, layer.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    # What has no rows is left as it is.
    unseen = np.asarray(layer(values[:1], np.asarray([3])))
    np.testing.assert_allclose(
        unseen[0], _expected(layer, values[0], 3, 0.0, 1.0), rtol=1e-4, atol=1e-4
    )


def test_no_domain_hears_another_ones_rows():
    values = _inputs()
    other = values.copy()
    other[IDS == 1] *= 10
    one, two = (np.asarray(_same(_layer())(v, IDS, training=True)) for v in (values, other))
    np.testing.assert_allclose(one[IDS != 1], two[IDS != 1], atol=1e-5)
    np.testing.assert_allclose(one[IDS == 1], two[IDS == 1], rtol=1e-3, atol=1e-3)


def _same(layer):
    for index, weight in enumerate(layer.trainable_variables):
        weight.assign(np.random.RandomState(index).randn(*weight.shape))
    return layer


def test_statistics_are_part_of_the_gradient():
    """What is added to all rows of a domain, or multiplied to them, changes nothing."""
    layer, values = _layer(), tf.constant(_inputs())
    weights = tf.constant(RANDOM.randn(len(IDS), 2, 3).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = tf.reduce_sum(weights * layer(values, IDS, training=True))
    gradient = tape.gradient(loss, values).numpy()
    for domain in range(3):
        own, rows = gradient[domain == IDS], values.numpy()[domain == IDS]
        np.testing.assert_allclose(own.sum(axis=0), 0, atol=1e-3)
        np.testing.assert_allclose((own * (rows - rows.mean(axis=0))).sum(axis=0), 0, atol=1e-2)
    assert np.abs(gradient[IDS == 0]).max() > 0.1


@pytest.mark.parametrize("ids", [np.zeros(0, "int64"), np.zeros(1, "int64")])
def test_no_rows_and_one_row_stay_finite(ids):
    layer, values = _layer(), tf.constant(np.ones((len(ids), 2, 3), "float32"))
    with tf.GradientTape() as tape:
        tape.watch(values)
        outputs = layer(values, ids, training=True)
    assert outputs.shape == values.shape and np.isfinite(outputs).all()
    assert np.isfinite(tape.gradient(outputs, values)).all()
