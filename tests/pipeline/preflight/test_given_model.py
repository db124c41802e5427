"""A folder is told to be no model that can be compared with, by TensorFlow's own format."""

import pytest
import tensorflow as tf

from mtlx.pipeline.preflight.given_model import model_problem


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "7"
    module = tf.Module()
    module.weight = tf.Variable(1.0)

    def function(x):
        return {"click": x * module.weight, "buy now/ä": x}

    signature = tf.function(function, input_signature=[tf.TensorSpec([None], tf.float32)])
    signatures = {"serving_default": signature, "other": signature}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return folder


def test_a_model_of_the_tasks_is_taken(model):
    assert model_problem(str(model), ["click"]) is None
    assert model_problem(str(model), ["click", "buy now/ä"]) is None


def test_other_tasks(model):
    problem = model_problem(str(model), ["click", "buy"])
    assert "does not serve task 'buy'" in problem
    assert "Known: 'buy now/ä', 'click'" in problem


def test_no_such_signature(model, tmp_path):
    module = tf.Module()
    module.weight = tf.Variable(1.0)
    function = tf.function(lambda x: {"y": x * module.weight})
    one = function.get_concrete_function(tf.TensorSpec([None], tf.float32))
    tf.saved_model.save(module, str(tmp_path / "m"), signatures={"predict": one})
    problem = model_problem(str(tmp_path / "m"), ["y"])
    assert "has no signature 'serving_default'; it has ['predict']" in problem


def test_folders_that_hold_no_model(model, tmp_path):
    assert "is no folder" in model_problem(str(tmp_path / "none"), ["click"])
    assert "did you mean its version 7?" in model_problem(str(model.parent), ["click"])
    copy = tmp_path / "copy"
    copy.mkdir()
    assert "holds no SavedModel" in model_problem(str(copy), ["click"])
    (copy / "saved_model.pb").write_bytes((model / "saved_model.pb").read_bytes())
    assert "without its variables" in model_problem(str(copy), ["click"])
    (copy / "variables").mkdir()
    (copy / "variables/variables.index").write_bytes(b"")
    assert model_problem(str(copy), ["click"]) is None
    (copy / "saved_model.pb").write_bytes(b"\x0a\xff\xff\xff")
    assert "cannot be read as a SavedModel" in model_problem(str(copy), ["click"])
