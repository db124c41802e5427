import numpy as np
import tensorflow as tf

from mtlx.trainer.layers.attention.masked_mean import masked_mean


def test_averages_real_positions_and_is_safe_for_none():
    values = tf.constant(np.random.RandomState(0).randn(3, 4, 2).astype("float32"))
    mask = np.asarray([[True, True, False, False], [True] * 4, [False] * 4])
    with tf.GradientTape() as tape:
        tape.watch(values)
        mean = masked_mean(values, mask)
    np.testing.assert_allclose(mean[0], values.numpy()[0, :2].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(mean[1], values.numpy()[1].mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(mean[2], np.zeros(2))
    gradient = tape.gradient(mean, values).numpy()
    np.testing.assert_allclose(gradient[0, :, 0], [0.5, 0.5, 0, 0])
    np.testing.assert_array_equal(gradient[2], np.zeros((4, 2)))
