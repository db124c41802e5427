"""The transform graph of an analysis that is done."""

import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.tf_metadata import schema_utils

from mtlx.components.one_pass_transform.graph_writer import write_graph
from mtlx.transform.analysis.finished_analysis import write_numbers
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import FIRST_VALUE_ID, MISSING_ID, OUT_OF_VOCABULARY_ID

#: What a feature's name may hold and a name of TFT's may not.
NAME = "item.id-1"
CONTRACT = DataContract.read(
    {"features": {NAME: {"kind": "categorical"}}, "tasks": {"ctr": {"label": "click"}}}
)


def test_a_graph_is_read_with_its_vocabularies_by_their_names(tmp_path):
    analysis, graph = tmp_path / "analysis", tmp_path / "graph"
    analysis.mkdir()
    (analysis / f"{NAME}_vocabulary").write_text("b\na\n")
    write_numbers(str(analysis), {})
    spec = {NAME: tf.io.VarLenFeature(tf.string), "click": tf.io.FixedLenFeature([1], tf.int64)}
    schema = schema_utils.schema_from_feature_spec(spec)
    write_graph(schema, CONTRACT, str(analysis), str(graph))
    output = tft.TFTransformOutput(str(graph))
    assert output.raw_feature_spec() == spec
    assert output.vocabulary_by_name(f"{NAME}_vocabulary") == [b"b", b"a"]
    rows = {
        NAME: tf.ragged.constant([["a"], ["c"], []]).to_sparse(),
        "click": tf.constant([[0], [1], [0]], tf.int64),
    }
    found = output.transform_features_layer()(rows)
    known = FIRST_VALUE_ID + 1
    assert found[NAME].numpy().tolist() == [known, OUT_OF_VOCABULARY_ID, MISSING_ID]
    assert found["click"].numpy().tolist() == [0, 1, 0]
