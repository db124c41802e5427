import keras
import numpy as np
import pytest

from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense


@pytest.mark.parametrize("copies_first", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_every_copy_is_a_dense_layer(shared, copies_first):
    keras.utils.set_random_seed(1)
    random = np.random.RandomState(0)
    inputs = random.randn(5, 7).astype("float32") if shared else random.randn(5, 3, 7)
    layer = ParallelDense(3, 4, "relu", copies_first=copies_first)
    turned = copies_first and not shared
    given = (inputs.transpose(1, 0, 2) if turned else inputs).astype("float32")
    layer(given)
    layer.bias.assign(random.randn(3, 4))
    outputs = np.asarray(layer(given))
    if copies_first:
        outputs = outputs.transpose(1, 0, 2)
    kernel, bias = np.asarray(layer.kernel), np.asarray(layer.bias)
    for copy in range(3):
        own = inputs if shared else inputs[:, copy]
        expected = np.maximum(own @ kernel[copy] + bias[copy], 0)
        np.testing.assert_allclose(outputs[:, copy], expected, rtol=1e-5, atol=1e-5)


def test_copies_start_differently_within_the_limits_of_a_lone_layer():
    keras.utils.set_random_seed(1)
    layer = ParallelDense(8, 50)
    layer.build((None, 100))
    kernel = np.asarray(layer.kernel)
    limit = np.sqrt(6 / 150)
    assert 0.98 * limit < np.abs(kernel).max() <= limit
    assert not np.allclose(kernel[0], kernel[1])
