"""The component as a node, on what the real components before it write."""

import json
import pathlib

import pytest
import tensorflow as tf
from tfx.orchestration import metadata
from tfx.types import standard_artifacts

from mtlx.components.anomaly_guard.component import AnomalyGuard
from mtlx.components.relaimp_gate.component import RelaImpGate
from mtlx.components.report.component import Report
from mtlx.components.report.executor import Executor
from mtlx.components.slice_evaluation.component import SliceEvaluation
from mtlx.transform.contract.data_contract import DataContract
from tests import tfx_parts as tfx

CONTRACT = DataContract.read(
    {
        "features": {"scenario": {"kind": "categorical"}, "interest": {"kind": "numeric"}},
        "tasks": {"click": {"label": "click"}},
        "domain": {"feature": "scenario", "values": ["feed", "search"]},
    }
).to_json()
GATE = {"thresholds": [{"rule": "auc", "minimum": 0.6}], "minimum_positives": 20}


class Model(tf.Module):
    """The interest is the score."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples):
        specification = {"interest": tf.io.FixedLenFeature([], tf.float32)}
        parsed = tf.io.parse_example(examples, specification)
        return {"click": tf.sigmoid(parsed["interest"])}


def _write_examples(folder, rows):
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "data-00000-of-00001.gz"), "GZIP") as writer:
        for row in range(rows):
            scenario = b"feed" if row % 3 else b"search"
            label = row % 2
            features = {
                "scenario": tf.train.Feature(bytes_list=tf.train.BytesList(value=[scenario])),
                "interest": tf.train.Feature(
                    float_list=tf.train.FloatList(value=[label + (row * 7 % 11) / 5.0])
                ),
                "click": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())


def _importer(name, kind, uri, **properties):
    node = tfx.dsl.Importer(source_uri=str(uri), artifact_type=kind, properties=properties)
    return node.with_id(name)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """What is not made by a component of the pipeline below: examples, model, training record."""
    folder = tmp_path_factory.mktemp("inputs")
    _write_examples(folder / "examples" / "Split-test", 300)
    (folder / "examples" / "ingestion").mkdir()
    summary = {"rows": {"test": 300}, "malformed": {"click: neither 0 nor 1": 2},
               "quarantine": None, "max_malformed_share": 0.1, "seconds": 1.0}  # fmt: skip
    (folder / "examples" / "ingestion" / "summary.json").write_text(json.dumps(summary))
    model = Model()
    tf.saved_model.save(
        model, str(folder / "model" / "Format-Serving"), signatures={"serving_default": model.serve}
    )
    history = {
        "epochs": [{"epoch": 1, "loss": 0.7, "validation_auc": {"click": 0.71}}],
        "best_epoch": 1, "parameters": 4321, "devices": ["CPU:0"], "seconds": {"step": 2.0},
        "gate_weights": {"click": {"expert_one": 0.25}},
    }  # fmt: skip
    (folder / "model_run").mkdir()
    (folder / "model_run" / "history.json").write_text(json.dumps(history))
    (folder / "best.json").write_text(json.dumps({"click": {"overall": 0.9875}}))
    return folder


def test_report_of_a_pipeline(inputs, tmp_path):
    examples = _importer(
        "Examples", standard_artifacts.Examples, inputs / "examples", split_names='["test"]'
    )
    model = _importer("Candidate", standard_artifacts.Model, inputs / "model")
    model_run = _importer("ModelRun", standard_artifacts.ModelRun, inputs / "model_run")
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["result"])
    schema = tfx.components.SchemaGen(statistics=statistics.outputs["statistics"])
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    guard = AnomalyGuard(validator.outputs["anomalies"])
    evaluation = SliceEvaluation(
        examples.outputs["result"],
        model.outputs["result"],
        data_contract=CONTRACT,
        evaluation="{}",
    )
    gate = RelaImpGate(
        evaluation.outputs["evaluation"], model.outputs["result"], json.dumps(GATE), CONTRACT
    )
    report = Report(
        evaluation=evaluation.outputs["evaluation"],
        blessing=gate.outputs["blessing"],
        statistics=statistics.outputs["statistics"],
        anomalies=validator.outputs["anomalies"],
        examples=examples.outputs["result"],
        model_run=model_run.outputs["result"],
        settings=json.dumps({"best_possible": str(inputs / "best.json")}),
    )
    nodes = [examples, model, model_run, statistics, schema, validator, guard]
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="my-experiment",
        pipeline_root=str(tmp_path / "root"),
        components=[*nodes, evaluation, gate, report],
        enable_cache=True,
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(tmp_path / "metadata.db")
        ),
    )
    tfx.orchestration.LocalDagRunner().run(pipeline)
    (path,) = tmp_path.glob("root/Report/report/*/report.html")
    page = path.read_text(encoding="utf-8")
    for text in ("<title>my-experiment: blessed</title>", "4,321 parameters", "expert_one",
                 "click: neither 0 nor 1", "of 0.9875", "All splits match their schema",
                 "Distribution of interest", "300 test"):  # fmt: skip
        assert text in page, text
    # A second run takes the report from the cache.
    tfx.orchestration.LocalDagRunner().run(pipeline)
    assert list(tmp_path.glob("root/Report/report/*/report.html")) == [path]


def _artifact(kind, uri):
    made = kind()
    made.uri = str(uri)
    return made


def _execute(tmp_path, settings="{}", **inputs):
    report = _artifact(standard_artifacts.ModelRun, tmp_path / "report")
    Executor().Do(
        {name: [artifact] for name, artifact in inputs.items()},
        {"report": [report]},
        {"settings": settings},
    )
    return pathlib.Path(report.uri, "report.html").read_text(encoding="utf-8")


def test_stock_components_in_place_of_ours_leave_notices(tmp_path):
    blessing = _artifact(standard_artifacts.ModelBlessing, tmp_path)
    blessing.set_int_custom_property("blessed", 1)
    page = _execute(
        tmp_path,
        json.dumps({"title": "stock", "best_possible": str(tmp_path / "absent.json")}),
        blessing=blessing,
        evaluation=_artifact(standard_artifacts.ModelEvaluation, tmp_path),
        model_run=_artifact(standard_artifacts.ModelRun, tmp_path),
        examples=_artifact(standard_artifacts.Examples, tmp_path),
    )
    assert "<title>stock: blessed</title>" in page
    for text in ("not one of RelaImpGate", "no slice evaluation to show", "left no history.json",
                 "absent.json) is not shown: the file does not exist"):  # fmt: skip
        assert text in page, text


def test_a_best_possible_file_of_another_kind_is_named(tmp_path):
    path = tmp_path / "best.json"
    path.write_text('{"click": 0.7}')
    page = _execute(tmp_path, json.dumps({"best_possible": str(path)}))
    assert "best.json) is not shown: it should be {task: {slice: AUC}}" in page


def test_a_broken_training_record_is_an_error_that_names_it(tmp_path):
    (tmp_path / "history.json").write_text("{\n")
    with pytest.raises(ValueError, match=r"history.json, line 2: no JSON"):
        _execute(tmp_path, model_run=_artifact(standard_artifacts.ModelRun, tmp_path))
