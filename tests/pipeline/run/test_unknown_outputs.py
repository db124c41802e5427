"""Outputs of executions that the metadata store has forgotten, in a store of ML-Metadata."""

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.proto.orchestration import pipeline_pb2

from mtlx.pipeline.run.unknown_outputs import OutputsUnknown, check_outputs_known


@pytest.fixture
def store(tmp_path):
    """A store that has given the numbers 1 to 3."""
    config = sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    made = ml_metadata.MetadataStore(config)
    kind = made.put_execution_type(metadata_store_pb2.ExecutionType(name="Node"))
    made.put_executions([metadata_store_pb2.Execution(type_id=kind) for _ in range(3)])
    return made


@pytest.fixture
def empty_store():
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    return ml_metadata.MetadataStore(config)


@pytest.fixture
def check(tmp_path):
    """Looks at a node of two outputs with the given folders."""

    def function(store, *folders):
        root = tmp_path / "Größe #1"
        for folder in folders:
            (root / folder).mkdir(parents=True)
        node = pipeline_pb2.PipelineNode()
        node.node_info.id = "Trainer"
        for output in ("model", "model_run"):
            node.outputs.outputs[output].SetInParent()
        check_outputs_known(node, str(root), store)

    return function


def test_folders_of_executions_that_the_store_knows(check, store):
    check(store, "Trainer/model/1", "Trainer/model_run/3")


def test_a_node_that_never_ran(check, store, empty_store):
    check(store)
    check(empty_store)


@pytest.mark.parametrize("folder", ["Trainer/model/4", "Trainer/model_run/4"])
def test_a_number_that_was_not_given_yet_is_refused_in_any_output(check, store, folder):
    with pytest.raises(OutputsUnknown) as caught:
        check(store, "Trainer/model/1", folder)
    text = str(caught.value)
    assert "Größe #1/Trainer holds outputs of execution 4" in text
    assert "the metadata store knows executions up to 3 only" in text
    assert "Put the store back, or move" in text


def test_numbers_are_compared_as_numbers(check, empty_store, store):
    """By their letters, 10 would lie before 3."""
    with pytest.raises(OutputsUnknown, match="of execution 10, .* up to 3 only"):
        check(store, "Trainer/model/10", "Trainer/model/2")


def test_an_emptied_store_knows_none(check, empty_store):
    with pytest.raises(OutputsUnknown, match="holds outputs of execution 1, .* up to 0 only"):
        check(empty_store, "Trainer/model/1")


def test_folders_of_other_names_and_other_nodes_do_not_count(check, store):
    check(store, "Trainer/model/.temp", "Trainer/model/9x", "Trainer/logs/99", "Pusher/model/99")
