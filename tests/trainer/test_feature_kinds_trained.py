"""Every kind of feature together, trained and scored in several networks and encoders."""

import functools
import json
import os
import warnings
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.metrics import log_loss, roc_auc_score

from mtlx.components.batch_scoring.chosen_model import ChosenModel
from mtlx.components.batch_scoring.score_files import ScoringJob, score_files
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.pretrained.given_vectors import GivenVectors
from mtlx.trainer.run_fn import run_fn
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.serving.scoring import Scorer
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.warm_start.warm_start import vocabularies_of
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.config.settings import SettingsError
from tests.trainer.test_feature_kinds_served import (
    TRAINING_ONLY,
    make_frame,
    read_contract,
    transformed_log,
)

SPLIT = {"by": "hash", "of": "item"}
#: Few, as what takes the kinds in stands before the networks; `test_contract` has them all, and
#: `test_planted_features` trains a `single_task`.
NETWORKS = {
    "mmoe with din": {
        "network": "mmoe", "options": {"experts": 2, "expert_hidden": [8], "tower_hidden": [8]},
        "sequence_encoder": "din", "sequence_options": {"hidden": [8]},
    },
    "dtn with mean_pooling": {
        "network": "dtn",
        "options": {
            "units": 6, "tower_hidden": [6],
            "interactions": [
                {"name": "gdcn"}, {"name": "memonet", "options": {"codewords": 31}},
            ],
        },
        "sequence_encoder": "mean_pooling",
    },
    "star": {"network": "star"},
    "tfi with bst": {"network": "tfi", "sequence_encoder": "bst"},
}  # fmt: skip


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained_kinds")
    contract, frame = read_contract(folder), make_frame(300, seed=4)
    examples, transformed, rows = transformed_log(folder, contract, frame)
    return SimpleNamespace(
        folder=folder, contract=contract, frame=frame, examples=examples, rows=rows,
        transformed=transformed, inputs=build_model_inputs(contract, transformed),
        given=GivenVectors(contract, vocabularies_of(contract, transformed)),
    )  # fmt: skip


def _served(log, folder):
    """Scores by examples, in the log's order."""
    signatures = tf.saved_model.load(str(folder)).signatures
    return signatures["serving_default"](tf.constant(log.examples))["ctr"].numpy()


@pytest.fixture(scope="module")
def stepped(log):
    """A model of a network after one step, and the paths of the weights that it moved."""

    @functools.cache
    def function(name):
        settings = ModelSettings.read({"embedding_size": 4, **NETWORKS[name]})
        keras.utils.set_random_seed(1)
        model = log.given.given_to(build_model(log.inputs, settings))
        weights = model.trainable_variables
        before = [np.array(variable) for variable in weights]
        optimizer = keras.optimizers.Adam(0.001)
        labels = tf.cast(log.rows["click"], tf.float32)[:, None]
        with tf.GradientTape() as tape:
            logits = model(log.rows, training=True)["logits"]
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))
        assert np.isfinite(float(loss))
        pairs = zip(tape.gradient(loss, weights), weights, strict=True)
        optimizer.apply_gradients([pair for pair in pairs if pair[0] is not None])
        moved = {
            variable.path for variable, old in zip(weights, before, strict=True)
            if np.abs(np.array(variable) - old).max() > 0
        }  # fmt: skip
        return model, moved

    return function


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_of_a_network_moves_what_takes_every_kind_in(stepped, name):
    _, moved = stepped(name)
    for part in ("table", "projection_0", "projection_2", "pretrained_0/projection", "intercepts"):
        assert any(path.endswith(part) for path in moved), part


def test_what_a_step_has_learnt_is_served(log, stepped, tmp_path):
    """By both ways in: the signature that reads examples, and the scorer of frames."""
    model, _ = stepped("mmoe with din")
    ServedModel(model, log.transformed, log.contract).save(str(tmp_path / "model"))
    expected = _served(log, tmp_path / "model")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Scorer(str(tmp_path / "model")).score(
            log.frame.drop(columns=["position", "slot", "seen"])
        )
    np.testing.assert_allclose(found["ctr"], expected, atol=1e-6)
    assert len(np.unique(expected.round(6))) > 250


@pytest.fixture(scope="module")
def trained(log, tmp_path_factory):
    """The Trainer's own function on the same log."""
    out = tmp_path_factory.mktemp("kinds_run")
    model = {"network": "shared_bottom", "embedding_size": 4}
    training = {
        "epochs": 1,
        "batch_size": 64,
        "shuffle_rows": 256,
        "checkpoint_every_steps": 3,
        "precision": "float32",
    }
    run_fn(
        SimpleNamespace(
            train_files=[str(log.folder / "transformed.gz")],
            eval_files=[str(log.folder / "transformed.gz")],
            transform_output=str(log.folder / "log-graph"),
            serving_model_dir=str(out / "model"),
            model_run_dir=str(out / "run"),
            custom_config={
                "data_contract": log.contract.to_json(),
                "model": ModelSettings.read(model).to_json(),
                "training": TrainingSettings.read(training).to_json(),
                "checkpoint_root": str(out / "checkpoints"),
            },
        )
    )
    return out


def test_the_report_tells_of_vectors_that_were_found_and_of_what_is_not_served(trained):
    notes = json.loads((trained / "run" / "history.json").read_text())["notes"]
    assert any("4 of 9 values of the vocabulary (44.4%) have one" in note for note in notes)
    assert (
        "Known only when training, and served to all rows alike: place (as 1), slot (as top), "
        "seen (as missing). A request need not have them, and epochs are compared without them."
    ) in notes


def test_epochs_are_compared_by_what_is_served(log, trained):
    """The validation rows are those that train: the examples' first ones."""
    (epoch,) = json.loads((trained / "run" / "history.json").read_text())["epochs"]
    labels = log.rows["click"].numpy()
    found = _served(log, trained / "model")[: len(labels)]
    assert epoch["validation_loss"]["ctr"] == pytest.approx(log_loss(labels, found), abs=1e-5)
    assert epoch["validation_auc"]["ctr"] == pytest.approx(roc_auc_score(labels, found), abs=1e-5)


def test_files_are_scored_without_what_is_known_only_when_training(log, trained, tmp_path):
    columns = ["position", "slot", "seen", "click"]
    log.frame.drop(columns=columns).to_parquet(tmp_path / "new.parquet")
    summary = score_files(
        ScoringJob(
            ChosenModel(str(trained / "model"), None),
            DataSettings.read({"reader": "parquet", "path": str(tmp_path), "split": SPLIT}),
            log.contract,
            (str(tmp_path / "new.parquet"),),
            (str(tmp_path / "new.parquet"),),
            (),
            str(tmp_path / "out"),
        )
    )
    files = [name for name in os.listdir(tmp_path / "out") if name.endswith(".parquet")]
    found = pd.concat([pd.read_parquet(tmp_path / "out" / name) for name in files])
    assert len(found) == len(log.frame) and summary is not None
    expected = _served(log, trained / "model")
    np.testing.assert_allclose(found["score_ctr"], expected, atol=1e-6)
    assert not set(TRAINING_ONLY) & set(found)


def test_trees_say_what_they_cannot_read(log):
    with pytest.raises(SettingsError, match="takes one value of each: take genres, tags, brands"):
        build_model(log.inputs, ModelSettings(network="lightgbm", sequence_encoder="none"))
