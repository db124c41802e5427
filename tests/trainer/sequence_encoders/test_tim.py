"""TIM against the DTRN paper's equations, and what the paper promises of it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.ranking_model import RankingModel
from trainer.sequence_encoders import SEQUENCE_ENCODERS
from trainer.settings import ModelSettings
from transform.model_inputs import CategoricalInput, ModelInputs, SequenceInput, TaskSpec

KINDS = ["layer_norm", "qkv", "ffn_1", "ffn_2"]


def _generated(encoder, task, behaviour):
    """Eq. 2 of one pair, place by place, from the hypernetwork's weights."""
    layer = encoder.conditions
    types = np.concatenate([
        np.asarray(layer.task_types, "float64")[task],
        np.asarray(layer.behaviour_types, "float64")[behaviour],
    ])  # fmt: skip
    width, hidden_width = len(types) // 2, layer.feed_forward
    conditions = [{}, {}]
    for place, (block, name) in enumerate(layer.places):
        kernel, bias = (
            np.asarray(weight, "float64")[place]
            for weight in (layer.inner.kernel, layer.inner.bias)
        )
        hidden = np.maximum(types @ kernel + bias, 0)
        kernel, bias = (
            np.asarray(weight, "float64")[place] for weight in (layer.kernel, layer.bias)
        )
        values = hidden @ kernel + bias
        if layer.kind == "layer_norm":
            conditions[block][name] = values
        elif layer.kind == "qkv":
            conditions[block][name] = 1 + values.reshape(width, width)
        else:
            shape = (width, hidden_width) if name == "inner" else (hidden_width, width)
            count = shape[0] * shape[1]
            conditions[block][f"{name}_kernel"] = 1 + values[:count].reshape(shape)
            conditions[block][f"{name}_bias"] = 1 + values[count:]
    return conditions


@pytest.mark.parametrize("condition", KINDS)
def test_every_pair_has_its_own_conditional_transformer(reference, condition):
    encoder, interests = reference.build(
        "tim", feed_forward=6, generator_hidden=5, condition=condition
    )
    assert interests.shape == (3, 3, 2, 4)
    for row, target, sequences in reference.rows():
        for task in range(3):
            for behaviour, (items, real) in enumerate(sequences):
                first, second = _generated(encoder, task, behaviour)
                encoded = reference.block(encoder.encoder, 0, items, items, real, first)
                (expected,) = reference.block(
                    encoder.decoder, 0, target[None], encoded, real, second
                )
                np.testing.assert_allclose(
                    interests[row, task, behaviour], expected, rtol=1e-3, atol=1e-3
                )
    assert np.abs(interests[:, 0] - interests[:, 1]).max() > 0.01


@pytest.mark.parametrize("condition", KINDS)
def test_at_the_start_it_is_the_same_plain_transformer_for_all(reference, condition):
    keras.utils.set_random_seed(1)
    encoder = SEQUENCE_ENCODERS.build("tim", {"condition": condition}, reference.inputs)
    values, masks, target = reference.data()
    values = {name: value.astype("float32") for name, value in values.items()}
    interests = np.asarray(encoder(values, masks, target.astype("float32")))
    for row, target_item, sequences in reference.rows():
        for behaviour, (items, real) in enumerate(sequences):
            encoded = reference.block(encoder.encoder, 0, items, items, real)
            (expected,) = reference.block(encoder.decoder, 0, target_item[None], encoded, real)
            for task in range(3):
                np.testing.assert_allclose(interests[row, task, behaviour], expected, atol=1e-4)


def _parameters(tasks, behaviours, width=4):
    names = [f"s{index}" for index in range(behaviours)]
    inputs = ModelInputs(
        (), (), tuple(SequenceInput(name, "item", 3) for name in names), "item", ("all",),
        tuple(TaskSpec(f"t{index}", "t") for index in range(tasks)),
    )  # fmt: skip
    encoder = SEQUENCE_ENCODERS.build("tim", {}, inputs)
    values = {name: np.zeros((2, 3, width), "float32") for name in names}
    masks = {name: np.ones((2, 3), bool) for name in names}
    encoder(values, masks, np.zeros((2, width), "float32"))
    return encoder.count_params()


