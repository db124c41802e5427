import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.ranking_model import RankingModel
from trainer.settings import ModelSettings
from transform.model_inputs import CategoricalInput, ModelInputs, SequenceInput, TaskSpec


@pytest.mark.parametrize("softmax", [False, True])
def test_behaviours_are_weighed_by_the_local_activation_unit(reference, softmax):
    encoder, interests = reference.build("din", hidden=[6, 5], softmax=softmax)
    assert interests.shape == (3, 2, 4)
    for row, target, sequences in reference.rows():
        for copy, (items, real) in enumerate(sequences):
            scores = []
            for item in items:
                hidden = np.concatenate([item, target, item - target, item * target])
                for layer in encoder.hidden_layers:
                    hidden = 1 / (1 + np.exp(-reference.dense(layer, hidden, copy)))
                scores.append(reference.dense(encoder.output_layer, hidden, copy)[0])
            weights = reference.softmax(scores, real) if softmax else np.where(real, scores, 0)
            expected = sum(w * item for w, item in zip(weights, items, strict=True))
            np.testing.assert_allclose(interests[row, copy], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(interests[1, 1], np.zeros(4))


ITEMS, LENGTH = 60, 4
PLANTED = ModelInputs(
    (CategoricalInput("item", ITEMS),),
    (),
    (SequenceInput("clicks", "item", LENGTH),),
    "item",
    ("all",),
    (TaskSpec("click", "click"),),
)


def _planted(rows, seed):
    """The label is whether the item is among the clicks."""
    random = np.random.RandomState(seed)
    item = random.randint(2, ITEMS, rows)
    clicks = random.randint(2, ITEMS, (rows, LENGTH))
    planted = random.rand(rows) < 0.5
    clicks[planted, random.randint(0, LENGTH, rows)[planted]] = item[planted]
    labels = (clicks == item[:, None]).any(axis=1, keepdims=True).astype("float32")
    return {"item": tf.constant(item), "clicks": tf.constant(clicks)}, tf.constant(labels)


def _held_out_loss(encoder, steps=300):
    keras.utils.set_random_seed(1)
    settings = ModelSettings(
        network="shared_bottom",
        options={"bottom_hidden": [16], "tower_hidden": [8]},
        embedding_size=8,
        sequence_encoder=encoder,
    )
    model = RankingModel(PLANTED, settings)
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(model.trainable_variables)

    def mean_loss(features, labels):
        logits = model(features, training=True)["logits"]
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))

    @tf.function(autograph=False)
    def step(features, labels):
        with tf.GradientTape() as tape:
            loss = mean_loss(features, labels)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    for seed in range(steps):
        step(*_planted(256, seed))
    return float(mean_loss(*_planted(4000, 10**6)))


def test_finds_the_target_among_the_behaviours_sooner_than_their_mean():
    pooled, weighed = (_held_out_loss(encoder) for encoder in ("mean_pooling", "din"))
    assert weighed < 0.25 * pooled, (pooled, weighed)
