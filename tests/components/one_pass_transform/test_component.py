"""OnePassTransform beside the stock Transform, as nodes of one pipeline on the same examples."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.proto import transform_pb2

from mtlx.components.one_pass_transform.component import OnePassTransform
from mtlx.transform.contract.data_contract import DataContract
from tests import tfx_parts as tfx

CONTRACT = DataContract.read(
    {
        "features": {
            "item": {"kind": "categorical"},
            "hour": {"kind": "categorical"},
            "price": {"kind": "numeric"},
            "clicks": {"kind": "sequence", "of": "item", "max_length": 3},
        },
        "tasks": {"ctr": {"label": "click"}},
    }
)
ROWS = {"train": 300, "validation": 100, "test": 50}


def _example(random):
    example = tf.train.Example()
    feature = example.features.feature
    feature["item"].bytes_list.value.append(f"i{random.integers(20)}".encode())
    feature["hour"].int64_list.value.append(int(random.integers(24)))  # as CsvExampleGen has it
    if random.random() < 0.8:
        feature["price"].float_list.value.append(float(random.gamma(2.0, 3.0)))
    clicks = [f"i{n}".encode() for n in random.integers(0, 20, random.integers(0, 5))]
    feature["clicks"].bytes_list.value.extend(clicks)
    feature["click"].int64_list.value.append(int(random.integers(2)))
    return example.SerializeToString()


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Folders of both nodes' outputs by output name."""
    folder, random = tmp_path_factory.mktemp("transform"), np.random.default_rng(0)
    for split, rows in ROWS.items():
        (folder / "examples" / split).mkdir(parents=True)
        path = folder / "examples" / split / "data.gz"
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for _ in range(rows):
                writer.write(_example(random))
    kinds = {"item": "BYTES", "hour": "INT", "price": "FLOAT", "clicks": "BYTES", "click": "INT"}
    schema = schema_pb2.Schema()
    for name, kind in kinds.items():
        schema.feature.add(name=name, type=kind)
    (folder / "schema.pbtxt").write_text(text_format.MessageToString(schema))
    splits = [tfx.proto.Input.Split(name=name, pattern=f"{name}/*") for name in ROWS]
    examples = tfx.components.ImportExampleGen(
        input_base=str(folder / "examples"), input_config=tfx.proto.Input(splits=splits)
    )
    imported = tfx.components.ImportSchemaGen(schema_file=str(folder / "schema.pbtxt"))
    inputs = {"examples": examples.outputs["examples"], "schema": imported.outputs["schema"]}
    analyze, transform = ("train",), ("train", "validation")
    ours = OnePassTransform(
        **inputs,
        data_contract=CONTRACT.to_json(),
        analyze_splits=analyze,
        transform_splits=transform,
    ).with_id("ours")
    stock = tfx.components.Transform(
        **inputs,
        preprocessing_fn="mtlx.transform.preprocessing.preprocessing_fn",
        splits_config=transform_pb2.SplitsConfig(analyze=analyze, transform=transform),
        custom_config={"data_contract": CONTRACT.to_json()},
        disable_statistics=True,
    ).with_id("stock")
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline(
            pipeline_name="transform_test",
            pipeline_root=str(folder),
            components=[examples, imported, ours, stock],
            metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
                str(folder / "metadata.sqlite")
            ),
        )
    )

    def of(node, name):
        (path,) = (folder / node / name).iterdir()
        return path

    names = ("transform_graph", "transformed_examples")
    return {node: {name: of(node, name) for name in names} for node in ("ours", "stock")}


def _rows(output, split):
    """Transformed rows as sorted tuples: the stock component shuffles them."""
    graph = tft.TFTransformOutput(str(output["transform_graph"]))
    files = [str(path) for path in output["transformed_examples"].glob(f"Split-{split}/*.gz")]
    records = list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())
    columns = tf.io.parse_example(records, graph.transformed_feature_spec())
    flat = [np.asarray(columns[name]).reshape(len(records), -1) for name in sorted(columns)]
    return sorted(map(tuple, np.concatenate(flat, axis=1).tolist()))


@pytest.mark.parametrize("split", ["train", "validation"])
def test_transformed_examples_are_the_stock_components(outputs, split):
    ours, stock = _rows(outputs["ours"], split), _rows(outputs["stock"], split)
    assert len(ours) == ROWS[split]
    np.testing.assert_allclose(ours, stock, rtol=1e-4, atol=1e-5)


def test_only_the_named_splits_are_transformed_and_nothing_is_left_over(outputs):
    folder = outputs["ours"]["transformed_examples"]
    assert sorted(path.name for path in folder.iterdir()) == ["Split-train", "Split-validation"]


def test_the_graph_has_the_stock_layout(outputs):
    def layout(node):
        graph = tft.TFTransformOutput(str(outputs[node]["transform_graph"]))
        return (
            graph.transformed_feature_spec(),
            graph.raw_feature_spec(),
            graph.vocabulary_by_name("item_vocabulary"),
            graph.vocabulary_by_name("hour_vocabulary"),
        )

    assert layout("ours") == layout("stock")
    assert len(layout("ours")[3]) == 24


def test_the_graph_serves_from_another_folder(outputs, tmp_path):
    """It holds its vocabularies itself; the analysis' folder is not needed any more."""
    moved = tmp_path / "graph"
    moved.mkdir()
    for path in outputs["ours"]["transform_graph"].rglob("*"):
        target = moved / path.relative_to(outputs["ours"]["transform_graph"])
        target.mkdir(parents=True, exist_ok=True) if path.is_dir() else target.write_bytes(
            path.read_bytes()
        )
    layer = tft.TFTransformOutput(str(moved)).transform_features_layer()
    raw = {
        "item": tf.sparse.from_dense([["i3"], ["never seen"]]),
        "hour": tf.SparseTensor([[0, 0]], tf.constant([7], tf.int64), [2, 1]),
        "price": tf.sparse.from_dense([[1.0], [0.0]]),
        "clicks": tf.sparse.from_dense([["i3", "i4"], ["i3", ""]]),
    }
    served = layer(raw)
    assert served["item"].numpy()[0] >= 3 and served["item"].numpy()[1] == 2
    assert served["hour"].numpy()[1] == 1
    assert served["clicks"].numpy()[:, 0].tolist() == [served["item"].numpy()[0]] * 2
