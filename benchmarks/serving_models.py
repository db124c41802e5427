"""Exported models of random weights, and requests for them, that serving is measured on.

A user of ten fields, the scenario and two sequences of 50 items, which a request has once; an item
of ten fields and two numbers. Three tasks, three domains, embeddings of width 16.
"""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.tf_metadata import schema_utils

from benchmarks.graph_flops import matmul_flops
from benchmarks.step_models import settings_of
from mtlx.components.one_pass_transform.graph_writer import write_graph
from mtlx.components.one_pass_transform.one_pass_analysis import AnalyzeFiles
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.model.model_features import two_empty_rows
from mtlx.trainer.model.scorer import Scorer
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.contract.data_contract import DataContract

#: Fields of either side, values of a field, behaviours of a sequence, rows that are analysed.
FIELDS, VALUES, LENGTH, ROWS = 10, 1000, 50, 4000
DOMAINS = ["home", "search", "product"]
#: Items of the request for which the plain MLP has as many operations.
EQUAL_AT = 500
#: By which a request's operations for an item may differ from a row's, for one MLP beside both.
LIKE = 0.02

USER = [f"user_{n}" for n in range(FIELDS)]
ITEM = ["item", *(f"item_{n}" for n in range(1, FIELDS))]
NUMBERS = ["price", "age_of_item"]
SEQUENCES = ["clicks", "buys"]
CONTRACT = DataContract.read(
    {
        "features": {
            **{name: {"kind": "categorical"} for name in [*USER, "scenario", *ITEM]},
            **{name: {"kind": "numeric"} for name in NUMBERS},
            **{
                name: {"kind": "sequence", "of": "item", "max_length": LENGTH} for name in SEQUENCES
            },
        },
        "tasks": {name: {"label": name} for name in ("click", "cart", "buy")},
        "target_item": "item",
        "domain": {"feature": "scenario", "values": DOMAINS},
        "request_features": [*USER, "scenario", *SEQUENCES],
    }
)

Columns = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Exported:
    """A model as it is served.

    Attributes:
        name: of the part.
        path: of its SavedModel.
        mlp: of a plain MLP behind the same features, likewise exported.
        request_mlp: of the one that stands beside `serving_request`, for which a model may need
            fewer operations; often the same.
        bare: of the first MLP's matrices alone, which reads numbers.
        width: of the numbers that `bare` reads.
        flops: of the model for one of `EQUAL_AT` rows, and of the MLP.
        request_flops: of the model for one of `EQUAL_AT` items of a request, and of its MLP for a
            row.
    """

    name: str
    path: str
    mlp: str
    request_mlp: str
    bare: str
    width: int
    flops: tuple[float, float]
    request_flops: tuple[float, float]


def columns_of(rows: int, seed: int = 0) -> Columns:
    """Features of some rows, as `serving_columns` takes them."""
    random = np.random.default_rng(seed)

    def values(prefix: str, shape: tuple[int, ...]) -> np.ndarray:
        return np.char.add(prefix, random.integers(0, VALUES, shape).astype(str)).astype(object)

    columns = {name: values(f"{name}:", (rows,)) for name in [*USER, *ITEM]}
    columns["scenario"] = random.choice(DOMAINS, rows).astype(object)
    columns |= {name: random.normal(size=rows).astype("float32") for name in NUMBERS}
    return columns | {name: values("item:", (rows, LENGTH)) for name in SEQUENCES}


def request_of(items: int, seed: int = 1) -> tuple[Columns, Columns]:
    """What a request has once ``(1, ...)``, and what its items have ``(items, ...)``."""
    columns = columns_of(items, seed)
    side = CONTRACT.request_side
    once = {name: values[:1] for name, values in columns.items() if name in side}
    return once, {name: values for name, values in columns.items() if name not in side}


def whole_rows(request: Columns, items: Columns) -> Columns:
    """The request's values beside every item."""
    rows = len(next(iter(items.values())))
    return {**items, **{name: np.repeat(values, rows, axis=0) for name, values in request.items()}}


def examples_of(columns: Columns) -> list[bytes]:
    """The rows as serialised examples."""
    examples = []
    for row in range(len(next(iter(columns.values())))):
        example = tf.train.Example()
        for name, values in columns.items():
            place = example.features.feature[name]
            if values.dtype == np.float32:
                place.float_list.value.append(values[row])
            else:
                texts = np.atleast_1d(values[row])
                place.bytes_list.value.extend(text.encode() for text in texts)
        examples.append(example.SerializeToString(deterministic=True))
    return examples


