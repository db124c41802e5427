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
from tfx import v1 as tfx

from components.log_example_gen.component import LogExampleGen
from components.log_example_gen.settings import DataSettings
from components.one_pass_transform.graph_writer import write_graph
from trainer.export import ServedModel
from trainer.ranking_model import RankingModel
from trainer.settings import ModelSettings
from transform.data_contract import DataContract
from transform.model_inputs_builder import build_model_inputs
from transform.one_pass_analysis import AnalyzeFiles

CONTRACT = {
    "features": {
        "user": {"kind": "categorical", "embed": False},
        "item": {"kind": "categorical", "column": "item_id"},
        "odd": {"kind": "categorical"},
        "only": {"kind": "categorical"},
        "nothing": {"kind": "categorical"},
        "brand": {"kind": "categorical", "hash_buckets": 16},
        "scenario": {"kind": "categorical"},
        "price": {"kind": "numeric"},
        "rating": {"kind": "numeric", "transform": "none"},
        "stock": {"kind": "numeric", "transform": "log"},
        "discount": {"kind": "numeric", "transform": "min_max"},
        "age": {"kind": "numeric", "transform": "quantile_buckets", "buckets": 4},
        "constant": {"kind": "numeric"},
        "clicks": {"kind": "sequence", "of": "item", "max_length": 3},
    },
    "tasks": {"ctr": {"label": "click"}, "cvr": {"label": "buy", "population": "ctr"}},
    "target_item": "item",
    "domain": {"feature": "scenario", "values": ["feed", "search"]},
}
#: Values that one line of a text file, or a C string, would not hold.
ODD = [
    "carriage\rreturn",
    "line\nfeed",
    "both\r\n",
    "\r",
    "trailing  ",
    "  leading",
    "tab\t",
    "nul\0byte",
    "\0",
    "größe",
    "\u2028",
    "a" * (1 << 20),
    "a" * (1 << 20) + "b",
    " ",
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
            "user": [f"u{n % 7}" for n in range(ROWS)],
            "item_id": items,
            "odd": [ODD[n % len(ODD)] for n in range(ROWS)],
            "only": ["x" if n % 3 else None for n in range(ROWS)],
            "nothing": pd.Series([None] * ROWS, dtype="string"),
            "brand": random.integers(0, 30, ROWS),
            "scenario": random.choice(["feed", "search"], ROWS),
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


def build(folder, **domain):
    """Makes the model.

    Returns:
        ``model``, its folder; ``frame``, the log; ``examples``, what LogExampleGen wrote of it, in
        the log's order.
    """
    work = folder / "work"
    (work / "logs").mkdir(parents=True)
    contract = DataContract.read({**CONTRACT, "domain": {**CONTRACT["domain"], **domain}})
    frame = make_frame()
    frame.to_parquet(work / "logs" / "log.parquet")
    examples = _ingest(work, contract)
    transformed = _transform(work, contract)
    inputs = build_model_inputs(contract, transformed)
    model = RankingModel(inputs, ModelSettings(network="shared_bottom", embedding_size=4))
    for index, variable in enumerate(model.variables):
        # So that every value moves the outputs, and none drives them to 0 or 1.
        deviation = variable.shape[0] ** -0.5 if variable.path.endswith("kernel") else 0.5
        variable.assign(keras.random.normal(variable.shape, stddev=deviation, seed=index))
    ServedModel(model, transformed, contract).save(str(work / "model"))
    shutil.move(work / "model", folder / "served" / "7")
    shutil.rmtree(work)
    return SimpleNamespace(model=folder / "served" / "7", frame=frame, examples=examples)


def _ingest(work, contract):
    split = {"by": "row", "train": 0.98, "validation": 0.01, "test": 0.01}
    data = DataSettings.read(
        {"reader": "parquet", "path": str(work / "logs/*.parquet"), "split": split}
    )
    node = LogExampleGen(data, contract, str(work / "quarantine"))
    metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(work / "mlmd"))
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline("p", str(work), components=[node], metadata_connection_config=metadata)
    )
    files = [
        str(path)
        for split in ("train", "validation", "test")
        for path in sorted(work.glob(f"LogExampleGen/examples/*/Split-{split}/*.gz"))
    ]
    return list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())


def _transform(work, contract):
    kinds = {"categorical": tf.string, "numeric": tf.float32, "sequence": tf.string}
    spec = {name: tf.io.VarLenFeature(kinds[x.kind]) for name, x in contract.features.items()}
    spec |= {task.label: tf.io.VarLenFeature(tf.int64) for task in contract.tasks.values()}
    schema = schema_utils.schema_from_feature_spec(spec)
    files = [str(path) for path in work.glob("LogExampleGen/examples/*/Split-train/*.gz")]
    with beam.Pipeline() as pipeline:
        _ = pipeline | beam.Create(files) | AnalyzeFiles(contract, schema, str(work / "analysis"))
    with beam.Pipeline() as pipeline:
        places = (str(work / name) for name in ("analysis", "graph", "temporary"))
        write_graph(pipeline, schema, contract, *places)
    return tft.TFTransformOutput(str(work / "graph"))
