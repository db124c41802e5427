import keras
import numpy as np
import pytest

from mtlx.trainer.layers.attention.pair_attention import PairAttention

RANDOM = np.random.RandomState(0)
CARRIED, OWN = RANDOM.randn(2, 5, 3, 4).astype("float32")


@pytest.mark.parametrize("use_bias", [True, False])
def test_weighs_what_is_carried_over_and_the_own(use_bias):
    keras.utils.set_random_seed(1)
    layer = PairAttention(3, 6, use_bias)
    layer(CARRIED, OWN)
    for index, weight in enumerate(layer.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape))
    actual = np.asarray(layer(CARRIED, OWN))
    assert actual.shape == (5, 3, 6) and len(layer.weights) == (6 if use_bias else 3)
    for row in range(5):
        for copy in range(3):
            values, scores = [], []
            for u in (CARRIED[row, copy], OWN[row, copy]):
                value, query, key = (
                    u @ np.asarray(h.kernel, "float64")[copy]
                    + (np.asarray(h.bias)[copy] if use_bias else 0)
                    for h in (layer.value, layer.query, layer.key)
                )
                values.append(value)
                scores.append(query @ key / np.sqrt(6))
            weights = np.exp(scores - np.max(scores))
            weights /= weights.sum()
            expected = weights[0] * values[0] + weights[1] * values[1]
            np.testing.assert_allclose(actual[row, copy], expected, rtol=1e-4, atol=1e-4)


def test_large_float16_values_stay_finite():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        layer = PairAttention(3, 6)
        outputs = layer(CARRIED * 1e3, OWN * 1e3)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert outputs.dtype == "float16" and np.isfinite(outputs).all()
