"""A service on a known distribution: its models, the logs of a day, and what it served on it."""

import csv
import json

import numpy as np
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts

from mtlx.components.batch_statistics_gen.count_columns import CountColumns
from mtlx.components.batch_statistics_gen.describe_columns import DescribeColumns
from mtlx.components.example_batches import contract_columns, read_batches
from mtlx.components.skew_guard.executor import Executor, ServingSkewError
from mtlx.components.skew_guard.settings import SkewSettings
from mtlx.components.skew_guard.skew_result import Skew, SkewResult
from mtlx.trainer.serving.serving_contract import write_serving_contract
from mtlx.transform.contract.data_contract import DataContract
from tests.components.drift_guard.made_days import combined

CONTRACT = DataContract.read(
    {
        "features": {
            "impression": {"kind": "categorical", "embed": False},
            "brand": {"kind": "categorical"},
            "place": {"kind": "categorical"},
            "price": {"kind": "numeric"},
            "age": {"kind": "numeric"},
            "clicks": {"kind": "sequence", "of": "brand", "max_length": 4},
        },
        "domain": {"feature": "place", "values": ["feed", "search"]},
        "tasks": {"click": {"label": "clicked"}, "buy": {"label": "bought"}},
    }
)
#: What the service logs besides the features.
SCORES = {"click": "p_click", "buy": "p_buy"}
ROWS = 2_000


class Model(tf.Module):
    """Two probabilities of a row; `shift` makes it another version."""

    def __init__(self, shift):
        super().__init__()
        self.shift = shift

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples):
        kinds = {"price": tf.float32, "age": tf.float32, "brand": tf.string, "place": tf.string}
        forms = {
            name: tf.io.RaggedFeature(kind, row_splits_dtype=tf.int64)
            for name, kind in {**kinds, "clicks": tf.string}.items()
        }
        found = tf.io.parse_example(examples, forms)
        clicks = tf.cast(found.pop("clicks").row_lengths(), tf.float32)
        found = {name: values.to_tensor(shape=[None, 1])[:, 0] for name, values in found.items()}
        known = tf.cast(tf.strings.to_hash_bucket_fast(found["brand"], 7), tf.float32) / 7
        logit = 0.1 * found["price"] - 0.02 * found["age"] + known + self.shift
        logit += 0.1 * clicks
        logit += tf.cast(found["place"] == "search", tf.float32)
        return {"click": tf.sigmoid(logit), "buy": tf.sigmoid(logit - 2.0)}


def save_versions(folder, shifts):
    """Pushes a model per shift, without the note that a push leaves; the first is version 1."""
    for number, shift in enumerate(shifts, 1):
        model, path = Model(shift), str(folder / str(number))
        tf.saved_model.save(model, path, signatures={"serving_default": model.serve})
        write_serving_contract(path, CONTRACT)
    return str(folder)


def made_rows(random, rows=ROWS, first=0):
    """Rows as dictionaries of what stands in a log, without scores."""
    return [
        {
            "impression": f"i{first + row}",
            "brand": f"b{int(random.pareto(1.2)) % 30}",
            "place": "search" if random.random() < 0.4 else "feed",
            "price": "" if random.random() < 0.05 else f"{np.exp(random.normal()):.4f}",
            "age": str(random.integers(18, 80)),
            "clicks": "|".join(f"b{n}" for n in random.integers(30, size=random.integers(4))),
        }
        for row in range(rows)
    ]


def example(row):
    """A row as LogExampleGen writes it."""
    feature = {}
    for name in ("price", "age"):
        feature[name] = _floats([float(row[name])] if row[name] else [])
    for name in ("impression", "brand", "place"):
        feature[name] = _texts([row[name]] if row[name] else [])
    feature["clicks"] = _texts([one for one in row["clicks"].split("|") if one])
    return tf.train.Example(features=tf.train.Features(feature=feature))


def scored(rows, folder, version="1"):
    """The rows with what a version says of them."""
    model = tf.saved_model.load(f"{folder}/{version}")
    served = model.signatures["serving_default"](
        examples=tf.constant([example(row).SerializeToString() for row in rows])
    )
    columns = [served[task].numpy() for task in SCORES]
    return [
        row
        | {"version": version}
        | dict(zip(SCORES.values(), map(repr, map(float, values)), strict=True))
        for row, values in zip(rows, zip(*columns, strict=True), strict=True)
    ]


def logged(folder, rows, number=1):
    """Artifacts of the rows as they were ingested: examples and their statistics."""
    examples, statistics = standard_artifacts.Examples(), standard_artifacts.ExampleStatistics()
    for artifact, name in ((examples, "examples"), (statistics, "statistics")):
        artifact.uri, artifact.span = str(folder / f"{name}-{number}"), number
        artifact.split_names = artifact_utils.encode_split_names(["train"])
        (folder / f"{name}-{number}" / "Split-train").mkdir(parents=True)
    place = artifact_utils.get_split_uri([examples], "train") + "/data.gz"
    with tf.io.TFRecordWriter(place, "GZIP") as writer:
        for row in rows:
            made = example(row)
            for label in ("clicked", "bought"):
                made.features.feature[label].int64_list.value.append(0)
            writer.write(made.SerializeToString())
    columns = {name: kind.name for name, kind in contract_columns(CONTRACT).items()}
    batches = list(read_batches([place], columns, 10_000))
    target = artifact_utils.get_split_uri([statistics], "train")
    combined(CountColumns(CONTRACT), batches).save(target)
    found = combined(DescribeColumns(), batches)
    with open(f"{target}/FeatureStats.pb", "wb") as file:
        file.write(found.SerializeToString())
    return examples, statistics


def write_served(path, rows):
    """A serving log."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def guarded(folder, day, pattern, versions_in, older=None, limit=0.001, **settings):
    """Runs the executor, and reads what it wrote; None where it stopped the run."""
    result = SkewResult()
    result.uri = str(folder / "skew")
    settings = {"scores": SCORES, "version": "version"} | settings
    properties = {
        "skew_settings": SkewSettings.read(settings).to_json(),
        "data_contract": CONTRACT.to_json(),
        "serving_path": json.dumps([pattern]),
        "reader": "csv",
        "reader_options": "{}",
        "max_malformed_share": limit,
        "versions_in": versions_in,
        "split": "",
        "kept_apart": "",
        "dates": 0,
    }
    inputs = {"examples": [day[0]], "statistics": [day[1]]}
    if older is not None:
        inputs |= {"older_examples": [older[0]], "older_statistics": [older[1]]}
    try:
        Executor().Do(inputs, {"skew": [result]}, properties)
    except ServingSkewError as error:
        return Skew.load(result.uri), str(error)
    return Skew.load(result.uri), None


def _floats(values):
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def _texts(values):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[v.encode() for v in values]))
