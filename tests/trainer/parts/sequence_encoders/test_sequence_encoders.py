"""What training and export ask of every encoder: graphs, half precision, empty sequences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS

each_encoder = pytest.mark.parametrize(
    "name", [name for name in SEQUENCE_ENCODERS if name != "none"]
)


def _inputs(reference):
    values, masks, target = reference.data()
    values = {name: tf.constant(value, tf.float32) for name, value in values.items()}
    masks = {name: tf.constant(mask) for name, mask in masks.items()}
    return values, masks, tf.constant(target, tf.float32)


@each_encoder
def test_a_graph_for_any_number_of_rows_gives_the_same(reference, name):
    encoder = SEQUENCE_ENCODERS.build(name, {}, reference.inputs)
    inputs = _inputs(reference)
    expected = np.asarray(encoder(*inputs))
    specs = tf.nest.map_structure(
        lambda tensor: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype), inputs
    )
    graph = tf.function(
        lambda values, masks, target: encoder(values, masks, target),
        input_signature=specs,
        autograph=False,
    )
    np.testing.assert_allclose(graph(*inputs), expected, atol=1e-5)


@each_encoder
def test_what_lies_in_the_padding_does_not_matter(reference, name):
    encoder = SEQUENCE_ENCODERS.build(name, {}, reference.inputs)
    values, masks, target = _inputs(reference)
    other = {n: tf.where(masks[n][..., None], value, 7.0) for n, value in values.items()}
    expected = np.asarray(encoder(values, masks, target))
    np.testing.assert_allclose(encoder(other, masks, target), expected, atol=1e-5)


@each_encoder
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_gives_finite_values_and_gradients(reference, name, policy):
    keras.config.set_dtype_policy(policy)
    try:
        encoder = SEQUENCE_ENCODERS.build(name, {}, reference.inputs)
        values, masks, target = _inputs(reference)
        with tf.GradientTape() as tape:
            tape.watch((values, target))
            interests = encoder(values, masks, target)
            loss = tf.reduce_mean(tf.cast(interests, tf.float32) ** 2)
        gradients = tape.gradient(loss, [values, target, encoder.trainable_variables])
    finally:
        keras.config.set_dtype_policy("float32")
    assert interests.dtype == policy.removeprefix("mixed_")
    gradients = [gradient for gradient in tf.nest.flatten(gradients) if gradient is not None]
    assert len(gradients) >= 2
    for values in (interests, *gradients):
        assert np.isfinite(tf.cast(tf.convert_to_tensor(values), tf.float32)).all()
