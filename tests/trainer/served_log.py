"""A Parquet log, read by LogExampleGen, transformed, and served by a model with random weights.

The model is moved and all that it was made of deleted: what it needs, it must hold itself.
"""

import shutil
from types import SimpleNamespace

import apache_beam as beam
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.tf_metadata import schema_utils

from mtlx.components.log_example_gen.component import LogExampleGen
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.one_pass_transform.example_transformer import transform_file
from mtlx.components.one_pass_transform.graph_writer import write_graph
from mtlx.components.one_pass_transform.one_pass_analysis import AnalyzeFiles
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.contract.data_contract import DataContract
from tests import tfx_parts as tfx

CONTRACT = {
    "features": {
        "user": {"kind": "categorical", "column": "user_id", "embed": False},
        "item": {"kind": "categorical", "column": "item_id"},
        "odd": {"kind": "categorical"},
        "only": {"kind": "categorical"},
        "nothing": {"kind": "categorical"},
        "brand": {"kind": "categorical", "hash_buckets": 16},
        "scenario": {"kind": "categorical"},
        "price": {"kind": "numeric"},
        "rating": {"kind": "numeric", "transform": "none"},
        "stock": {
            "kind": "numeric",
            "transform": ["log", "quantile_buckets"],
            "buckets": 6,
            "buckets_of": "distinct",
        },
        "discount": {"kind": "numeric", "transform": "min_max"},
        "age": {"kind": "numeric", "transform": "quantile_buckets", "buckets": 4},
        "constant": {"kind": "numeric"},
        "clicks": {"kind": "sequence", "of": "item", "max_length": 3},
    },
    "tasks": {"ctr": {"label": "click"}, "cvr": {"label": "buy", "population": "ctr"}},
    "target_item": "item",
    "domain": {"feature": "scenario", "values": ["home_feed", "search"]},
    "request_features": ["user", "scenario", "age", "clicks"],
}
#: The contract of docs/serving.md, of the same log.
DOCUMENTED = {
    "features": {
        "user_id": {"kind": "categorical", "embed": False},
        "item_id": {"kind": "categorical"},
        "scenario": {"kind": "categorical"},
        "price": {"kind": "numeric"},
        "clicks": {"kind": "sequence", "of": "item_id", "max_length": 3},
    },
    "tasks": {"click": {"label": "click"}},
    "domain": {"feature": "scenario", "values": ["home_feed", "search"]},
    "request_features": ["user_id", "scenario", "clicks"],
}
#: Values that one line of a text file, or a C string, would not hold.
ODD = [
    "carriage\rreturn",
    "line\nfeed",
    "both\r\n",
    "\rstart",
    "trailing  ",
    "  leading",
    "tab\t",
    "nul\0byte",
    "\0",
    "größe",
    "\u2028",
    "a" * (1 << 20),
    "a" * (1 << 20) + "b",
    " x",
    "0",
    "plain",
]
ROWS = 160


def make_frame(seed=0):
    """Rows of the log, as pandas reads them from Parquet."""
    random = np.random.default_rng(seed)
    items = 5345430 + random.integers(0, 20, ROWS)
    frame = pd.DataFrame(
        {
            "user_id": np.arange(ROWS) % 7,
            "item_id": items,
            "odd": [ODD[n % len(ODD)] for n in range(ROWS)],
            "only": ["x" if n % 3 else None for n in range(ROWS)],
            "nothing": pd.Series([None] * ROWS, dtype="string"),
            "brand": random.integers(0, 30, ROWS),
            "scenario": random.choice(["home_feed", "search"], ROWS),
            "price": random.lognormal(3, 1, ROWS),
            "rating": random.integers(1, 6, ROWS).astype(float),
            "stock": random.integers(0, 100, ROWS),
            "discount": random.uniform(-5, 20, ROWS),
            "age": random.integers(15, 70, ROWS),
            "constant": np.full(ROWS, 7.5),
            "clicks": [list(map(str, random.choice(items, n % 6))) for n in range(ROWS)],
            "click": random.integers(0, 2, ROWS),
            "buy": np.zeros(ROWS, int),
        }
    )
    frame.loc[frame.index % 9 == 4, "price"] = np.nan
    return frame


