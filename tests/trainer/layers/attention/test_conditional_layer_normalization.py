import numpy as np
import pytest

from mtlx.trainer.layers.attention.conditional_layer_normalization import (
    ConditionalLayerNormalization,
)

INPUTS = np.random.RandomState(0).randn(3, 2, 5, 4)


def _weighted(copies, **given):
    layer = ConditionalLayerNormalization(copies)
    layer(INPUTS)
    for index, weight in enumerate(layer.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape))
    outputs = np.asarray(layer(INPUTS.astype("float32"), **given))
    scale, shift = (np.asarray(weight, "float64") for weight in (layer.scale, layer.shift))
    return outputs, np.broadcast_to(scale, (2, 1, 4)), np.broadcast_to(shift, (2, 1, 4))


def _normal(row):
    return (row - row.mean()) / np.sqrt(row.var() + 1e-5)


@pytest.mark.parametrize("copies", [None, 2])
def test_without_conditions_it_is_layer_normalization(copies):
    outputs, scale, shift = _weighted(copies)
    for place in np.ndindex(3, 2, 5):
        expected = _normal(INPUTS[place]) * scale[place[1], 0] + shift[place[1], 0]
        np.testing.assert_allclose(outputs[place], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("times", [1, 3])
def test_each_input_is_adapted_to_every_sequence_that_is_made_of_it(times):
    random = np.random.RandomState(9)
    gamma, beta = (random.randn(2 * times, 4).astype("float32") for _ in range(2))
    outputs, scale, shift = _weighted(None, scale=gamma, shift=beta)
    assert outputs.shape == (3, 2 * times, 5, 4)
    for row, pair, position in np.ndindex(3, 2 * times, 5):
        expected = gamma[pair] * scale[0, 0] * _normal(INPUTS[row, pair % 2, position])
        expected = expected + beta[pair] + shift[0, 0]
        np.testing.assert_allclose(outputs[row, pair, position], expected, rtol=1e-4, atol=1e-5)


def test_large_numbers_in_half_precision():
    layer = ConditionalLayerNormalization()
    layer.dtype_policy = "mixed_float16"
    outputs = np.asarray(layer(np.asarray([[[[300.0, -300.0, 900.0, 0.0]]]], "float16")))
    assert np.isfinite(outputs).all() and abs(outputs.std() - 1) < 0.01
