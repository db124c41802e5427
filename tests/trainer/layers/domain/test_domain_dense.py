import numpy as np
import pytest

from mtlx.trainer.layers.domain.domain_dense import DomainDense

DOMAINS = np.asarray([2, 0, 1, 2, 0])


@pytest.mark.parametrize("shape", [(5, 3), (5, 2, 3)])
def test_reads_the_weights_of_the_rows_own_domain(shape):
    inputs = np.random.RandomState(0).randn(*shape).astype("float32")
    layer = DomainDense(3, 2, 4, "relu")
    layer(inputs, DOMAINS)
    for index, weight in enumerate(layer.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape))
    outputs = np.asarray(layer(inputs, DOMAINS))
    assert outputs.shape == (5, 2, 4)
    kernel, bias = np.asarray(layer.kernel), np.asarray(layer.bias)
    for row, domain in enumerate(DOMAINS):
        for copy in range(2):
            own = inputs[row] if len(shape) == 2 else inputs[row, copy]
            expected = np.maximum(own @ kernel[domain, copy] + bias[domain, copy], 0)
            np.testing.assert_allclose(outputs[row, copy], expected, rtol=1e-4, atol=1e-5)


def test_starts_as_a_lone_dense_layer_does():
    layer = DomainDense(50, 2, 4)
    layer(np.zeros((1, 6), "float32"), np.zeros(1, "int64"))
    kernel = np.asarray(layer.kernel)
    assert 0.9 * np.sqrt(0.6) < np.abs(kernel).max() <= np.sqrt(0.6)
    assert (np.asarray(layer.bias) == 0).all()
