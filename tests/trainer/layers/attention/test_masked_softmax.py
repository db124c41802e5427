import numpy as np
import tensorflow as tf

from mtlx.trainer.layers.attention.masked_softmax import masked_softmax


def test_weights_of_real_positions_sum_to_1_and_others_are_0():
    scores = np.asarray([[1.0, 2.0, 50.0], [3.0, 1.0, 0.5]])
    mask = np.asarray([[True, True, False], [True, True, True]])
    weights = np.asarray(masked_softmax(scores, mask))
    first = np.exp([1.0, 2.0])
    np.testing.assert_allclose(weights[0], [*(first / first.sum()), 0.0], rtol=1e-6)
    np.testing.assert_allclose(weights[1], np.exp(scores[1]) / np.exp(scores[1]).sum(), rtol=1e-6)


def test_nothing_real_gives_zeros_and_no_gradient():
    scores = tf.Variable([[1.0, 2.0], [3.0, 1.0]])
    with tf.GradientTape() as tape:
        weights = masked_softmax(scores, np.asarray([[False, False], [True, True]]))
        loss = tf.reduce_sum(weights * [[1.0, 2.0]])
    gradient = np.asarray(tape.gradient(loss, scores))
    np.testing.assert_array_equal(weights[0], [0.0, 0.0])
    np.testing.assert_array_equal(gradient[0], [0.0, 0.0])
    assert np.isfinite(gradient).all() and (gradient[1] != 0).all()


def test_a_mask_of_fewer_axes_and_half_precision():
    scores = tf.zeros((2, 3, 4), tf.float16)
    mask = np.asarray([[[True, True, False, False]], [[False] * 4]])
    weights = masked_softmax(scores, mask)
    assert weights.dtype == tf.float16
    np.testing.assert_array_equal(weights[0], [[0.5, 0.5, 0, 0]] * 3)
    np.testing.assert_array_equal(weights[1], np.zeros((3, 4)))
