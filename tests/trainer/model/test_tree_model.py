"""Trees of LightGBM as a model: the same predictions, and what the contract suite leaves out."""

import dataclasses

import keras
import lightgbm
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.model.tree_model import TREE_WEIGHTS, TreeModel
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.training.methods.lightgbm_trees import threshold_in_float32, tree_weights
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    SequenceInput,
    TaskSpec,
)

INPUTS = ModelInputs(
    (CategoricalInput("city", 40), CategoricalInput("item", 300)),
    (NumericInput("price"), NumericInput("age")),
    (),
    "item",
    ("all",),
    (TaskSpec("click", "click"), TaskSpec("like", "like")),
)
SET_SIZE = 40  # city is split by sets, item by order


def _settings(**options):
    return ModelSettings(network="lightgbm", sequence_encoder="none", options=options)


def _data(rows, seed, missing=0.1):
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(rows, 2))
    numbers[random.random((rows, 2)) < missing] = np.nan
    ids = np.stack([random.integers(1, 40, rows), random.integers(1, 300, rows)], axis=1)
    return np.concatenate([ids, numbers], axis=1).astype(np.float32)


def _features(data):
    features = {"city": data[:, 0].astype("int64"), "item": data[:, 1].astype("int64")}
    return {**features, "price": data[:, 2], "age": data[:, 3]}


def _boosters(data, iterations=40):
    random = np.random.default_rng(9)
    score = np.where(np.isnan(data[:, 2]), 1.0, data[:, 2]) + (data[:, 0] % 3 == 1)
    boosters = []
    for index, shift in enumerate((0.0, data[:, 1] / 150 - 1)):
        labels = random.random(len(data)) < 1 / (1 + np.exp(-score - shift))
        train = lightgbm.Dataset(data, labels.astype("float32"), categorical_feature=[0])
        parameters = {"objective": "binary", "num_leaves": 15, "verbosity": -1, "num_threads": 1}
        boosters.append(lightgbm.train(parameters, train, iterations + 5 * index))
    return boosters


def _planted(boosters):
    shape, weights = tree_weights(boosters, SET_SIZE)
    model = TreeModel(INPUTS, shape=shape)
    for variable in model.variables:
        variable.assign(weights[variable.name])
    return model


@pytest.fixture(scope="module")
def boosters():
    return _boosters(_data(3000, seed=1))


def test_what_a_request_has_once_stands_for_all_its_items(boosters):
    """City and age, of which the trees split the one by sets and the other by thresholds."""
    model, features = _planted(boosters), _features(_data(50, seed=4))
    once = {name: tf.constant(features[name][:1]) for name in ("city", "age")}
    found = model({**features, **once})["probabilities"].numpy()
    every = {name: tf.repeat(one, 50, axis=0) for name, one in once.items()}
    expected = model({**features, **every})["probabilities"].numpy()
    np.testing.assert_array_equal(found, expected)
    assert np.abs(found - model(features)["probabilities"]).max() > 0.01


@pytest.mark.parametrize("missing", [0.0, 0.5])
def test_predictions_are_lightgbms_own(boosters, missing):
    data = _data(2000, seed=2, missing=missing)
    model = _planted(boosters)
    assert model.trees.sets > 5 and model.trees.depth > 4
    outputs = model(_features(data))
    expected = np.stack([booster.predict(data) for booster in boosters], axis=1)
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-6)
    assert np.std(expected, axis=0).min() > 0.05
    alone = model(_features(data[5:6]))
    np.testing.assert_allclose(alone["logits"][0], outputs["logits"][5], atol=1e-6)


def test_a_saved_model_predicts_the_same(boosters, tmp_path):
    module = tf.Module()
    module.model = model = _planted(boosters)
    specs = {
        name: tf.TensorSpec([None], values.dtype, name=name)
        for name, values in _features(_data(1, seed=1)).items()
    }

    def predict(features):
        return {"probabilities": model(features, training=False)["probabilities"]}

    predict = tf.function(predict, autograph=False, input_signature=[specs])
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": predict})
    loaded = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    data = _data(300, seed=8)
    features = {name: tf.constant(values) for name, values in _features(data).items()}
    expected = np.stack([booster.predict(data) for booster in boosters], axis=1)
    np.testing.assert_allclose(loaded(**features)["probabilities"], expected, atol=1e-6)


