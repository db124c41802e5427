"""Which spans a run read, from the metadata of its examples."""

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import sqlite_metadata_connection_config

from mtlx.pipeline.run.record.spans_of_run import spans_of_run

DAYS = ["/logs/day={YYYY}-{MM}-{DD}/*.csv"]


@pytest.fixture
def store(tmp_path):
    """A store with examples of spans 1 to 4, their number as a text, as a number, or none."""
    config = sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    store = mlmd.MetadataStore(config)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(
        name="Examples", properties={"span": metadata_store_pb2.INT}))  # fmt: skip
    artifacts = []
    for span in range(1, 5):
        artifact = metadata_store_pb2.Artifact(type_id=kind, uri=f"/examples/{span}")
        if span % 2:
            artifact.custom_properties["span"].string_value = str(span)
        else:
            artifact.properties["span"].int_value = span
        artifacts.append(artifact)
    artifacts.append(metadata_store_pb2.Artifact(type_id=kind, uri="/examples/none"))
    store.put_artifacts(artifacts)
    return store


def test_one_span_is_trained_and_tested_on(store):
    outputs = {"LogExampleGen": {"examples": ["/examples/3"]}, "Trainer": {"model": ["/m"]}}
    assert spans_of_run(store, outputs, DAYS) == {"train": [3], "test": [3], "days": True}


def test_what_has_no_spans_has_none(store):
    outputs = {"LogExampleGen": {"examples": ["/examples/none"]}}
    assert spans_of_run(store, outputs, DAYS) is None
    assert spans_of_run(store, {}, DAYS) is None
    known = {"LogExampleGen": {"examples": ["/examples/3"]}}
    assert spans_of_run(store, known, ["/logs/*.csv"]) is None
