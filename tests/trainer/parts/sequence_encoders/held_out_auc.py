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
    model, step = _start(inputs, settings, seed, learning_rate)
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


#: A model of each kind, its step and what that started from: another seed needs no other graph.
_STARTED = {}


def _start(inputs, settings, seed, learning_rate):
    """A model as it starts from a seed, and its step."""
    keras.utils.set_random_seed(seed)
    model = RankingModel(inputs, settings)
    key = (inputs, settings.to_json(), learning_rate)
    if key not in _STARTED:
        optimizer = keras.optimizers.Adam(learning_rate)
        optimizer.build(model.trainable_variables)
        state = [np.array(variable) for variable in optimizer.variables]
        _STARTED[key] = model, optimizer, state, _step(model, optimizer)
    first, optimizer, state, step = _STARTED[key]
    for variable, value in zip(first.variables, model.variables, strict=True):
        variable.assign(value)
    for variable, value in zip(optimizer.variables, state, strict=True):
        variable.assign(value)
    return first, step


def _step(model, optimizer):
    @tf.function(autograph=False)
    def step(batch):
        features, labels = batch
        with tf.GradientTape() as tape:
            logits = model(features, training=True)["logits"][:, 0]
            loss = tf.reduce_mean(
                tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels, tf.float32), logits)
            )
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    return step
