import numpy as np
import pytest

from mtlx.trainer.layers.attention.sequence_dense import SequenceDense

RANDOM = np.random.RandomState(0)
INPUTS = RANDOM.randn(3, 2, 5, 4).astype("float32")
KERNEL_FACTOR, BIAS_FACTOR = RANDOM.rand(2, 4, 6), RANDOM.rand(2, 6)


@pytest.mark.parametrize("copies", [None, 2])
@pytest.mark.parametrize("factors", [False, True])
def test_every_sequence_by_itself(copies, factors):
    layer = SequenceDense(6, copies, "relu")
    layer(INPUTS)
    layer.bias.assign(RANDOM.randn(*layer.bias.shape))
    outputs = np.asarray(layer(INPUTS, *([KERNEL_FACTOR, BIAS_FACTOR] if factors else [])))
    kernels = np.broadcast_to(np.asarray(layer.kernel), (2, 4, 6))
    biases = np.broadcast_to(np.asarray(layer.bias), (2, 6))
    if factors:
        kernels, biases = kernels * KERNEL_FACTOR, biases * BIAS_FACTOR
    for place in np.ndindex(3, 2, 5):
        expected = np.maximum(INPUTS[place] @ kernels[place[1]] + biases[place[1]], 0)
        np.testing.assert_allclose(outputs[place], expected, rtol=1e-4, atol=1e-5)


def test_kernels_are_drawn_as_those_of_lone_layers():
    layer = SequenceDense(300, 3)
    layer.build((None, 3, 5, 100))
    kernel = np.asarray(layer.kernel)
    assert abs(kernel.std() - np.sqrt(2 / 400)) < 0.002
    assert np.abs(kernel[0] - kernel[1]).max() > 0.01


def test_one_sequence_alone_is_multiplied_likewise():
    layer = SequenceDense(6, 2, "tanh")
    layer(INPUTS)
    layer.bias.assign(RANDOM.randn(2, 6))
    expected = np.asarray(layer(INPUTS))
    for copy in range(2):
        found = np.asarray(layer.of_copy(INPUTS[:, copy].reshape(-1, 4), copy))
        np.testing.assert_allclose(found.reshape(3, 5, 6), expected[:, copy], atol=1e-6)
