import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP
from mtlx.trainer.layers.parallel.towers import Towers


def test_is_a_chain_of_dense_layers():
    keras.utils.set_random_seed(1)
    inputs = np.random.RandomState(0).randn(6, 5).astype("float32")
    layer = ParallelMLP(2, [4, 3])
    outputs = np.asarray(layer(inputs))
    kernels = [np.asarray(dense.kernel) for dense in layer.hidden_layers]
    for copy in range(2):
        hidden = inputs
        for kernel in kernels:
            hidden = np.maximum(hidden @ kernel[copy], 0)
        np.testing.assert_allclose(outputs[:, copy], hidden, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(6, 5), (6, 2, 5)])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_copies_apart_give_what_they_give_together(shape, dropout):
    """The same values, gradients and dropped units as one contraction of all copies per layer."""
    inputs = tf.constant(np.random.RandomState(0).randn(*shape), "float32")

    def contracted(layer):
        outputs = inputs
        for dense in layer.hidden_layers:
            equation = "bi,cio->bco" if len(outputs.shape) == 2 else "bci,cio->bco"
            outputs = tf.nn.relu(tf.einsum(equation, outputs, dense.kernel.value) + dense.bias)
            outputs = layer.dropout(outputs, training=True)
        return outputs

    found = []
    for call in (
        contracted,
        lambda layer: layer(inputs, training=True),
        lambda layer: tf.stack(layer(inputs, training=True, apart=True), axis=1),
    ):
        keras.utils.set_random_seed(1)
        layer = ParallelMLP(2, [4, 3], dropout)
        layer(inputs)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = call(layer)
            total = tf.reduce_sum(tf.sin(outputs))
        assert outputs.shape == (6, 2, 3)
        weights = [weight.value for weight in layer.trainable_weights]
        found.append([outputs, *tape.gradient(total, [inputs, *weights])])
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            assert np.abs(one).max() > 0
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_drops_units_in_training_only():
    keras.utils.set_random_seed(1)
    inputs = np.ones((64, 8), "float32")
    layer = ParallelMLP(1, [32], dropout=0.5)
    calm, dropped = np.asarray(layer(inputs)), np.asarray(layer(inputs, training=True))
    assert np.ptp(calm, axis=0).max() < 1e-6
    assert 0.4 < (dropped[calm > 0] == 0).mean() < 0.6


def test_refuses_no_layer():
    with pytest.raises(ValueError, match="at least one layer"):
        ParallelMLP(1, [])


def test_linear_towers_are_linear():
    inputs = np.random.RandomState(0).randn(6, 2, 5).astype("float32")
    layer = Towers(2, [])
    outputs = np.asarray(layer(inputs))
    kernel = np.asarray(layer.output_layer.kernel)
    expected = np.stack([inputs[:, t] @ kernel[t, :, 0] for t in range(2)], axis=1)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
