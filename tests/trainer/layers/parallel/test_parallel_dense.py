import keras
import numpy as np
import pytest

from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense


@pytest.mark.parametrize("runs", [(3,), (1, 1, 1), (1, 2)])
@pytest.mark.parametrize("apart", [True, False])
def test_every_copy_is_a_dense_layer(runs, apart):
    """Of a run of copies with one input, too, as tensor or as list, and so do the outputs lie."""
    keras.utils.set_random_seed(1)
    random = np.random.RandomState(0)
    parts = [random.randn(5, 7).astype("float32") for _ in runs]
    inputs = [part for part, size in zip(parts, runs, strict=True) for _ in range(size)]
    layer = ParallelDense(3, 4, "relu")
    layer.build((None, 7))
    layer.bias.assign(random.randn(3, 4))
    kernel, bias = np.asarray(layer.kernel), np.asarray(layer.bias)
    expected = [np.maximum(x @ w + b, 0) for x, w, b in zip(inputs, kernel, bias, strict=True)]
    found = layer(parts, runs=runs, apart=apart)
    assert isinstance(found, list) == apart
    found = np.stack(found, axis=1) if apart else np.asarray(found)
    np.testing.assert_allclose(found, np.stack(expected, axis=1), rtol=1e-5, atol=1e-5)
    if len(runs) in (1, 3):
        given = parts[0] if len(runs) == 1 else np.stack(parts, axis=1)
        np.testing.assert_allclose(np.asarray(layer(given)), found, rtol=1e-5, atol=1e-5)


def test_copies_start_differently_within_the_limits_of_a_lone_layer():
    keras.utils.set_random_seed(1)
    layer = ParallelDense(8, 50)
    layer.build((None, 100))
    kernel = np.asarray(layer.kernel)
    limit = np.sqrt(6 / 150)
    assert 0.98 * limit < np.abs(kernel).max() <= limit
    assert not np.allclose(kernel[0], kernel[1])