def test_only_type_embeddings_grow_with_tasks_and_behaviours():
    one = _parameters(1, 1)
    assert _parameters(4, 1) == one + 3 * 4
    assert _parameters(1, 5) == one + 4 * 4
    assert _parameters(4, 5) == one + 7 * 4


@pytest.mark.parametrize("name", ["tim", "dmt", "bst", "atrank", "dfn"])
def test_refuses_heads_that_do_not_divide_the_embedding(reference, name):
    with pytest.raises(
        ValueError, match="size 4 is not divisible by the 3 .*set the option 'heads'"
    ):
        reference.build(name, heads=3)


PAIR = (TaskSpec("click", "click"), TaskSpec("buy", "buy"))
ITEMS, LENGTH = 60, 4
PLANTED = ModelInputs(
    (CategoricalInput("item", ITEMS),),
    (),
    (SequenceInput("clicks", "item", LENGTH), SequenceInput("buys", "item", LENGTH)),
    "item",
    ("all",),
    PAIR,
)


def _planted(rows, seed):
    """Click is whether the item is among the clicks, buy whether it is among the buys."""
    random = np.random.RandomState(seed)
    features = {"item": random.randint(2, ITEMS, rows)}
    labels = []
    for name in ("clicks", "buys"):
        sequence = random.randint(2, ITEMS, (rows, LENGTH))
        planted = random.rand(rows) < 0.5
        sequence[planted, random.randint(0, LENGTH, rows)[planted]] = features["item"][planted]
        features[name] = sequence
        labels.append((sequence == features["item"][:, None]).any(axis=1))
    features = {name: tf.constant(values) for name, values in features.items()}
    return features, tf.constant(np.stack(labels, axis=1).astype("float32"))


def _held_out_loss(encoder, steps):
    keras.utils.set_random_seed(1)
    options = {"feed_forward": 16, "generator_hidden": 16} if encoder == "tim" else {}
    settings = ModelSettings(
        network="mmoe",
        options={"experts": 2, "expert_hidden": [16], "tower_hidden": [8]},
        embedding_size=8,
        sequence_encoder=encoder,
        sequence_options=options,
    )
    model = RankingModel(PLANTED, settings)
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)

    def losses(features, labels):
        logits = model(features, training=True)["logits"]
        values = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
        return tf.reduce_mean(values, axis=0)

    @tf.function(autograph=False)
    def step(features, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(losses(features, labels))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    for seed in range(steps):
        step(*_planted(256, seed))
    return losses(*_planted(4000, 10**6)).numpy()


def test_separates_tasks_that_read_different_sequences():
    pooled, conditional = (_held_out_loss(encoder, 300) for encoder in ("mean_pooling", "tim"))
    assert (conditional < 0.5 * pooled).all(), (pooled, conditional)


def test_a_whole_dtrn_learns_with_all_its_weights():
    """TIM, TRM and MMoE: one step changes every weight."""
    settings = ModelSettings(
        network="mmoe",
        options={"experts": 2, "expert_hidden": [8], "tower_hidden": [8]},
        embedding_size=4,
        sequence_encoder="tim",
        bottom="trm",
    )
    keras.utils.set_random_seed(1)
    model = RankingModel(PLANTED, settings)
    features, labels = _planted(64, 0)
    before = [np.array(variable) for variable in model.trainable_variables]
    with tf.GradientTape() as tape:
        logits = model(features, training=True)["logits"]
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.apply(
        [tf.convert_to_tensor(gradient) for gradient in gradients], model.trainable_variables
    )
    for variable, old, gradient in zip(model.trainable_variables, before, gradients, strict=True):
        values = np.asarray(tf.convert_to_tensor(gradient))
        assert np.isfinite(values).all() and (values != 0).any(), variable.path
        assert (np.array(variable) != old).any(), variable.path
