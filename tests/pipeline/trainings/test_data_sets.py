"""Experiment files of public data sets, from their logs to an exported model, with few features.

What decides each label stands in one column, see `planted_data_sets`: that a model ranks rows which
it has not seen says that logs, joins, contract and splits are read as the file means them.
"""

import dataclasses
import json
from pathlib import Path

import pytest
import tensorflow as tf
import yaml

from mtlx.components.log_example_gen.ingestion_summary import read_ingestion_summary
from mtlx.pipeline.experiment.checked_experiment import checked_experiment
from mtlx.pipeline.trainings import work
from mtlx.pipeline.trainings.prepared import prepare, standing_alone
from mtlx.pipeline.trainings.task import Training
from mtlx.trainer.validation.history import read_history
from tests.pipeline.trainings.planted_data_sets import DATA_SETS

CONFIGS = Path(__file__).parents[3] / "configs"
#: In one epoch nothing is learnt by heart that is in one row alone, such as an id.
SHORT = ("training.epochs=1", "training.batch_size=32", "training.learning_rate=0.02")


@pytest.mark.parametrize("name", DATA_SETS)
def test_what_a_column_decides_is_learnt_from_its_logs(name, tmp_path):
    planted = DATA_SETS[name]
    planted.write(tmp_path)
    written = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
    features = {one: written["features"][one] for one in planted.features}
    overrides = (f"features={json.dumps(features)}", *SHORT, *standing_alone(tmp_path))
    experiment = checked_experiment(CONFIGS / f"{name}.yaml", overrides, str(tmp_path))
    training = Training(
        experiment.contract.to_json(),
        experiment.model.to_json(),
        experiment.training.to_json(),
        prepare(experiment, lambda node: None),
    )
    (summary,) = map(_folder_of_summary, tmp_path.glob("root/**/ingestion/summary.json"))
    rows = {key: sum(map(summary["rows"].get, key.split("+"))) for key in planted.rows}
    assert (rows, summary["filtered"]) == (planted.rows, planted.filtered)
    assert not summary["malformed"] and not any(summary["unmatched"].values())
    folder = training.folder(tmp_path)
    work.do("Training", dataclasses.asdict(training), folder)
    (epoch,) = read_history(str(folder / "run"))["epochs"]
    found = epoch["validation_auc"]
    assert found.keys() == experiment.contract.tasks.keys()
    assert min(found[task] for task in planted.learnt or found) > 0.9, found
    model = tf.saved_model.load(str(folder / "model/Format-Serving"))
    assert set(model.signatures["serving_default"].structured_outputs) >= set(found)


def _folder_of_summary(path):
    return read_ingestion_summary(str(path.parents[1]))
