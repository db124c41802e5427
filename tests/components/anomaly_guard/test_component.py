"""The guard behind the stock StatisticsGen and ExampleValidator, with a metadata store."""

import pathlib

import pytest
import tensorflow as tf
from google.protobuf import text_format
from ml_metadata.proto import metadata_store_pb2
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx.orchestration import metadata
from tfx.types import standard_artifacts

from mtlx.components.anomaly_guard.anomalies import load_anomalies
from mtlx.components.anomaly_guard.component import AnomalyGuard
from mtlx.components.anomaly_guard.executor import DataAnomaliesError, Executor
from tests import tfx_parts as tfx

SCHEMA = """
feature { name: "gender" type: BYTES domain: "gender" presence { min_fraction: 1.0 }
  shape { dim { size: 1 } } }
string_domain { name: "gender" value: "f" value: "m" }
"""
_STATES = metadata_store_pb2.Execution


def _examples(folder, values):
    folder = pathlib.Path(folder, "Split-train")
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "data-00000-of-00001.gz"), "GZIP") as writer:
        for value in values:
            feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
            features = tf.train.Features(feature={"gender": feature})
            writer.write(tf.train.Example(features=features).SerializeToString())
    return str(folder.parent)


def _run(folder, examples_uri, allow_anomalies):
    """Returns the states of the guard's and the following node's executions, oldest first."""
    schema_file = folder / "schema.pbtxt"
    schema_file.write_text(text_format.MessageToString(text_format.Parse(
        SCHEMA, schema_pb2.Schema())))  # fmt: skip
    examples = tfx.dsl.Importer(
        source_uri=examples_uri,
        artifact_type=standard_artifacts.Examples,
        properties={"split_names": '["train"]'},
    ).with_id("Examples")
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["result"])
    schema = tfx.components.ImportSchemaGen(schema_file=str(schema_file))
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    guard = AnomalyGuard(validator.outputs["anomalies"], allow_anomalies=allow_anomalies)
    behind = tfx.components.SchemaGen(statistics=statistics.outputs["statistics"])
    behind.add_upstream_node(guard)
    connection = metadata.sqlite_metadata_connection_config(str(folder / "metadata.db"))
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="guard",
        pipeline_root=str(folder / "root"),
        components=[examples, statistics, schema, validator, guard, behind],
        enable_cache=True,
        metadata_connection_config=connection,
    )
    error = None
    try:
        tfx.orchestration.LocalDagRunner().run(pipeline)
    except DataAnomaliesError as raised:
        error = raised
    with metadata.Metadata(connection) as handle:
        found = {
            name: [
                _STATES.State.Name(execution.last_known_state)
                for execution in handle.store.get_executions_by_type(kind)
            ]
            for name, kind in (
                ("guard", "mtlx.components.anomaly_guard.component.AnomalyGuard"),
                ("behind", "tfx.components.schema_gen.component.SchemaGen"),
            )
        }
    return found, error


def test_data_that_matches_its_schema_passes_and_is_not_checked_again(tmp_path):
    uri = _examples(tmp_path / "examples", [b"f", b"m"] * 20)
    found, error = _run(tmp_path, uri, allow_anomalies=False)
    assert error is None
    assert found == {"guard": ["COMPLETE"], "behind": ["COMPLETE"]}
    found, error = _run(tmp_path, uri, allow_anomalies=False)
    assert error is None
    assert found == {"guard": ["COMPLETE", "CACHED"], "behind": ["COMPLETE", "CACHED"]}


def test_anomalies_stop_the_run_unless_allowed(tmp_path):
    uri = _examples(tmp_path / "examples", [b"f", b"x"] * 20)
    for _ in range(2):  # A failure is not cached.
        found, error = _run(tmp_path, uri, allow_anomalies=False)
        assert "split 'train', feature 'gender': Unexpected string values" in str(error)
        assert "x (~50%)" in str(error)
        for remedy in ("Fix the data", "validation.schema_path", "allow_anomalies: true"):
            assert remedy in str(error)
        assert found["behind"] == []
    found, error = _run(tmp_path, uri, allow_anomalies=True)
    assert error is None
    assert found["guard"] == ["FAILED", "FAILED", "COMPLETE"]
    assert found["behind"] == ["COMPLETE"]


def _artifact(folder, result=None):
    artifact = standard_artifacts.ExampleAnomalies()
    artifact.uri, artifact.split_names = str(folder), '["train"]'
    if result is not None:
        (folder / "Split-train").mkdir()
        (folder / "Split-train" / "SchemaDiff.pb").write_bytes(result.SerializeToString())
    return artifact


def test_what_concerns_no_single_feature_is_listed(tmp_path):
    result = anomalies_pb2.Anomalies(data_missing=True)
    result.dataset_anomaly_info.short_description = "Low num examples"
    found = load_anomalies(_artifact(tmp_path, result))
    assert [anomaly.short_description for anomaly in found] == ["Low num examples", "No examples"]
    with pytest.raises(DataAnomaliesError, match="in 2 places"):
        Executor().Do({"anomalies": [_artifact(tmp_path)]}, {}, {"allow_anomalies": False})


def test_a_missing_result_is_no_pass(tmp_path):
    with pytest.raises(FileNotFoundError, match="did not finish split 'train'"):
        Executor().Do({"anomalies": [_artifact(tmp_path)]}, {}, {"allow_anomalies": True})
