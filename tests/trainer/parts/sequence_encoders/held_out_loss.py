"""Trains a small model on a planted signal, and says how well it does on rows it has not seen."""

import keras
import numpy as np
import tensorflow as tf

from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    SequenceInput,
    TaskSpec,
)

LENGTH = 4


def parity_of_last_click(rows, items, seed):
    """The label is whether the most recent click has an even number; lengths vary."""
    random = np.random.RandomState(seed)
    lengths = random.randint(1, LENGTH + 1, rows)
    clicks = random.randint(2, items, (rows, LENGTH))
    last = clicks[np.arange(rows), lengths - 1]
    clicks = np.where(np.arange(LENGTH) < lengths[:, None], clicks, 0)
    return random.randint(2, items, rows), clicks, last % 2 == 0


def held_out_loss(encoder, signal, items, steps=300, options=None):
    """Cross-entropy of Shared-Bottom over the encoder, on 4,000 further rows."""
    keras.utils.set_random_seed(1)
    inputs = ModelInputs(
        (CategoricalInput("item", items),),
        (),
        (SequenceInput("clicks", "item", LENGTH),),
        "item",
        ("all",),
        (TaskSpec("click", "click"),),
    )
    settings = ModelSettings(
        network="shared_bottom",
        options={"bottom_hidden": [16], "tower_hidden": [8]},
        embedding_size=8,
        sequence_encoder=encoder,
        sequence_options=options or {},
    )
    model = RankingModel(inputs, settings)
    # At 0.02 a Transformer that normalises behind its residuals may learn nothing at all.
    optimizer = keras.optimizers.Adam(0.005)
    optimizer.build(model.trainable_variables)

    def mean_loss(item, clicks, labels):
        logits = model({"item": item, "clicks": clicks}, training=True)["logits"]
        labels = tf.cast(labels, tf.float32)[:, None]
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))

    @tf.function(autograph=False)
    def step(item, clicks, labels):
        with tf.GradientTape() as tape:
            loss = mean_loss(item, clicks, labels)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    def tensors(rows, seed):
        return [tf.constant(values) for values in signal(rows, items, seed)]

    for seed in range(steps):
        step(*tensors(256, seed))
    return float(mean_loss(*tensors(4000, 10**6)))