def build(folder):
    """Makes the model.

    Returns:
        ``model``, its folder; ``strict``, that of one with ``domain.unknown: refuse``;
        ``documented``, that of the model of docs/serving.md; ``frame``, the log; ``examples``, what LogExampleGen wrote of it, in the log's order; ``trained``, the
        probabilities of the Keras model for the rows that it would be trained on, the first ones.
    """
    work = folder / "work"
    (work / "logs").mkdir(parents=True)
    contract = DataContract.read(CONTRACT)
    frame = make_frame()
    frame.to_parquet(work / "logs" / "log.parquet")
    examples = _ingest(work, contract, "log")
    transformed = _transform(work, contract, "log")
    model = _random_model(contract, transformed)
    ServedModel(model, transformed, contract).save(str(work / "model"))
    strict = contract.domain.model_copy(update={"unknown": "refuse"})
    strict = contract.model_copy(update={"domain": strict})
    ServedModel(model, transformed, strict).save(str(work / "strict"))
    trained = model(_training_rows(work, transformed))["probabilities"].numpy()
    documented = DataContract.read(DOCUMENTED)
    _rename(work, "log", "documented", {"user": "user_id", "item": "item_id"})
    # As a reviewed schema may promise; requests need not keep to it.
    transformed = _transform(work, documented, "documented", always_present=True)
    model = _random_model(documented, transformed)
    ServedModel(model, transformed, documented).save(str(work / "documented"))
    for name in ("model", "strict", "documented"):
        shutil.move(work / name, folder / name / "7")
    shutil.rmtree(work)
    return SimpleNamespace(
        model=folder / "model" / "7",
        strict=folder / "strict" / "7",
        documented=folder / "documented" / "7",
        frame=frame,
        examples=examples,
        trained=trained,
    )


def _random_model(contract, transformed):
    inputs = build_model_inputs(contract, transformed)
    model = RankingModel(inputs, ModelSettings(network="shared_bottom", embedding_size=4))
    for index, variable in enumerate(model.variables):
        # So that every value moves the outputs, and none drives them to 0 or 1.
        shape, table = variable.shape, "embedding" in variable.path
        deviation = 1.0 if table else 0.1 if len(shape) < 2 else 1.2 * shape[-2] ** -0.5
        variable.assign(keras.random.normal(variable.shape, stddev=deviation, seed=index))
    return model


def _ingest(work, contract, name):
    split = {"by": "row", "train": 0.98, "validation": 0.01, "test": 0.01}
    data = DataSettings.read(
        {"reader": "parquet", "path": str(work / "logs/*.parquet"), "split": split}
    )
    node = LogExampleGen(data, contract, str(work / "quarantine")).with_id(name)
    metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(work / "mlmd"))
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline("p", str(work), components=[node], metadata_connection_config=metadata)
    )
    files = [
        str(path)
        for split in ("train", "validation", "test")
        for path in sorted(work.glob(f"{name}/examples/*/Split-{split}/*.gz"))
    ]
    return list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())


def _rename(work, name, other, features):
    """The training examples of a log, as another contract's, which names features otherwise."""
    for file in work.glob(f"{name}/examples/*/Split-train/*.gz"):
        path = work / other / file.relative_to(work / name)
        path.parent.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for record in tf.data.TFRecordDataset(str(file), "GZIP").as_numpy_iterator():
                example = tf.train.Example.FromString(record)
                for old, new in features.items():
                    example.features.feature[new].CopyFrom(example.features.feature[old])
                writer.write(example.SerializeToString())


def _training_rows(work, transformed):
    (file,) = work.glob("log/examples/*/Split-train/*.gz")
    target = str(work / "transformed.gz")
    transform_file((str(file), target), f"{work}/log-graph", str(work / "unfinished"))
    rows = list(tf.data.TFRecordDataset(target, "GZIP").as_numpy_iterator())
    return tf.io.parse_example(rows, transformed.transformed_feature_spec())


def _transform(work, contract, name, always_present=False):
    kinds = {"text": tf.string, "number": tf.float32}
    spec = {name: tf.io.VarLenFeature(kinds[x.holds]) for name, x in contract.features.items()}
    if always_present:
        spec = {
            key: tf.io.FixedLenFeature([], x.dtype) if contract.features[key].takes_one else x
            for key, x in spec.items()
        }
    spec |= {task.label: tf.io.VarLenFeature(tf.int64) for task in contract.tasks.values()}
    schema = schema_utils.schema_from_feature_spec(spec)
    files = [str(path) for path in work.glob(f"{name}/examples/*/Split-train/*.gz")]
    with beam.Pipeline() as pipeline:
        _ = (
            pipeline
            | beam.Create(files)
            | AnalyzeFiles(contract, schema, f"{work}/{name}-analysis")
        )
    write_graph(schema, contract, f"{work}/{name}-analysis", f"{work}/{name}-graph")
    return tft.TFTransformOutput(f"{work}/{name}-graph")
