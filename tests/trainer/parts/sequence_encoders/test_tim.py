"""TIM against the DTRN paper's equations, and what the paper promises of it."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.planted_sequences import SEQUENCE_PER_TASK, Learning
from mtlx.trainer.layers.field_embedding import FieldEmbedding
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.contract.model_inputs import ModelInputs, SequenceInput, TaskSpec

KINDS = ["layer_norm", "qkv", "ffn_1", "ffn_2"]
#: Labels that nearly always follow the rule show it in half of the rows.
PLANTED = dataclasses.replace(SEQUENCE_PER_TASK, rows=10_000, likely=0.95)


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


class OneReadOut(GradientModel):
    """One linear read-out of a task's interests, the same for all tasks."""

    def __init__(self, condition):
        super().__init__()
        inputs = SEQUENCE_PER_TASK.inputs
        self.embedding = FieldEmbedding(inputs, Learning.WIDTH)
        self.encoder = SEQUENCE_ENCODERS.build("tim", {"condition": condition}, inputs)
        self.read_out = keras.layers.Dense(1)

    def call(self, features, training=False):
        embedded = self.embedding(features)
        interests = self.encoder(embedded.sequences, embedded.masks, embedded.target)
        tasks, behaviours, width = interests.shape[1:]
        interests = tf.reshape(interests, (-1, tasks, behaviours * width))
        return {"logits": self.read_out(interests)[..., 0]}


@pytest.mark.parametrize("condition", KINDS)
def test_separates_tasks_that_read_different_sequences(condition):
    """What follows is the same for all tasks: the conditions alone can tell them apart."""
    learning = Learning(PLANTED, "tim", build=lambda: OneReadOut(condition))
    columns, probabilities = PLANTED.sample(10_000, 0)
    # The best that a model can do which gives both tasks the same score.
    same = [area_under_curve(columns[task], probabilities.sum(axis=1)) for task in PLANTED.tasks]
    aucs, enough = [np.zeros(2)], same + 0.8 * (learning.best() - same)
    while len(aucs) <= 6 and (aucs[-1] < enough).any():
        aucs.append(learning.epoch())
    assert (aucs[-1] > enough).all(), (aucs, same)


def _two_sequences(rows):
    columns, _ = SEQUENCE_PER_TASK.sample(rows, 0)
    labels = np.stack([columns.pop(task) for task in SEQUENCE_PER_TASK.tasks], axis=1)
    features = {name: tf.constant(values) for name, values in columns.items()}
    return features, tf.constant(labels.astype("float32"))


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
    model = RankingModel(SEQUENCE_PER_TASK.inputs, settings)
    features, labels = _two_sequences(64)
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
