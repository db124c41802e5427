"""A log with planted behaviours, and a model whose weights are set by hand: all answers are known.

Click follows feature ``a`` and buying follows ``b``, in the log and in the model: its first expert
passes on ``a``, its second ``b``, and each task's gate is held open for its own. All other features
leak into both with small weights, but for ``unread``, which the model does not read.
"""

import json
from types import SimpleNamespace

import apache_beam as beam
import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.tf_metadata import schema_utils

from mtlx.components.one_pass_transform.graph_writer import write_graph
from mtlx.components.one_pass_transform.one_pass_analysis import AnalyzeFiles
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.warm_start.write_base import write_base
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {
            "item": {"kind": "categorical"},
            "category": {"kind": "categorical"},
            "scenario": {"kind": "categorical"},
            "a": {"kind": "numeric", "transform": "none"},
            "b": {"kind": "numeric", "transform": "none"},
            "other": {"kind": "numeric", "transform": ["zscore", "quantile_buckets"], "buckets": 3},
            "unread": {"kind": "categorical", "embed": False},
            "viewed": {
                "kind": "sequence",
                "of": ["item", "category"],
                "columns": ["viewed_items", "viewed_categories"],
                "max_length": 3,
            },
        },
        "target_item": "item",
        "domain": {"feature": "scenario", "values": ["feed", "search"]},
        "tasks": {"click": {"label": "click"}, "buy": {"label": "buy", "population": "click"}},
    }
)
MODEL = ModelSettings(
    network="mmoe",
    options={"experts": 2, "expert_hidden": [2], "tower_hidden": []},
    embedding_size=2,
    sequence_encoder="din",
    sequence_options={"hidden": [4]},
)
ROWS = {"train": 400, "test": 3000}
#: Weight of a gate's column: its softmax is 1 to seven digits.
_OPEN = 20.0


def make_rows(rows, seed):
    """Every third row has its own item among its behaviours, and is then clicked more often."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(rows):
        a, b, other = (float(value) for value in random.normal(size=3).astype(np.float32))
        item = int(random.integers(12))
        behaviours = [int(one) for one in random.integers(12, 40, random.integers(0, 6))]
        if number % 3 == 0:
            behaviours.insert(int(random.integers(len(behaviours) + 1)), item)
        click = int(random.random() < 1 / (1 + np.exp(-2 * a - (number % 3 == 0))))
        made.append(
            {
                "item": [f"i{item}"],
                "category": [f"c{item % 4}"],
                "scenario": [("feed", "search")[int(random.integers(2))]],
                "a": a,
                "b": b,
                "other": other,
                "unread": [f"u{number % 50}"],
                "viewed": [f"i{one}" for one in behaviours],
                "viewed.category": [f"c{one % 4}" for one in behaviours],
                "click": click,
                "buy": int(click and random.random() < 1 / (1 + np.exp(-2 * b))),
            }
        )
    return made


def encode(row):
    """A raw `tf.Example`, as LogExampleGen writes it."""
    features = {}
    for name, value in row.items():
        if isinstance(value, list):
            encoded = tf.train.BytesList(value=[text.encode() for text in value])
            features[name] = tf.train.Feature(bytes_list=encoded)
        elif isinstance(value, float):
            features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        else:
            features[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def build(folder):
    """Writes examples, transform graph and Model artifact.

    Returns:
        Their folders, and the rows of the split ``test``.
    """
    rows = {split: make_rows(number, seed) for seed, (split, number) in enumerate(ROWS.items())}
    for split, made in rows.items():
        (folder / "examples" / f"Split-{split}").mkdir(parents=True)
        for shard in range(2):
            path = folder / "examples" / f"Split-{split}" / f"data-{shard}.gz"
            with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
                for row in made[shard::2]:
                    writer.write(encode(row))
    transformed = _transform(folder)
    model = _planted(build_model_inputs(CONTRACT, transformed))
    served = str(folder / "model" / "Format-Serving")
    ServedModel(model, transformed, CONTRACT).save(served)
    write_base(served, CONTRACT, MODEL, transformed, weight_names(model.variables), {})
    return SimpleNamespace(
        rows=rows["test"],
        examples=str(folder / "examples"),
        transform_graph=str(folder / "graph"),
        model=str(folder / "model"),
        served=served,
    )


def _transform(folder):
    kinds = {"categorical": tf.string, "numeric": tf.float32, "sequence": tf.string}
    spec = {name: tf.io.VarLenFeature(kinds[x.kind]) for name, x in CONTRACT.features.items()}
    spec |= {task.label: tf.io.VarLenFeature(tf.int64) for task in CONTRACT.tasks.values()}
    schema = schema_utils.schema_from_feature_spec(spec)
    files = [str(path) for path in folder.glob("examples/Split-train/*")]
    with beam.Pipeline() as pipeline:
        _ = pipeline | beam.Create(files) | AnalyzeFiles(CONTRACT, schema, f"{folder}/analysis")
    write_graph(schema, CONTRACT, f"{folder}/analysis", f"{folder}/graph")
    return tft.TFTransformOutput(f"{folder}/graph")


def _planted(inputs):
    """The model: expert 0 gives (ReLU(a), ReLU(−a)), expert 1 the same of b."""
    keras.utils.set_random_seed(3)
    model = build_model(inputs, MODEL)
    network, embedding = model.network, model.embedding
    fields = [field.name for field in inputs.fields]
    numeric = [field.name for field in inputs.numeric]
    slopes = np.zeros(embedding.slopes.shape, "float32")
    slopes[:, 0] = 1.0
    embedding.slopes.assign(slopes)
    embedding.table.assign(np.random.default_rng(4).normal(size=embedding.table.shape))
    (layer,) = network.experts.hidden_layers
    kernel = np.random.default_rng(5).normal(scale=0.02, size=layer.kernel.shape)
    for expert, name in enumerate(("a", "b")):
        kernel[expert, fields.index(name) * MODEL.embedding_size] = (1.0, -1.0)
    assert {"a", "b"} < set(numeric)
    layer.kernel.assign(kernel.astype("float32"))
    network.gate.kernel.assign(np.zeros(network.gate.kernel.shape, "float32"))
    network.gate.bias.assign(np.array([_OPEN, 0.0, 0.0, _OPEN], "float32"))
    network.towers.output_layer.kernel.assign(
        np.array([[[2.0], [-2.0]], [[2.0], [-2.0]]], "float32")
    )
    return model


def properties(insights, split="test"):
    """Execution properties of the component."""
    return {
        "data_contract": CONTRACT.to_json(),
        "insights": json.dumps(insights),
        "split": split,
    }
