"""A log with every kind of feature and value, transformed by TFT on Beam."""

import os

# As the package does: before TFT is imported.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")

import functools  # noqa: E402
from types import SimpleNamespace  # noqa: E402

import apache_beam as beam  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
import tensorflow as tf  # noqa: E402
import tensorflow_transform as tft  # noqa: E402
import tensorflow_transform.beam as tft_beam  # noqa: E402
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils  # noqa: E402

from mtlx.components.one_pass_transform.example_transformer import transform_file  # noqa: E402
from mtlx.components.one_pass_transform.graph_writer import write_graph  # noqa: E402
from mtlx.components.one_pass_transform.one_pass_analysis import AnalyzeFiles  # noqa: E402
from mtlx.transform.contract.data_contract import DataContract  # noqa: E402
from mtlx.transform.preprocessing import preprocessing_fn  # noqa: E402
from tests.shared_between_processes import made_once  # noqa: E402

CONTRACT = {
    "features": {
        "user": {"kind": "categorical", "embed": False},
        "item": {"kind": "categorical"},
        "brand": {"kind": "categorical", "vocabulary": {"top_k": 5, "min_count": 3}},
        "city": {"kind": "categorical", "hash_buckets": 7},
        "nothing": {"kind": "categorical"},
        "scenario": {"kind": "categorical"},
        "price": {"kind": "numeric", "transform": "zscore"},
        "discount": {"kind": "numeric", "transform": "min_max"},
        "count": {"kind": "numeric", "transform": "log"},
        "rating": {"kind": "numeric", "transform": "none"},
        "age": {"kind": "numeric", "transform": "quantile_buckets", "buckets": 8},
        "nowhere": {"kind": "numeric", "transform": "quantile_buckets", "buckets": 3},
        "constant": {"kind": "numeric"},
        "clicks": {"kind": "sequence", "of": "item", "max_length": 3},
        "towns": {"kind": "sequence", "of": "city", "max_length": 2},
    },
    "tasks": {"ctr": {"label": "click"}, "cvr": {"label": "buy", "population": "ctr"}},
    "target_item": "item",
    "domain": {"feature": "scenario", "values": ["search", "feed", "page"]},
}
KINDS = {"categorical": tf.string, "numeric": tf.float32, "sequence": tf.string}
#: Text that needs care on its way through a file with one value per line.
ODD = ["two words", "größe", " leading", "comma,\ttab", "line\nbreak", "0"]


def _maybe(random, value, missing=0.15):
    return [] if random.random() < missing else [value]


def make_rows(rows, seed=0):
    random = np.random.default_rng(seed)
    items = [f"i{number}" for number in range(20)] + ODD
    made = []
    for _ in range(rows):
        item, brand = items[random.integers(len(items))], f"b{int(random.exponential(3))}"
        made.append(
            {
                "user": [f"u{random.integers(30)}"],
                "item": _maybe(random, item),
                "brand": _maybe(random, brand),
                "city": _maybe(random, f"c{random.integers(30)}"),
                "nothing": [],
                "scenario": [str(random.choice(["feed", "search", "page"]))],
                "price": _maybe(random, float(random.lognormal(8, 1))),
                "discount": _maybe(random, float(random.uniform(-5, 20))),
                "count": _maybe(random, float(random.integers(-50, 50))),
                "rating": _maybe(random, float(random.normal())),
                "age": _maybe(random, float(random.gamma(2.0, 10.0))),
                "nowhere": [],
                "constant": [3.5],
                "clicks": [
                    str(random.choice([*items, "only in clicks", ""]))
                    for _ in range(random.integers(0, 7))
                ],
                "towns": [f"c{random.integers(30)}" for _ in range(random.integers(0, 4))],
                "click": [int(random.integers(2))],
                "buy": [int(random.integers(2))],
            }
        )
    return made


def raw_spec(contract):
    spec = {name: tf.io.VarLenFeature(KINDS[f.kind]) for name, f in contract.features.items()}
    return {**spec, **{t.label: tf.io.VarLenFeature(tf.int64) for t in contract.tasks.values()}}


