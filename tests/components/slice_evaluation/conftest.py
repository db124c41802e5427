"""A small raw log and tiny exported models, shared by the tests of this folder."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from mtlx.transform.contract.data_contract import DataContract
from tests.shared_between_processes import made_once

CONTRACT = {
    "features": {
        "scenario": {"kind": "categorical"},
        "gender": {"kind": "categorical"},
        "user_id": {"kind": "categorical", "embed": False},
        "interest": {"kind": "numeric"},
        "price": {"kind": "numeric"},
    },
    "tasks": {
        "ctr": {"label": "click"},
        "ctcvr": {"label": "purchase", "after": "ctr"},
        "cvr": {"label": "bought", "after": "ctr", "population": "ctr"},
    },
    "domain": {"feature": "scenario", "values": ["search", "feed", "page"]},
}
#: Weights of (interest, price, bias) per task.
CANDIDATE = {"ctr": (1.0, 0.5, -0.5), "ctcvr": (1.0, -0.5, -2.0), "cvr": (0.2, -1.0, -0.7)}
BASELINE = {"ctr": (0.8, -0.4, -0.5), "ctcvr": (1.0, 0.2, -2.0), "cvr": (0.9, -1.0, -0.6)}


@pytest.fixture(scope="session")
def example_of():
    """Serialises a row as a `tf.Example`."""
    return _example


@pytest.fixture(scope="session")
def contract():
    return DataContract.read(CONTRACT)


def _example(values):
    def feature(value):
        if isinstance(value, float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        if isinstance(value, int):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        encoded = [] if value is None else [value.encode()]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=encoded))

    features = {name: feature(value) for name, value in values.items()}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def make_rows(rows, seed=0):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(rows):
        interest, price = rng.normal(size=2).astype(np.float32)
        click = int(rng.random() < 1 / (1 + np.exp(-(interest + 0.4 * price))))
        bought = int(click and rng.random() < 1 / (1 + np.exp(-(interest - price - 0.7))))
        made.append(
            {
                "scenario": str(rng.choice(["feed", "search", "page"], p=[0.6, 0.3, 0.1])),
                "gender": [None, "f", "m"][rng.choice(3, p=[0.1, 0.5, 0.4])],
                "user_id": None if rng.random() < 0.02 else f"u{rng.integers(0, 120)}",
                "interest": float(interest),
                "price": float(price),
                "click": click,
                "purchase": bought,
                "bought": bought,
            }
        )
    return made


def write_examples(uri, rows, shards=2, split="test"):
    folder = pathlib.Path(uri, f"Split-{split}")
    folder.mkdir(parents=True)
    for shard in range(shards):
        name = f"data_tfrecord-{shard:05d}-of-{shards:05d}.gz"
        with tf.io.TFRecordWriter(str(folder / name), "GZIP") as writer:
            for row in rows[shard::shards]:
                writer.write(_example(row))
    return str(uri)


class LogisticModel(tf.Module):
    """One logistic regression per task, on serialised examples."""

    def __init__(self, weights, undefined_above=None):
        super().__init__()
        self.weights = weights
        self.undefined_above = undefined_above

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples):
        parsed = tf.io.parse_example(
            examples,
            {name: tf.io.FixedLenFeature([], tf.float32, 0.0) for name in ("interest", "price")},
        )
        outputs = {}
        for task, (interest, price, bias) in self.weights.items():
            logit = interest * parsed["interest"] + price * parsed["price"] + bias
            outputs[task] = tf.sigmoid(logit)
        if self.undefined_above is not None:
            bad = parsed["interest"] > self.undefined_above
            outputs["ctr"] = tf.where(bad, tf.constant(float("nan")), outputs["ctr"])
        return outputs


def save_model(uri, weights, undefined_above=None):
    path = pathlib.Path(uri, "Format-Serving")
    model = LogisticModel(weights, undefined_above)
    tf.saved_model.save(model, str(path), signatures={"serving_default": model.serve})
    return str(uri)


def predict(weights, rows, task):
    interest, price, bias = weights[task]
    logit = [interest * row["interest"] + price * row["price"] + bias for row in rows]
    return 1 / (1 + np.exp(-np.array(logit)))


@pytest.fixture(scope="session")
def log(tmp_path_factory):
    """Rows and the URI of their examples."""
    rows = make_rows(1600)
    uri = write_examples(tmp_path_factory.mktemp("examples"), rows)
    return rows, uri


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """URIs of the candidate's and the baseline's model artifacts."""
    folder = tmp_path_factory.mktemp("models")
    return {
        "candidate": save_model(folder / "candidate", CANDIDATE),
        "baseline": save_model(folder / "baseline", BASELINE),
    }


@pytest.fixture(scope="session")
def evaluate(contract, tmp_path_factory):
    """Runs the executor, as the launcher calls it; returns the evaluation's URI."""
    from tfx.dsl.components.base import base_beam_executor
    from tfx.types import standard_artifacts

    from mtlx.components.slice_evaluation.executor import Executor

    def artifact(kind, uri):
        made = kind()
        made.uri = uri
        return [made]

    def run(examples_uri, settings, **model_uris):
        root = tmp_path_factory.mktemp("evaluation")
        examples = artifact(standard_artifacts.Examples, examples_uri)
        examples[0].split_names = json.dumps(["train", "test"])
        inputs = {"examples": examples, "baseline": []}
        for name, uri in model_uris.items():
            inputs[name] = artifact(standard_artifacts.Model, uri)
        executor = Executor(
            base_beam_executor.BaseBeamExecutor.Context(
                beam_pipeline_args=[], tmp_dir=str(root / "tmp")
            )
        )
        executor.Do(
            inputs,
            {"evaluation": artifact(standard_artifacts.ModelEvaluation, str(root))},
            {"data_contract": contract.to_json(), "evaluation_settings": json.dumps(settings)},
        )
        return str(root)

    return run


@pytest.fixture(scope="session")
def full_uri(evaluate, log, models, tmp_path_factory):
    """Candidate and baseline on four kinds of slices, in several batches and files."""
    settings = {"slices": [["domain"], ["gender"], ["domain", "gender"]], "batch_size": 256}
    return made_once(
        tmp_path_factory, "full_evaluation", lambda folder: evaluate(log[1], settings, **models)
    )
