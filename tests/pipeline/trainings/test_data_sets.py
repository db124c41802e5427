"""Experiment files of public data sets, from their logs to an exported model, with few features."""

import dataclasses
import json
from pathlib import Path

import pytest
import tensorflow as tf
import yaml

from mtlx.pipeline.experiment.checked_experiment import checked_experiment
from mtlx.pipeline.trainings import work
from mtlx.pipeline.trainings.prepared import prepare, standing_alone
from mtlx.pipeline.trainings.task import Training
from tests.components.log_example_gen.readers.data_sets import sampled_logs

CONFIGS = Path(__file__).parents[3] / "configs"
#: By experiment file the features that stand for its kinds: each costs half a second.
FEATURES = {
    "ali_ccp": ("101", "205", "109_14", "210"),
    "kuairand_27k": ("user_id", "video_id", "tab", "duration_ms", "user_active_degree", "tag"),
    "tenrec_qk_video": ("user_id", "item_id", "gender", "history"),
}


@pytest.mark.parametrize("name", FEATURES)
def test_it_is_read_transformed_trained_and_exported(name, tmp_path):
    samples = sampled_logs.schema_samples()
    if samples is None and name not in sampled_logs.MADE_UP:
        pytest.skip("no schema-samples under MTLX_DATA or ../shared/data")
    sampled_logs.WRITERS[name](tmp_path, samples)
    written = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
    features = {one: written["features"][one] for one in FEATURES[name]}
    overrides = (
        *(f"features={json.dumps(features)}", "training.epochs=1", "training.batch_size=32"),
        *standing_alone(tmp_path),
    )
    experiment = checked_experiment(CONFIGS / f"{name}.yaml", overrides, str(tmp_path))
    training = Training(
        experiment.contract.to_json(),
        experiment.model.to_json(),
        experiment.training.to_json(),
        prepare(experiment, lambda node: None),
    )
    folder = training.folder(tmp_path)
    work.do("Training", dataclasses.asdict(training), folder)
    assert json.loads((folder / "trained.json").read_text())["parameters"] > 100
    model = tf.saved_model.load(str(folder / "model/Format-Serving"))
    assert set(model.signatures["serving_default"].structured_outputs) >= set(
        experiment.contract.tasks
    )
