"""Validation rows are what a request would be: nothing chooses by what serving does not know.

Clicks hang on the position that an earlier ranking gave, and little else. `hint` says what that
ranking went by, with noise: a model that is short of the position takes what the hint says, one that
has learnt the position drops it. So the more a model leans on the position the better it is on
validation rows whose position is told, and the worse on requests.
"""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import log_loss, roc_auc_score

from mtlx.components.one_pass_transform.example_transformer import transform_file
from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.serving.training_only import RowsAsServed
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.example_sets import example_sets
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods import TRAINING_METHODS
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.contract.data_contract import DataContract
from tests.trainer import served_log
from tests.trainer.conftest import encode

FEATURES = {
    "hint": {"kind": "numeric", "transform": "none"},
    "city": {"kind": "categorical"},
    "position": {"kind": "numeric", "transform": "none", "serve_as": 0},
    "slot": {"kind": "categorical", "dropped": True},
    "city_slot": {"kind": "cross", "of": ["city", "slot"], "hash_buckets": 20},
}
CONTRACT = {"features": FEATURES, "tasks": {"click": {"label": "click"}}}
LINEAR = {"network": "single_task", "options": {"hidden": [4]}, "embedding_size": 2}
TRAINING = {"batch_size": 100, "shuffle_rows": 4000, "learning_rate": 0.02, "patience": None}


def _rows(number, seed):
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(number):
        position = random.normal()
        hint = 4 * (0.5 * position + random.normal())
        click = int(random.random() < 1 / (1 + np.exp(-5 * position)))
        rows.append(
            {"hint": float(hint), "city": [f"c{random.integers(5)}"], "position": 0.5 * position,
             "slot": [f"s{int(position > 0)}"], "click": click}
        )  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("as_served")
    contract = DataContract.read(CONTRACT)
    rows = {"train": _rows(3000, 1), "validation": _rows(1500, 2)}
    for split, own in rows.items():
        path = folder / "log" / "examples" / "1" / f"Split-{split}"
        path.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(path / "data.gz"), "GZIP") as writer:
            for row in own:
                writer.write(encode(row))
    transformed = served_log._transform(folder, contract, "log")
    for split in rows:
        source = str(folder / "log" / "examples" / "1" / f"Split-{split}" / "data.gz")
        target = str(folder / f"{split}.gz")
        transform_file((source, target), f"{folder}/log-graph", str(folder / "unfinished"))
    return SimpleNamespace(
        folder=folder, contract=contract, transformed=transformed,
        inputs=build_model_inputs(contract, transformed),
        labels=np.array([row["click"] for row in rows["validation"]]),
        # Without what a request does not have.
        requests=tf.constant(
            [encode({key: row[key] for key in ("hint", "city")}) for row in rows["validation"]]
        ),
    )  # fmt: skip


@pytest.fixture
def job(log, tmp_path):
    """Of a model and settings of a training, as `run_fn` makes it."""

    def made(model, **training):
        settings = TrainingSettings.read({**TRAINING, **training})
        strategy = tf.distribute.get_strategy()
        checkpoints = CheckpointFolder(str(tmp_path / "checkpoints"), "1")
        sets, _ = example_sets(
            {split: [str(log.folder / f"{split}.gz")] for split in ("train", "validation")},
            log.transformed.transformed_feature_spec(),
            settings,
            checkpoints,
            WorkerGroup(strategy),
            lambda: None,
            RowsAsServed.of(log.contract, log.transformed, log.inputs),
        )
        return TrainingJob(
            settings=settings,
            inputs=log.inputs,
            build_model=lambda: build_model(log.inputs, ModelSettings.read(model)),
            checkpoints=checkpoints,
            strategy=strategy,
            **sets,
        )

    return made


def test_validation_rows_are_what_the_served_graph_makes_of_requests(log, job):
    model = build_model(log.inputs, ModelSettings.read(LINEAR))
    served = ServedModel(model, log.transformed, log.contract).features(log.requests)
    found = next(iter(job(LINEAR).validation.in_order(5000)))
    for name in log.inputs.keys:
        np.testing.assert_array_equal(found[name], served[name], err_msg=name)
    assert len(np.unique(found["hint"])) > 1400
    # A cross with what is dropped has nothing to tell; rows that train are as they were logged.
    trained = next(iter(job(LINEAR).train.in_order(5000)))
    assert len(np.unique(found["city_slot"])) == 1 < len(np.unique(trained["city_slot"]))
    assert len(np.unique(trained["position"])) > 2900


def _predictions(log, build, weights):
    model = build()
    for variable, value in zip(model.variables, weights, strict=True):
        variable.assign(value)
    features = ServedModel(model, log.transformed, log.contract).features(log.requests)
    return model(features)["probabilities"].numpy()[:, 0]


METHODS = {
    "standard": LINEAR,
    "meta": LINEAR,
    "bi_level": {"network": "m3oe", "embedding_size": 4},
    "gate_trim": {"network": "dtn", "options": {"units": 4, "tower_hidden": [4]}},
    "gradient_boosting": {"network": "lightgbm", "sequence_encoder": "none"},
}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_chooses_by_what_is_served(log, job, method):
    """What the history says of the kept epoch is what the served model reaches without a position."""
    made = job(METHODS[method], epochs=1, batch_size=500)
    options = {"trees": 20} if method == "gradient_boosting" else {}
    result = TRAINING_METHODS.build(method, options, made).train()
    found = _predictions(log, result.build_model or made.build_model, result.weights)
    kept = result.history.epochs[result.history.best_epoch - 1]
    assert kept["validation_loss"]["click"] == pytest.approx(log_loss(log.labels, found), abs=1e-5)
    # Trees give many rows the same sum, but for its rounding, and such ties decide a little of an AUC.
    tolerance = 2e-3 if method == "gradient_boosting" else 1e-5
    assert kept["validation_auc"]["click"] == pytest.approx(
        roc_auc_score(log.labels, found), abs=tolerance
    )


def test_the_epoch_that_is_kept_is_the_best_of_those_that_know_no_position(log, job):
    made = job(LINEAR, epochs=4)
    history = TRAINING_METHODS.build("standard", {}, made).train().history
    served = [epoch["validation_auc"]["click"] for epoch in history.epochs]
    assert history.best_epoch == 1 and served[0] == max(served) > 0.7
    # With the position told, it is the last one, which has given up the hint.
    told = example_sets(
        {"validation": [str(log.folder / "validation.gz")]},
        log.transformed.transformed_feature_spec(),
        made.settings,
        made.checkpoints.part("told"),
        WorkerGroup(made.strategy),
        lambda: None,
    )[0]["validation"]
    made = dataclasses.replace(made, validation=told, checkpoints=made.checkpoints.part("told"))
    history = TRAINING_METHODS.build("standard", {}, made).train().history
    assert history.best_epoch == 4 and history.epochs[3]["validation_auc"]["click"] > 0.9
    assert served[3] < 0.7
