import numpy as np
import pytest

from mtlx.trainer.layers.domain.star_dense import StarDense

DOMAINS = np.asarray([2, 0, 1, 2, 0])
INPUTS = np.random.RandomState(0).randn(5, 3).astype("float32")


def test_multiplies_common_and_own_weights():
    layer = StarDense(3, 4)
    layer(INPUTS, DOMAINS)
    for index, weight in enumerate(layer.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape))
    outputs = np.asarray(layer(INPUTS, DOMAINS))
    common, own = np.asarray(layer.kernel), np.asarray(layer.domain_kernel)
    bias, own_bias = np.asarray(layer.bias), np.asarray(layer.domain_bias)
    for row, domain in enumerate(DOMAINS):
        expected = INPUTS[row] @ (common * own[domain]) + bias + own_bias[domain]
        np.testing.assert_allclose(outputs[row], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("domains", [1, 3])
def test_start(domains):
    layer = StarDense(domains, 4)
    rows = np.zeros(5, "int64")
    np.testing.assert_allclose(layer(INPUTS, rows), INPUTS @ np.asarray(layer.kernel), 1e-5, 1e-6)
    layer = StarDense(domains, 4, start="glorot")
    layer(INPUTS, rows)
    own, limit = np.asarray(layer.domain_kernel), np.sqrt(6 / 7)
    assert 0.5 * limit < np.abs(own).max() <= limit
    assert np.abs(own[0] - np.asarray(layer.kernel)).max() > 0.1, "two draws, not one"
