"""Made-up evaluations for the gate's decision, and a log with exported models for its pipeline."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.transform.contract.data_contract import DataContract
from tests.components.slice_names import named

CONTRACT = {
    "features": {
        "scenario": {"kind": "categorical"},
        "gender": {"kind": "categorical"},
        "interest": {"kind": "numeric"},
        "price": {"kind": "numeric"},
    },
    "tasks": {"click": {"label": "click"}, "purchase": {"label": "purchase", "after": "click"}},
    "domain": {"feature": "scenario", "values": ["feed", "search"]},
}
SLICES = ("overall", "domain=feed", "domain=search")


@pytest.fixture(scope="session")
def contract():
    return DataContract.read(CONTRACT)


@pytest.fixture
def evaluation():
    """Makes results; `changes` replaces fields by (model or baseline, task, slice)."""

    def make(models=("candidate", "baseline"), slices=SLICES, changes=None):
        changes = changes or {}
        metrics, comparisons = [], []
        for name in slices:
            for task in ("click", "purchase"):
                for model in models:
                    fields = {
                        "auc": 0.75, "auc_lower": 0.73, "auc_upper": 0.77, "log_loss": 0.5,
                        "calibration": 1.02, "positives": 300, "examples": 1000,
                    }  # fmt: skip
                    change = changes.get((model, task, name), {})
                    if change is not None:
                        metrics.append(
                            SliceMetrics(model, task, named(name), **{**fields, **change})
                        )
                for baseline in models[1:]:
                    fields = {
                        "relaimp": 2.0, "relaimp_lower": 0.5, "relaimp_upper": 3.5,
                        "auc_difference": 0.005, "auc_difference_lower": 0.001,
                        "auc_difference_upper": 0.009,
                    }  # fmt: skip
                    change = changes.get((f"vs {baseline}", task, name), {})
                    if change is not None:
                        fields.update(change)
                        comparisons.append(Comparison(baseline, task, named(name), **fields))
        return SliceResults(models, ("click", "purchase"), 0.95, None, metrics, comparisons)

    return make


class DomainModel(tf.Module):
    """Per domain a weight of interest and of price; a high score is a click and a purchase."""

    def __init__(self, weights):
        super().__init__()
        self.weights = weights

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples):
        parsed = tf.io.parse_example(
            examples,
            {
                "interest": tf.io.FixedLenFeature([], tf.float32),
                "price": tf.io.FixedLenFeature([], tf.float32),
                "scenario": tf.io.FixedLenFeature([], tf.string),
            },
        )
        feed = parsed["scenario"] == b"feed"
        interest, price = (
            tf.where(feed, self.weights["feed"][place], self.weights["search"][place])
            for place in range(2)
        )
        score = tf.sigmoid(interest * parsed["interest"] + price * parsed["price"])
        return {"click": score, "purchase": score}


@pytest.fixture(scope="session")
def save_model(tmp_path_factory):
    """Exports a model with weights per domain; returns the artifact's URI."""

    def save(feed, search):
        uri = tmp_path_factory.mktemp("model")
        model = DomainModel({"feed": feed, "search": search})
        path = str(uri / "Format-Serving")
        tf.saved_model.save(model, path, signatures={"serving_default": model.serve})
        return str(uri)

    return save


@pytest.fixture(scope="session")
def examples_uri(tmp_path_factory):
    """2,400 test rows whose labels depend on interest + price; a quarter is in the feed."""
    rng = np.random.default_rng(0)
    uri = tmp_path_factory.mktemp("examples")
    folder = pathlib.Path(uri, "Split-test")
    folder.mkdir()
    with tf.io.TFRecordWriter(str(folder / "data-00000-of-00001.gz"), "GZIP") as writer:
        for _ in range(2400):
            interest, price = rng.normal(size=2)
            label = int(rng.random() < 1 / (1 + np.exp(-(interest + price))))
            scenario = b"feed" if rng.random() < 0.25 else b"search"
            writer.write(_example(scenario, interest, price, label))
    return str(uri)


def _example(scenario, interest, price, label):
    def text(value):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    def number(value):
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))

    def integer(value):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    features = {
        "scenario": text(scenario), "gender": text(b"f"), "interest": number(interest),
        "price": number(price), "click": integer(label), "purchase": integer(label),
    }  # fmt: skip
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
