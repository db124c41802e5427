"""Trains a model on planted rows, and says how well it orders rows that it has not seen."""

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from mtlx.trainer.model.ranking_model import RankingModel

BATCH_ROWS = 256


def held_out_auc(inputs, settings, features, labels, epochs, seed=1, learning_rate=0.02):
    """AUC of the first task on the last quarter of the rows.

    Args:
        inputs, settings: of the model.
        features: by name, ``(n, ...)``.
        labels: ``(n,)`` of 0 and 1.
        epochs: over the other rows.

    Returns:
        The AUC, and the model.
    """
    keras.utils.set_random_seed(seed)
    model = RankingModel(inputs, settings)
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build(model.trainable_variables)

    @tf.function(autograph=False)
    def step(batch):
        features, labels = batch
        with tf.GradientTape() as tape:
            logits = model(features, training=True)["logits"][:, 0]
            loss = tf.reduce_mean(
                tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels, tf.float32), logits)
            )
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    trained = len(labels) * 3 // 4
    random = np.random.RandomState(seed)
    for _ in range(epochs):
        order = random.permutation(trained)
        for start in range(0, trained - BATCH_ROWS + 1, BATCH_ROWS):
            rows = order[start : start + BATCH_ROWS]
            step(({name: tf.constant(x[rows]) for name, x in features.items()}, labels[rows]))
    rest = {name: tf.constant(values[trained:]) for name, values in features.items()}
    logits = model(rest, training=False)["logits"][:, 0]
    return roc_auc_score(labels[trained:], logits), model
