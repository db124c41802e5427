"""What nodes are given: the Trainers of candidate and reference, and what looks at the data."""

import json

import pytest

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.graph.graph import create_pipeline

EXPERIMENT = """\
name: small
data: {reader: csv, path: logs/*.csv, split: {by: row, train: 0.8, validation: 0.1, test: 0.1}}
features:
  item: {kind: categorical}
tasks:
  click: {label: click}
model: {preset: m3oe_released}
training: {epochs: 3}
gate: {baseline: reference, reference: {preset: lightgbm}}
"""


def test_candidate_and_reference_are_trained_by_methods_of_their_own(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    pipeline = create_pipeline(read_experiment(path), str(tmp_path / "root"))
    configs = {
        node.id: json.loads(node.exec_properties["custom_config"])
        for node in pipeline.components
        if node.id in ("Trainer", "ReferenceTrainer")
    }
    trainings = {name: json.loads(config["training"]) for name, config in configs.items()}
    assert {name: json.loads(config["model"])["network"] for name, config in configs.items()} == {
        "Trainer": "m3oe",
        "ReferenceTrainer": "lightgbm",
    }
    candidate, reference = trainings["Trainer"], trainings["ReferenceTrainer"]
    assert candidate["method"] == "bi_level"
    assert candidate["method_options"]["batch_from"] == "train"
    assert (reference["method"], reference["method_options"]) == ("gradient_boosting", {})
    assert reference["loss"] is None
    assert candidate["epochs"] == reference["epochs"] == 3
    assert candidate["batch_size"] == reference["batch_size"] == 40_960


def test_another_run_fn_is_that_of_the_named_node_alone(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    pipeline = create_pipeline(
        read_experiment(path), str(tmp_path / "root"), run_fns={"Trainer": "other.run_fn"}
    )
    given = {node.id: node.exec_properties.get("run_fn") for node in pipeline.components}
    assert given["Trainer"] == "other.run_fn"
    assert given["ReferenceTrainer"] == "mtlx.trainer.run_fn.run_fn"


@pytest.mark.parametrize(
    ("split", "open_features", "apart"),
    [
        ("{by: hash, of: item}", ["item"], "item"),
        ("{by: hash, of: row_id}", [], ""),
        # Training and test rows may well have the same users then; training and validation not.
        ("{by: time, column: t, test_from: 5, validation_key: item}", ["item"], ""),
        ("{by: time, column: t, test_from: 5}", [], ""),
    ],
)
def test_of_what_the_split_keeps_apart_new_values_are_no_anomaly(
    tmp_path, split, open_features, apart
):
    path = tmp_path / "x.yaml"
    old = "{by: row, train: 0.8, validation: 0.1, test: 0.1}"
    path.write_text(EXPERIMENT.replace(old, split), encoding="utf-8")
    pipeline = create_pipeline(read_experiment(path), str(tmp_path / "root"))
    nodes = {node.id: node.exec_properties for node in pipeline.components}
    assert json.loads(nodes["SchemaGen"]["open_features"]) == open_features
    assert nodes["DriftGuard"]["kept_apart"] == apart


@pytest.mark.parametrize(("place", "dates"), [("day={SPAN}", 0), ("day={YYYY}-{MM}-{DD}", 1)])
def test_spans_are_called_by_their_dates_where_the_logs_lie_by_date(tmp_path, place, dates):
    path = tmp_path / "x.yaml"
    old = EXPERIMENT.partition("data: ")[2].partition("\n")[0]
    text = EXPERIMENT.replace(old, f"{{path: 'logs/{place}/*.csv', window: {{train: 2}}}}")
    path.write_text(text, encoding="utf-8")
    pipeline = create_pipeline(read_experiment(path), str(tmp_path / "root"))
    (guard,) = [node for node in pipeline.components if node.id == "DriftGuard"]
    assert guard.exec_properties["dates"] == dates
