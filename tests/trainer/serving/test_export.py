"""The SavedModel: both signatures against the Keras model, in a process with TensorFlow only."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow.core.protobuf import saved_model_pb2

from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from tests.trainer.small_members import SMALL

#: Serves rows in a process that sees neither this project nor the libraries that made the model.
SERVER = """
import sys
import numpy as np
class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow_transform", "tfx", "mtlx"):
            raise ImportError(f"{name} must not be needed for serving")
sys.meta_path.insert(0, Forbidden())
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
stored = np.load(sys.argv[2], allow_pickle=True)
scores = model.signatures["serving_default"](tf.constant(stored["examples"].tolist()))
np.savez(sys.argv[3], **{name: value.numpy() for name, value in scores.items()})
"""

pytestmark = pytest.mark.usefixtures("rewritten_graphs")


def _examples(logs, split="validation"):
    files = sorted(str(path) for path in (logs.folder / split).iterdir())
    return [record.numpy() for record in tf.data.TFRecordDataset(files, "GZIP")]


def _without_labels(serialized):
    example = tf.train.Example.FromString(serialized)
    for label in ("click", "buy"):
        del example.features.feature[label]
    return example.SerializeToString()


def _columns(rows, contract):
    """Raw tensors as a caller would build them: "" and NaN where a value is missing."""
    columns = {}
    for name, feature in contract.features.items():
        values = [row[name] for row in rows]
        if feature.kind == "sequence":
            length = max(len(value) for value in values)
            values = [value + [""] * (length - len(value)) for value in values]
        elif feature.kind == "categorical":
            values = [value[0] if value else "" for value in values]
        else:
            values = np.array([np.nan if value == [] else value for value in values], "float32")
        columns[name] = tf.constant(values)
    return columns


@pytest.fixture(scope="module")
def served(trained):
    return tf.saved_model.load(str(trained.model))


@pytest.fixture(scope="module")
def expected(served, logs):
    return served.signatures["serving_default"](tf.constant(_examples(logs)))


def test_the_model_is_written_once_for_all_signatures(trained):
    saved = saved_model_pb2.SavedModel.FromString((trained.model / "saved_model.pb").read_bytes())
    functions = saved.meta_graphs[0].graph_def.library.function
    multiply = {"MatMul", "BatchMatMulV2", "Einsum"}
    assert sum(any(node.op in multiply for node in one.node_def) for one in functions) == 1


def test_columns_are_read_by_one_function_for_both_signatures_that_do(trained):
    saved = saved_model_pb2.SavedModel.FromString((trained.model / "saved_model.pb").read_bytes())
    functions = saved.meta_graphs[0].graph_def.library.function
    called = [
        node.attr["f"].func.name
        for function in functions
        for node in function.node_def
        if "parsed_columns" in node.attr["f"].func.name
    ]
    assert len(called) == 2 and len(set(called)) == 1


def test_outputs_are_float32_by_task_and_vary(expected):
    assert set(expected) == {"ctr", "cvr"}
    for scores in expected.values():
        assert scores.dtype == tf.float32 and scores.shape == (300,)
        assert scores.numpy().min() >= 0 and scores.numpy().max() <= 1
        assert np.std(scores) > 0.01


def test_both_signatures_agree(served, expected, logs, contract):
    rows = logs.rows["validation"][0::2] + logs.rows["validation"][1::2]
    scores = served.signatures["serving_columns"](**_columns(rows, contract))
    for task, values in scores.items():
        np.testing.assert_allclose(values, expected[task], atol=1e-6)


@pytest.mark.parametrize("rows", [1, 7])
def test_any_number_of_rows_and_labels_may_be_absent(served, expected, logs, contract, rows):
    examples = [_without_labels(serialized) for serialized in _examples(logs)[:rows]]
    scores = served.signatures["serving_default"](tf.constant(examples))
    raw = served.signatures["serving_columns"](
        **_columns(logs.rows["validation"][0::2][:rows], contract)
    )
    for task in expected:
        np.testing.assert_allclose(scores[task], expected[task][:rows], atol=1e-6)
        np.testing.assert_allclose(raw[task], expected[task][:rows], atol=1e-6)


def test_an_example_without_any_value_is_scored(served):
    scores = served.signatures["serving_default"](
        tf.constant([tf.train.Example().SerializeToString()])
    )
    assert all(np.isfinite(values.numpy()).all() for values in scores.values())


def test_a_process_with_tensorflow_only_serves_the_same(trained, expected, logs, tmp_path):
    np.savez(tmp_path / "in.npz", examples=np.array(_examples(logs), object))
    arguments = [str(trained.model), str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]
    done = subprocess.run(
        [sys.executable, "-c", SERVER, *arguments], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    scores = np.load(tmp_path / "out.npz")
    for task in expected:
        np.testing.assert_allclose(scores[task], expected[task], atol=1e-6)


@pytest.mark.parametrize("network", ["star", "m2m", "m3oe"])
def test_predictions_equal_the_keras_models_on_transformed_rows(
    trained, contract, logs, tmp_path, network
):
    """Of networks that choose weights by the domain's id, which an export might not hand on."""
    transformed = tft.TFTransformOutput(str(trained.transform_graph))
    inputs = build_model_inputs(contract, transformed)
    settings = ModelSettings(network=network, options=SMALL[network], embedding_size=4)
    model = RankingModel(inputs, settings)
    ServedModel(model, transformed, contract).save(str(tmp_path / "model"))
    files = sorted(tf.io.gfile.glob(str(trained.examples / "Split-validation" / "*")))
    records = list(tf.data.TFRecordDataset(files, "GZIP"))
    rows = tf.io.parse_example(tf.stack(records), transformed.transformed_feature_spec())
    probabilities = model(rows)["probabilities"].numpy()
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    scores = loaded.signatures["serving_default"](tf.constant(_examples(logs)))
    # Beam may write the rows in another order than they were read in.
    for index, task in enumerate(("ctr", "cvr")):
        np.testing.assert_allclose(
            np.sort(scores[task]), np.sort(probabilities[:, index]), atol=1e-6
        )


def test_tfma_evaluates_it(trained, logs, contract, tmp_path):
    import tensorflow_model_analysis as tfma
    from sklearn.metrics import roc_auc_score

    config = tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name="serving_default", label_keys={"ctr": "click", "cvr": "buy"}
            )
        ],
        slicing_specs=[tfma.SlicingSpec()],
        metrics_specs=[
            tfma.MetricsSpec(
                output_names=["ctr"], metrics=[tfma.MetricConfig(class_name="ExampleCount")]
            ),
            tfma.MetricsSpec(output_names=["ctr"], metrics=[tfma.MetricConfig(class_name="AUC")]),
        ],
    )
    result = tfma.run_model_analysis(
        eval_shared_model=tfma.default_eval_shared_model(str(trained.model), eval_config=config),
        eval_config=config,
        data_location=str(logs.folder / "validation" / "*"),
        output_path=str(tmp_path / "evaluation"),
    )
    ((_, metrics),) = result.slicing_metrics
    values = metrics["ctr"][""]
    assert values["example_count"]["doubleValue"] == 300
    rows = logs.rows["validation"][0::2] + logs.rows["validation"][1::2]
    scores = tf.saved_model.load(str(trained.model)).signatures["serving_default"](
        tf.constant(_examples(logs))
    )
    auc = roc_auc_score([row["click"] for row in rows], scores["ctr"])
    assert values["auc"]["doubleValue"] == pytest.approx(auc, abs=2e-3)
    assert json.dumps(values)