def test_numbers_that_no_training_row_lacked(boosters):
    """LightGBM takes 0 for them then."""
    complete = _boosters(_data(3000, seed=1, missing=0.0), iterations=10)
    data = _data(500, seed=3, missing=0.5)
    expected = np.stack([booster.predict(data) for booster in complete], axis=1)
    outputs = _planted(complete)(_features(data))
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-6)


def test_numbers_on_a_threshold_and_beside_it(boosters):
    model = _planted(boosters)
    weights = {variable.name: np.asarray(variable) for variable in model.variables}
    inner = (weights["set"] == 0) & (weights["left"] != np.arange(len(weights["left"])))
    thresholds = weights["threshold"][inner & (weights["feature"] == 2)][:200]
    data = np.repeat(_data(1, seed=4, missing=0.0), 3 * len(thresholds), axis=0)
    upper = np.nextafter(thresholds, np.float32(np.inf))
    lower = np.nextafter(thresholds, np.float32(-np.inf))
    data[:, 2] = np.concatenate([lower, thresholds, upper])
    expected = np.stack([booster.predict(data) for booster in boosters], axis=1)
    np.testing.assert_allclose(model(_features(data))["probabilities"], expected, atol=1e-6)


def test_thresholds_are_rounded_down():
    for value in (0.1, -0.1, 1 / 3, 1e300, 16_777_217.0):
        rounded = threshold_in_float32(value)
        assert rounded.dtype == np.float32 and float(rounded) <= value
        assert float(np.nextafter(rounded, np.float32(np.inf))) > value


def test_a_tree_without_a_split(boosters):
    data = _data(300, seed=5)
    constant = lightgbm.train(
        {"objective": "binary", "min_data_in_leaf": 1000, "verbosity": -1},
        lightgbm.Dataset(data, (np.arange(300) % 4 == 0).astype("float32")),
        3,
    )
    outputs = _planted([constant, boosters[1]])(_features(data))
    expected = np.stack([constant.predict(data), boosters[1].predict(data)], axis=1)
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-6)


def test_saved_weights_and_mixed_precision(boosters, tmp_path):
    data = _data(200, seed=6)
    model = _planted(boosters)
    expected = np.asarray(model(_features(data))["logits"])
    model.save_weights(tmp_path / "model.weights.h5")
    second = TreeModel(INPUTS, shape=model.trees)
    assert not np.asarray(second(_features(data))["logits"]).any()
    second.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(second(_features(data))["logits"], expected)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        logits = _planted(boosters)(_features(data))["logits"]
    finally:
        keras.mixed_precision.set_global_policy("float32")
    np.testing.assert_array_equal(logits, expected)


def test_before_training_there_are_no_trees_and_no_trainable_weights():
    model = build_model(INPUTS, _settings())
    assert not model.trainable_variables
    assert {variable.name for variable in model.variables} == set(TREE_WEIGHTS)
    assert (
        np.asarray(model(_features(_data(3, seed=7)))["probabilities"]).tolist() == [[0.5] * 2] * 3
    )


def test_parts_that_would_be_passed_by_are_refused():
    sequences = (SequenceInput("clicks", "item", 3),)
    inputs = ModelInputs(INPUTS.categorical, (), sequences, "item", ("all",), INPUTS.tasks)
    with pytest.raises(SettingsError, match="sequence_encoder: network 'lightgbm' reads the"):
        build_model(inputs, ModelSettings(network="lightgbm"))
    build_model(inputs, _settings())
    with pytest.raises(SettingsError, match="arrangement: network 'lightgbm' .* 'joint'"):
        build_model(inputs, _settings().model_copy(update={"arrangement": "mtl"}))
    with pytest.raises(SettingsError, match="trees of 1 tasks, but there are 2"):
        shape = {"trees": [0], "nodes": 0, "depth": 0, "sets": 0, "set_size": 0}
        build_model(inputs, _settings(shape=shape))


def test_domains_are_passed_through_and_asked_for(boosters):
    inputs = dataclasses.replace(INPUTS, domains=("home", "search"))
    model, features = build_model(inputs, _settings()), _features(_data(3, seed=7))
    with pytest.raises(ValueError, match=r"features \['domain_id'\] are missing"):
        model(features)
    domains = np.array([1, 0, 1])
    assert np.asarray(model({**features, "domain_id": domains})["domain_id"]).tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match="need a categorical or a numeric feature"):
        TreeModel(ModelInputs((), (), (), None, ("all",), INPUTS.tasks))
