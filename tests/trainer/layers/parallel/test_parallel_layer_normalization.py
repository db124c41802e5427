import numpy as np
import pytest

from mtlx.trainer.layers.parallel.parallel_layer_normalization import ParallelLayerNormalization


@pytest.mark.parametrize("copies", [1, 3])
def test_normalises_the_last_axis_with_own_weights(copies):
    random = np.random.RandomState(0)
    inputs = random.randn(4, copies, 5, 6).astype("float32")
    layer = ParallelLayerNormalization(3, epsilon=1e-3)
    layer.build(inputs.shape)
    scale, shift = random.randn(3, 5, 6), random.randn(3, 5, 6)
    layer.scale.assign(scale)
    layer.shift.assign(shift)
    mean, variance = inputs.mean(-1, keepdims=True), inputs.var(-1, keepdims=True)
    expected = (inputs - mean) / np.sqrt(variance + 1e-3) * scale + shift
    np.testing.assert_allclose(np.asarray(layer(inputs)), expected, rtol=1e-4, atol=1e-5)