def transform(folder: Path) -> tft.TFTransformOutput:
    """The transform graph of a log of random rows."""
    kinds = {"text": tf.string, "number": tf.float32}
    spec = {
        name: tf.io.VarLenFeature(kinds[feature.holds])
        for name, feature in CONTRACT.features.items()
    }
    spec |= {task.label: tf.io.VarLenFeature(tf.int64) for task in CONTRACT.tasks.values()}
    schema = schema_utils.schema_from_feature_spec(spec)
    path, analysis = str(folder / "rows.gz"), str(folder / "analysis")
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for example in examples_of(columns_of(ROWS)):
            writer.write(example)
    with beam.Pipeline() as pipeline:
        _ = pipeline | beam.Create([path]) | AnalyzeFiles(CONTRACT, schema, analysis)
    write_graph(schema, CONTRACT, analysis, str(folder / "graph"))
    return tft.TFTransformOutput(str(folder / "graph"))


def export(name: str, transformed: tft.TFTransformOutput, folder: Path) -> Exported:
    """Writes a part of `benchmarks.step_models`, and MLPs of as many operations."""
    inputs = build_model_inputs(CONTRACT, transformed)
    model = build_model(inputs, settings_of(name))

    def saved(kind: str, one: Scorer) -> str:
        path = str(folder / f"{name}-{kind}")
        ServedModel(one, transformed, CONTRACT).save(path)
        return path

    flops, once = (model_flops(model, EQUAL_AT, side) for side in ((), CONTRACT.request_side))
    plain = smaller = _mlp(inputs, flops)
    path, mlp = saved("model", model), saved("mlp", plain)
    request_mlp = mlp
    if abs(once / flops - 1) > LIKE:
        smaller = _mlp(inputs, once)
        request_mlp = saved("request-mlp", smaller)
    bare, width = str(folder / f"{name}-bare"), settings_size(inputs)
    _save_bare(bare, width, plain.settings.options["bottom_hidden"], len(inputs.tasks))
    of_rows, of_items = (
        (own / EQUAL_AT, model_flops(other, EQUAL_AT) / EQUAL_AT)
        for own, other in ((flops, plain), (once, smaller))
    )
    return Exported(name, path, mlp, request_mlp, bare, width, of_rows, of_items)


def model_flops(model: Scorer, rows: int, once: tuple[str, ...] = ()) -> int:
    """Of the matrix products that score so many rows.

    Args:
        model: of `CONTRACT`.
        rows: how many.
        once: features that all rows share.
    """
    names = {*once, "domain_id"} if once else set()
    specs = {
        name: tf.TensorSpec([1 if name in names else rows, *values.shape[1:]], values.dtype)
        for name, values in two_empty_rows(model.inputs_record).items()
    }
    traced = tf.function(lambda batch: model(batch, training=False), autograph=False)
    return matmul_flops(traced.get_concrete_function(specs).graph)


def _mlp(inputs: Any, flops: int) -> Scorer:
    """Two equal layers behind the features, of as many operations, and a linear one behind them."""

    def built(width: int) -> Scorer:
        options = {"bottom_hidden": [width, width], "tower_hidden": []}
        settings = ModelSettings(
            network="shared_bottom", options=options, sequence_encoder="mean_pooling"
        )
        return build_model(inputs, settings)

    # 2 (w + w²) for each row, with all that is before and behind the two layers.
    low, high = 8, 16384
    while high - low > 1:
        middle = (low + high) // 2
        size = settings_size(inputs)
        enough = 2 * EQUAL_AT * (size * middle + middle**2 + 3 * middle) >= flops
        low, high = (low, middle) if enough else (middle, high)
    return built(high)


def settings_size(inputs: Any) -> int:
    """Numbers that the MLP's first layer reads."""
    return (len(inputs.fields) + len(inputs.sequences)) * ModelSettings(
        network="mmoe"
    ).embedding_size


class _Bare(tf.Module):
    """Matrices alone: numbers ``(B, n)`` to a probability per task."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        draw = np.random.default_rng(0).normal
        self.kernels = [
            tf.Variable(draw(size=pair).astype("float32") * pair[0] ** -0.5)
            for pair in zip(widths[:-1], widths[1:], strict=True)
        ]

    @tf.function(autograph=False)
    def score(self, numbers: tf.Tensor) -> dict[str, tf.Tensor]:
        for kernel in self.kernels[:-1]:
            numbers = tf.nn.relu(numbers @ kernel)
        return {"scores": tf.sigmoid(numbers @ self.kernels[-1])}


def _save_bare(path: str, width: int, hidden: Any, tasks: int) -> None:
    module = _Bare([width, *hidden, tasks])
    spec = tf.TensorSpec([None, width], tf.float32, name="numbers")
    tf.saved_model.save(module, path, signatures=module.score.get_concrete_function(spec))


def export_all(names: list[str]) -> tuple[tempfile.TemporaryDirectory, list[Exported]]:
    """Writes models, and says where; they are gone with the folder."""
    folder = tempfile.TemporaryDirectory(prefix="mtlx-serving-")
    place = Path(folder.name)
    transformed = transform(place)
    return folder, [export(name, transformed, place) for name in names]
