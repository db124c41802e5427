"""Real artifacts of small data, and a task's outputs as the launcher describes them."""

import json

import numpy as np
import pytest
import tensorflow as tf

from mtlx.kubeflow.page import PageContext, declared_outputs, write_page
from mtlx.kubeflow.task_outputs import TaskOutputs
from mtlx.pipeline.run.node_run import NodeOutcome, NodeState
from mtlx.transform.contract.data_contract import DataContract

TASKS = ("click", "add-to-cart")
CONTRACT = {
    "features": {
        "scenario": {"kind": "categorical"},
        "gender": {"kind": "categorical"},
        "interest": {"kind": "numeric"},
    },
    "tasks": {
        "click": {"label": "click"},
        "add-to-cart": {"label": "cart", "after": "click", "population": "click"},
    },
    "domain": {"feature": "scenario", "values": ["feed", "search"]},
}


class Logistic(tf.Module):
    """A weight of the one number per task."""

    def __init__(self, weights):
        super().__init__()
        self.weights = weights

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples):
        parsed = tf.io.parse_example(examples, {"interest": tf.io.FixedLenFeature([], tf.float32)})
        return {task: tf.sigmoid(w * parsed["interest"]) for task, w in self.weights.items()}


def _example(row):
    def feature(value):
        if isinstance(value, str):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
        if isinstance(value, int):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))

    made = tf.train.Example()
    for name, value in row.items():
        made.features.feature[name].CopyFrom(feature(value))
    return made.SerializeToString()


def _rows(number):
    """Nobody of gender ``x`` clicks: a slice with one class, and one without rows of a task."""
    rng = np.random.default_rng(3)
    rows = []
    for _ in range(number):
        interest, gender = float(rng.normal()), str(rng.choice(["f", "m", "x"]))
        click = int(gender != "x" and rng.random() < 1 / (1 + np.exp(-interest)))
        cart = int(click and rng.random() < 0.5)
        rows.append(
            {"scenario": str(rng.choice(["feed", "search"])), "gender": gender,
             "interest": interest, "click": click, "cart": cart}
        )  # fmt: skip
    return rows


@pytest.fixture(scope="session")
def evaluation(tmp_path_factory):
    """URI of a SliceEvaluation of candidate and baseline, with undefined metrics."""
    from tfx.dsl.components.base import base_beam_executor
    from tfx.types import standard_artifacts

    from mtlx.components.slice_evaluation.executor import Executor

    root = tmp_path_factory.mktemp("evaluation")
    (root / "examples" / "Split-test").mkdir(parents=True)
    name = str(root / "examples/Split-test/data_tfrecord-00000-of-00001.gz")
    with tf.io.TFRecordWriter(name, "GZIP") as writer:
        for row in _rows(600):
            writer.write(_example(row))

    def artifact(kind, folder):
        made = kind()
        made.uri = str(root / folder)
        return [made]

    inputs = {"examples": artifact(standard_artifacts.Examples, "examples")}
    inputs["examples"][0].split_names = '["test"]'
    for model, weights in (("candidate", (1.0, 0.1)), ("baseline", (1.0, -1.0))):
        served = Logistic(dict(zip(TASKS, weights, strict=True)))
        path = str(root / model / "Format-Serving")
        tf.saved_model.save(served, path, signatures={"serving_default": served.serve})
        inputs[model] = artifact(standard_artifacts.Model, model)
    contract = DataContract.read(CONTRACT).to_json()
    settings = json.dumps({"slices": [["domain"], ["gender"]]})
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=[], tmp_dir=str(root / "tmp")
    )
    Executor(context).Do(
        inputs,
        {"evaluation": artifact(standard_artifacts.ModelEvaluation, "evaluation")},
        {"data_contract": contract, "evaluation_settings": settings},
    )
    return str(root / "evaluation")


@pytest.fixture
def page(tmp_path):
    """Writes a node's page as a task would; returns what the launcher would read."""

    def write(node_id, state=NodeState.COMPLETE, parameters=(), store=None, **uris):
        artifacts = {
            name: {
                "artifacts": [
                    {
                        "name": name,
                        "uri": f"minio://bucket/{node_id}/{name}",
                        "customPath": str(tmp_path / name),
                        "type": {"schemaTitle": title},
                    }
                ]
            }
            for name, title in declared_outputs(node_id, TASKS).items()
        }
        file = tmp_path / "executor_output.json"
        files = {name: {"outputFile": str(tmp_path / f"{name}.txt")} for name in parameters}
        outputs = TaskOutputs.read(
            json.dumps(
                {
                    "outputs": {
                        "outputFile": str(file),
                        "artifacts": artifacts,
                        "parameters": files,
                    }
                }
            )
        )
        outcome = NodeOutcome(node_id, state, 7, {name: [uri] for name, uri in uris.items()})
        context = PageContext("run-1", "tuesday", TASKS, 12.5, store)
        write_page(node_id, outcome, outputs, context)
        outputs.write()
        return Page(tmp_path, file)

    return write


class Page:
    """What a task left."""

    def __init__(self, folder, file):
        self.folder = folder
        self.output = json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse)

    def text(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def metadata(self, name):
        (artifact,) = self.output["artifacts"][name]["artifacts"]
        return artifact["metadata"]


def _refuse(constant):
    raise AssertionError(f"{constant} in the executor output")
