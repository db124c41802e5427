"""A behaviour that is an item and its category together, from the embedding to the interests."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    SequenceInput,
    SequencePart,
    TaskSpec,
)
from tests.trainer.parts.sequence_encoders.held_out_auc import held_out_auc

#: So many items that a model sees each a few times only.
ITEMS, CATEGORIES, LENGTH, ROWS = 8_000, 20, 5, 32_000
READERS = [name for name in SEQUENCE_ENCODERS if name != "none"]


def _inputs(items=ITEMS, categories=True):
    parts = (SequencePart("clicks.category", "category"),) if categories else ()
    return ModelInputs(
        (CategoricalInput("item", items + 3), CategoricalInput("category", CATEGORIES + 3)),
        (),
        (SequenceInput("clicks", "item", LENGTH, parts),),
        "item",
        ("all",),
        (TaskSpec("click", "click"),),
    )


def _rows(seed):
    """The label is likely where an item of the target's category is among the clicks.

    In two of five rows one is put there. The last value is the probability of the label.
    """
    random = np.random.RandomState(seed)
    category = random.randint(3, CATEGORIES + 3, ITEMS + 3)
    by_category = np.argsort(category[3:], kind="stable") + 3
    counts = np.bincount(category[3:], minlength=CATEGORIES + 3)
    starts = np.cumsum(counts) - counts
    item = random.randint(3, ITEMS + 3, ROWS)
    clicks = random.randint(3, ITEMS + 3, (ROWS, LENGTH))
    rows = np.flatnonzero(random.rand(ROWS) < 0.4)
    wanted = category[item[rows]]
    places = starts[wanted] + (random.rand(len(rows)) * counts[wanted]).astype(int)
    clicks[rows, random.randint(LENGTH, size=len(rows))] = by_category[places]
    match = (category[clicks] == category[item][:, None]).any(axis=1)
    probability = np.where(match, 0.9, 0.05)
    features = {"item": item, "category": category[item]}
    features |= {"clicks": clicks, "clicks.category": category[clicks]}
    return features, random.rand(ROWS) < probability, probability


@pytest.mark.parametrize("seed", [1, 2])
def test_what_hangs_on_the_categories_of_rare_items_is_learnt(seed):
    """The best possible AUC is that of the labels' own probabilities."""
    features, labels, probability = _rows(seed)
    rest = len(labels) * 3 // 4
    best = roc_auc_score(labels[rest:], probability[rest:])
    settings = ModelSettings(
        network="shared_bottom",
        options={"bottom_hidden": [16], "tower_hidden": [8]},
        embedding_size=8,
        sequence_encoder="din",
    )
    together, _ = held_out_auc(_inputs(), settings, features, labels, 2, seed)
    items, _ = held_out_auc(_inputs(categories=False), settings, features, labels, 2, seed)
    assert together - 0.5 > 0.9 * (best - 0.5), (together, items, best)
    assert items < 0.55, (together, items, best)


@pytest.mark.parametrize("encoder", READERS)
def test_every_encoder_reads_both_and_trains_all_weights(encoder):
    keras.utils.set_random_seed(1)
    inputs = _inputs(items=9)
    settings = ModelSettings(network="mmoe", embedding_size=4, sequence_encoder=encoder)
    model = RankingModel(inputs, settings)
    random = np.random.RandomState(1)
    for variable in model.trainable_variables:
        variable.assign(random.normal(0.0, 0.5, variable.shape))
    clicks = random.randint(1, 12, (16, LENGTH)) * (np.arange(LENGTH) < 3)
    features = {"item": random.randint(1, 12, 16), "category": random.randint(1, 12, 16)}
    features |= {"clicks": clicks, "clicks.category": clicks}
    features = {name: tf.constant(values) for name, values in features.items()}
    with tf.GradientTape() as tape:
        expected = model(features)["logits"]
        loss = tf.reduce_sum(expected**2)
    for variable, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
    ):
        assert (np.asarray(tf.convert_to_tensor(gradient)) != 0).any(), variable.path
    for key in ("clicks", "clicks.category"):
        other = {**features, key: tf.where(clicks > 0, clicks % 11 + 1, 0)}
        moved = np.abs(model(other)["logits"] - expected).max(axis=1)
        assert (moved > 1e-6).all(), key
        with pytest.raises(ValueError, match=f"{key}.* missing"):
            model({name: values for name, values in features.items() if name != key})
