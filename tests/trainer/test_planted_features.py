"""Labels that hang on one kind of feature each: only what takes it in reaches the best AUC.

Without it, from the same log (AUC with, without, best possible): weights of several values 0.909,
0.767, 0.918; a direction of a vector 0.907, 0.493, 0.914; a pair that is crossed 0.938, 0.597, 0.934;
vectors of items that are too rare to be learnt 0.852, 0.779, 0.880; what is relevant, behind clicks
that hang on the position as much, 0.803, 0.641, 0.820. Of another seed, with: 0.916 of 0.922, 0.904 of
0.912, 0.924 of 0.925, 0.855 of 0.888, 0.777 of 0.811 (0.671 with the position served).
"""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.pretrained.given_vectors import GivenVectors
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.serving.scoring import Scorer
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.warm_start.warm_start import vocabularies_of
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.contract.data_contract import DataContract
from tests.shared_between_processes import made_once
from tests.trainer import served_log

ROWS, TESTED = 9000, 3000
GENRES, PLACES, ITEMS, SIZE = 8, 12, 2500, 6
TASKS = ("weights", "direction", "pair", "vectors", "click")
FEATURES = {
    "genres": {"kind": "categorical", "multiple": True, "weights": "genre_weights",
               "pooling": "sum", "max_values": 3},
    "text": {"kind": "vector", "size": SIZE, "standardise": True},
    "here": {"kind": "categorical"},
    "there": {"kind": "categorical"},
    "both": {"kind": "cross", "of": ["here", "there"], "hash_buckets": 1000},
    "item": {"kind": "categorical", "pretrained": {"path": "", "size": SIZE}},
    "quality": {"kind": "numeric"},
    "position": {"kind": "numeric", "serve_as": 1},
}  # fmt: skip


def _probabilities(logit):
    return 1 / (1 + np.exp(-logit))


def make_frame(seed):
    """The log, the probability of each label, and the relevance without the position's part."""
    random = np.random.default_rng(seed)
    genres = np.stack([random.permutation(GENRES)[:3] for _ in range(ROWS)])
    weights = random.integers(1, 9, genres.shape) / 4
    taste = np.where(np.arange(GENRES) % 2, 1.5, -1.5)
    text = random.normal(5, 2, (ROWS, SIZE))
    here, there = random.integers(0, PLACES, (2, ROWS))
    sign = np.random.default_rng(99).choice([-2.5, 2.5], (PLACES, PLACES))
    vectors = random.normal(size=(ITEMS, SIZE))
    item = random.integers(0, ITEMS, ROWS)
    quality = random.normal(size=ROWS)
    # An earlier ranking put rows on top by what has nothing to do with their quality.
    position = random.integers(1, 11, ROWS)
    logits = {
        "weights": (weights * taste[genres]).sum(axis=1),
        "direction": (text - 5) @ np.array([1.0, -1.0, 0.5, 0, 0, 0]),
        "pair": sign[here, there],
        "vectors": 1.5 * vectors[item] @ np.array([1.0, 0, 0, -1.0, 0, 0.5]),
        "click": 1.5 * quality - 0.6 * (position - 1),
    }
    frame = pd.DataFrame(
        {
            "genres": [[f"g{n}" for n in row] for row in genres],
            "genre_weights": list(weights),
            "text": list(text),
            "here": [f"h{n}" for n in here],
            "there": [f"t{n}" for n in there],
            "item": [f"i{n}" for n in item],
            "quality": quality,
            "position": position,
            **{
                task: (random.random(ROWS) < _probabilities(logit)).astype(int)
                for task, logit in logits.items()
            },
        }
    )
    relevant = (random.random(ROWS) < _probabilities(1.5 * quality)).astype(int)
    return SimpleNamespace(frame=frame, logits=logits, relevant=relevant, vectors=vectors)


def _made(folder, seed=1, features=FEATURES):
    """Trains on all rows but the last, and exports; AUC by task beside the best possible one."""
    made = make_frame(seed)
    table = {"value": [f"i{n}" for n in range(ITEMS)], "vector": list(made.vectors)}
    path = folder / "vectors.parquet"
    pd.DataFrame(table).to_parquet(path)
    features = json.loads(json.dumps(features).replace('"path": ""', f'"path": "{path}"'))
    contract = DataContract.read(
        {"features": features, "tasks": {task: {"label": task} for task in TASKS}}
    )
    (folder / "logs").mkdir()
    made.frame[: ROWS - TESTED].to_parquet(folder / "logs" / "log.parquet")
    served_log._ingest(folder, contract, "log")
    transformed = served_log._transform(folder, contract, "log")
    rows = served_log._training_rows(folder, transformed)
    keras.utils.set_random_seed(seed)
    inputs = build_model_inputs(contract, transformed)
    settings = ModelSettings(network="single_task", options={"hidden": [32]}, embedding_size=8)
    model = build_model(inputs, settings)
    GivenVectors(contract, vocabularies_of(contract, transformed)).given_to(model)
    _train(model, rows, seed)
    ServedModel(model, transformed, contract).save(str(folder / "model"))
    tested = made.frame[ROWS - TESTED :]
    scores = Scorer(str(folder / "model")).score(
        tested.drop(columns=[contract.column(name) for name in contract.training_only])
    )
    found = {
        task: (
            roc_auc_score(tested[task], scores[task]),
            roc_auc_score(tested[task], made.logits[task][ROWS - TESTED :]),
        )
        for task in TASKS
    }
    relevant = made.relevant[ROWS - TESTED :]
    best = roc_auc_score(relevant, tested["quality"])
    found["relevance"] = roc_auc_score(relevant, scores["click"]), best
    # The same weights, with the position as an ordinary feature of every request.
    position = {"kind": "numeric"}
    ordinary = DataContract.read(
        {**contract.model_dump(), "features": {**contract.model_dump()["features"],
                                               "position": position}}
    )  # fmt: skip
    ServedModel(model, transformed, ordinary).save(str(folder / "ordinary"))
    scores = Scorer(str(folder / "ordinary")).score(tested)
    found["ordinary relevance"] = roc_auc_score(relevant, scores["click"]), best
    return {name: (float(auc), float(best)) for name, (auc, best) in found.items()}


def _train(model, rows, seed, epochs=14):
    labels = tf.cast(tf.stack([rows[task] for task in TASKS], axis=1), tf.float32)
    data = tf.data.Dataset.from_tensor_slices((dict(rows), labels))
    data = data.shuffle(ROWS, seed=seed).batch(256, drop_remainder=True)
    optimizer = keras.optimizers.Adam(0.006)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(features, label):
        with tf.GradientTape() as tape:
            logits = model(features, training=True)["logits"]
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(label, logits))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    for _ in range(epochs):
        for features, label in data:
            step(features, label)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return made_once(tmp_path_factory, "planted-features", _made)


def _share(auc, best):
    """Of the way from chance to the best possible."""
    return (auc - 0.5) / (best - 0.5)


@pytest.mark.parametrize("task", ["weights", "direction", "pair", "vectors", "relevance"])
def test_what_hangs_on_the_feature_alone_is_learnt(found, task):
    auc, best = found[task]
    assert best > 0.8
    assert _share(auc, best) > 0.85


def test_a_served_position_would_rank_by_what_was_shown_before(found):
    """The same model, asked with the positions of an earlier ranking."""
    auc, best = found["ordinary relevance"]
    assert _share(auc, best) < 0.65
    assert found["relevance"][0] > auc + 0.08
