"""Trainings whose tables lie on disk by their changed rows end as those that keep them whole."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.layers.embedding.tables import tables_given
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training import loop
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods.meta import Meta
from mtlx.trainer.training.methods.standard import Standard
from mtlx.trainer.training.stored.stored_array import StoredArray, assign
from mtlx.trainer.validation.validation import validate
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec
from tests.trainer.training.killed import train_killed

INPUTS = ModelInputs(
    (CategoricalInput("item", 60),), (), (), None, ("all",), (TaskSpec("ctr", "click"),)
)
SPEC = {name: tf.io.FixedLenFeature([], tf.int64) for name in ("item", "domain_id", "click")}
MODEL = ModelSettings(
    network="shared_bottom",
    sequence_encoder="none",
    embedding_size=4,
    options={"bottom_hidden": [4], "tower_hidden": [4]},
)


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Builds a job with checkpoints of its own; four steps per epoch."""
    folder, random = tmp_path_factory.mktemp("examples"), np.random.default_rng(1)
    for split in ("train", "validation"):
        with tf.io.TFRecordWriter(str(folder / f"{split}.gz"), "GZIP") as writer:
            for item in random.integers(3, 60, 128):
                values = {"item": item, "domain_id": 0, "click": int(random.random() < item / 60)}
                example = tf.train.Example()
                for name, value in values.items():
                    example.features.feature[name].int64_list.value.append(value)
                writer.write(example.SerializeToString())

    def function(**settings):
        defaults = {"batch_size": 32, "shuffle_rows": 100, "epochs": 2, "learning_rate": 0.05}
        values = TrainingSettings.read(
            {**defaults, "optimizer": "lazy_adam", "checkpoint_every_steps": 2, **settings}
        )
        sets = [
            ExampleSet([str(folder / f"{split}.gz")], SPEC, 100, True)
            for split in ("train", "validation")
        ]
        checkpoints = CheckpointFolder(str(tmp_path_factory.mktemp("checkpoints")), "training")
        return TrainingJob(
            values,
            INPUTS,
            lambda: build_model(INPUTS, MODEL),
            *sets,
            checkpoints,
            tf.distribute.get_strategy(),
        )

    return function


#: Settings, method, and behind which steps a training is killed and from which it then goes on. Two
#: stages, of which the second begins at the best weights of the first; an average of weights.
CASES = {
    "stages": ({}, lambda job: Meta(job, epochs=2), {3: 2, 8: 8, 13: 12}),
    "average": ({"average": 0.9, "embeddings": {"learning_rate": 0.1}}, Standard, {3: 2, 7: 6}),
    "averaged stages": ({"average": 0.9}, lambda job: Meta(job, epochs=1), {7: 6, 11: 10}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_killed_training_with_large_tables_ends_as_an_uninterrupted_one(make, case, monkeypatch):
    settings, method, kills = CASES[case]
    expected = method(make(**settings)).train()
    monkeypatch.setattr(loop, "LEAST_BYTES", 0)
    job = make(**settings)
    result, starts = train_killed(lambda: method(job), kills)
    assert starts == [0, *kills.values()]
    assert [record["loss"] for record in result.history.epochs] == [
        record["loss"] for record in expected.history.epochs
    ]
    for one, other in zip(result.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(one), other)
    (table,) = (one for one in result.weights if isinstance(one, StoredArray))
    assert (table.average is not None) is ("average" in settings)
    arrays, _ = job.checkpoints.load()
    assert sum(isinstance(one, StoredArray) for one in arrays["optimizer"]) == 2
    assert any(isinstance(one, StoredArray) for one in arrays["model"])

    with tables_given():
        model = build_model(INPUTS, MODEL)
    assert not np.array(model.embeddings[0].table).any()
    for variable, value in zip(model.variables, result.weights, strict=True):
        assign(variable, value)
    for variable, value in zip(model.variables, expected.weights, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert np.array(build_model(INPUTS, MODEL).embeddings[0].table).any()
    # What was validated is what is kept.
    (best,) = (
        record for record in result.history.epochs if record["epoch"] == result.history.best_epoch
    )
    found = validate(model, job.validation.in_order(100), INPUTS.tasks)
    assert found.loss["ctr"] == pytest.approx(best["validation_loss"]["ctr"], rel=1e-5)