@pytest.fixture(scope="session")
def contract():
    return DataContract.read(CONTRACT)


def _encode(row, kinds):
    """A raw tf.Example, as LogExampleGen writes it: a missing value is a feature without kind."""
    example = tf.train.Example()
    for name, values in row.items():
        feature = example.features.feature[name]
        if not values:
            continue
        if kinds[name] == tf.string:
            feature.bytes_list.value.extend(value.encode() for value in values)
        elif kinds[name] == tf.float32:
            feature.float_list.value.extend(values)
        else:
            feature.int64_list.value.extend(values)
    return example.SerializeToString()


@pytest.fixture(scope="session")
def one_pass(tmp_path_factory):
    """As `transform`, by the parts of OnePassTransform."""

    def function(contract, rows, spec=None):
        return _one_pass(contract, rows, spec, tmp_path_factory.mktemp("one_pass"))

    return function


def _one_pass(contract, rows, spec, folder):
    """Outputs of OnePassTransform's parts, run on Beam over two files."""
    spec = spec or raw_spec(contract)
    schema = schema_utils.schema_from_feature_spec(spec)
    kinds = {name: feature.dtype for name, feature in spec.items()}
    files = [f"{folder}/raw-{shard}.gz" for shard in range(2)]
    for shard, file in enumerate(files):
        with tf.io.TFRecordWriter(file, "GZIP") as writer:
            for row in rows[shard::2]:
                writer.write(_encode(row, kinds))
    with beam.Pipeline() as pipeline:
        _ = pipeline | beam.Create(files) | AnalyzeFiles(contract, schema, f"{folder}/analysis")
    write_graph(schema, contract, f"{folder}/analysis", f"{folder}/graph")
    graph = tft.TFTransformOutput(f"{folder}/graph")
    spec, columns = graph.transformed_feature_spec(), {}
    for shard, file in enumerate(files):
        target = f"{folder}/transformed-{shard}.gz"
        assert transform_file((file, target), f"{folder}/graph", f"{folder}/unfinished") == len(
            rows[shard::2]
        )
        records = list(tf.data.TFRecordDataset(target, "GZIP").as_numpy_iterator())
        for name, values in tf.io.parse_example(records, spec).items():
            column = columns.setdefault(
                name, np.zeros((len(rows), *values.shape[1:]), values.dtype.as_numpy_dtype)
            )
            column[shard::2] = values
    return SimpleNamespace(columns=columns, graph=graph, folder=str(folder))


@pytest.fixture(scope="session")
def transform(tmp_path_factory):
    """Analyses and transforms rows; returns the outputs by name, and the transform graph."""

    def function(contract, rows, spec=None):
        """By TFT alone, from its analyzers to its reading of rows."""
        folder = str(tmp_path_factory.mktemp("transform"))
        metadata = dataset_metadata.DatasetMetadata(
            schema_utils.schema_from_feature_spec(spec or raw_spec(contract))
        )
        configured = functools.partial(
            preprocessing_fn, custom_config={"data_contract": contract.to_json()}
        )
        with tft_beam.Context(temp_dir=folder + "/temporary"):
            (outputs, _), transform_fn = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(
                configured
            )
            _ = transform_fn | tft_beam.WriteTransformFn(folder + "/graph")
        columns = {name: np.stack([row[name] for row in outputs]) for name in outputs[0]}
        return SimpleNamespace(
            columns=columns, graph=tft.TFTransformOutput(folder + "/graph"), folder=folder
        )

    return function


@pytest.fixture(scope="session")
def rows():
    return make_rows(1500)


@pytest.fixture(scope="session", params=["one_pass", "stock"])
def transformed(request, tmp_path_factory, transform, one_pass, contract, rows):
    """The rows' transform, by our component's parts and by TFT alone: the same tests hold."""

    def make(_):
        made = {"stock": transform, "one_pass": one_pass}[request.param](contract, rows)
        return made.columns, made.folder

    columns, folder = made_once(tmp_path_factory, f"transformed-{request.param}", make)
    graph = tft.TFTransformOutput(folder + "/graph")
    return SimpleNamespace(columns=columns, graph=graph, folder=folder)
