"""Gradient boosting on a small log with a planted signal."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import log_loss

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods import TRAINING_METHODS
from mtlx.trainer.validation.selection import Selection
from mtlx.trainer.validation.validation import validate
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    TaskSpec,
)

INPUTS = ModelInputs(
    (CategoricalInput("user", 9), CategoricalInput("item", 2000)),
    (NumericInput("price"),),
    (),
    "item",
    ("all",),
    (TaskSpec("ctr", "click"), TaskSpec("cvr", "buy", "ctr", "ctr")),
)
MODEL = ModelSettings(network="lightgbm", sequence_encoder="none")
IDS = ("user", "item", "click", "buy", "domain_id")


def _write(path, rows, seed, clicks=True):
    random = np.random.default_rng(seed)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for _ in range(rows):
            user, item = int(random.integers(3, 9)), int(random.integers(3, 2000))
            price = float(random.normal())
            click = int(random.random() < (0.9 if user % 2 == 0 and price > 0 else 0.2)) * clicks
            buy = click * int(random.random() < item / 2000)
            example = tf.train.Example()
            domain = int(user > 6)
            for name, value in zip(IDS, (user, item, click, buy, domain), strict=True):
                example.features.feature[name].int64_list.value.append(value)
            example.features.feature["price"].float_list.value.append(price)
            writer.write(example.SerializeToString())


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    _write(folder / "train.gz", 2000, seed=1)
    _write(folder / "validation.gz", 1000, seed=2)
    _write(folder / "unclicked.gz", 200, seed=3, clicks=False)
    spec = {name: tf.io.FixedLenFeature([], tf.int64) for name in IDS}
    spec["price"] = tf.io.FixedLenFeature([], tf.float32)

    def function(
        options=(),
        model=MODEL,
        on_epoch=lambda history: None,
        inputs=INPUTS,
        validation="validation",
        **training,
    ):
        job = TrainingJob(
            settings=TrainingSettings.read(training),
            inputs=inputs,
            build_model=lambda: build_model(INPUTS, model),
            train=ExampleSet([str(folder / "train.gz")], spec, 500, True),
            validation=ExampleSet([str(folder / f"{validation}.gz")], spec, 500, True),
            checkpoints=CheckpointFolder(str(tmp_path_factory.mktemp("checkpoints")), "x"),
            strategy=tf.distribute.get_strategy(),
            on_epoch=on_epoch,
        )
        return job, TRAINING_METHODS.build("gradient_boosting", dict(options), job)

    return function


def test_a_corrected_logit_is_that_of_the_log_in_choice_record_and_export(make):
    """A row is as good as drawn: only what it is said to be is at hand."""
    share = 0.25
    click = dataclasses.replace(INPUTS.tasks[0], kept_negatives=share)
    inputs = dataclasses.replace(INPUTS, tasks=(click, *INPUTS.tasks[1:]))
    job, method = make({"trees": 10}, inputs=inputs, select_by="log_loss")
    result = method.train()
    model = result.build_model()
    for variable, value in zip(model.variables, result.weights, strict=True):
        variable.assign(value)
    rows = next(iter(job.validation.in_order(5000)))
    drawn, served = (model(rows, training=training)["logits"].numpy() for training in (True, False))
    np.testing.assert_allclose(served - drawn, [[np.log(share), 0.0]] * len(drawn), atol=1e-5)
    found = model(rows, training=False)["probabilities"].numpy()[:, 0]
    expected = log_loss(rows["click"], found)
    record = result.history.epochs[0]
    assert record["validation_loss"]["ctr"] == pytest.approx(expected, abs=1e-5)
    # What LightGBM stops by sees its own scores so, too.
    assert record["task_selection"]["ctr"] == pytest.approx(expected, abs=1e-5)
    watched = {}
    original = method._value
    method._value = lambda *given: watched.setdefault("first", given) and original(*given)
    method._boost(0, method._table(job.train), method._table(job.validation))
    assert watched["first"][2].mean() < 0.4 * rows["click"].numpy().mean() < 0.4


def _values_by_tree(make, task, **training):
    """The value of one task on the validation split after each tree, as `Selection` has it."""
    job, method = make({"patience": 500, "trees": 60}, **training)
    train, validation = method._table(job.train), method._table(job.validation)
    booster = method._boost(task, train, validation)
    inputs = validation.inputs[validation.population[:, task]]
    selection = Selection.of(job.settings, job.inputs)
    name = job.inputs.tasks[task].name
    values = []
    for trees in range(1, 61):
        scores = booster.predict(inputs, num_iteration=trees)
        found = method._validation_of(task, validation, scores)
        values.append(selection.of_one_task(name).score(found).value)
    return values, booster.best_iteration, selection.lower_is_better


@pytest.mark.parametrize(
    "select_by", ["normalised_entropy", "auc", {"domains": "mean", "metric": "relative_auc"}]
)
def test_a_task_stops_at_its_best_value_of_what_selects(make, select_by):
    inputs = dataclasses.replace(INPUTS, domains=("young", "old"))
    values, best, lower = _values_by_tree(make, 1, inputs=inputs, select_by=select_by)
    expected = np.argmin(values) if lower else np.argmax(values)
    assert best == expected + 1 < 60


def test_the_kinds_of_selection_stop_at_different_trees(make):
    entropy, auc = (_values_by_tree(make, 1, select_by=kind)[1] for kind in ("log_loss", "auc"))
    assert entropy != auc


def test_a_task_that_cannot_be_told_grows_all_its_trees(make):
    _, method = make({"trees": 9, "patience": 1}, validation="unclicked")
    history = method.train().history
    assert history.notes == ["Task ctr: 9 trees.", "Task cvr: 9 trees."]
    first, second = history.warnings
    assert first.startswith("Task 'ctr' has no say") and second.startswith("Task 'cvr' has no say")
    assert history.epochs[0]["selection"] is None


def _model(result):
    model = result.build_model()
    for variable, value in zip(model.variables, result.weights, strict=True):
        variable.assign(value)
    return model


def test_learns_and_stops_by_the_validation_split(make):
    seen = []
    job, method = make({"patience": 20}, on_epoch=seen.append)
    result = method.train()
    history, model = result.history, _model(result)
    record = history.epochs[0]
    assert record["validation_auc"]["ctr"] > 0.75 and record["validation_auc"]["cvr"] > 0.7
    trees = model.trees.trees
    assert all(1 < count < 500 for count in trees) and len(set(trees)) == 2
    assert history.notes == [f"Task ctr: {trees[0]} trees.", f"Task cvr: {trees[1]} trees."]
    assert model.trees.sets > 1  # users, but no item, are split by sets
    assert seen == [history] and history.best_epoch == 1
    exported = validate(model, job.validation.in_order(300), INPUTS.tasks)
    assert exported.auc == pytest.approx(record["validation_auc"], abs=1e-6)
    assert exported.loss == pytest.approx(record["validation_loss"], abs=1e-6)


def test_a_task_learns_from_its_population_alone(make):
    """Buys are half of the clicks, and far fewer of all rows."""
    model = _model(make({"trees": 5, "learning_rate": 1e-6})[1].train())
    rows = {"user": [3], "item": [3], "price": [0.0]}
    rows = {key: np.asarray(v, "float32" if key == "price" else "int64") for key, v in rows.items()}
    assert 0.4 < float(model(rows)["probabilities"][0, 1]) < 0.6


def test_two_trainings_are_the_same(make):
    first, second = (make({"trees": 20})[1].train().weights for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_other_networks_are_refused(make):
    with pytest.raises(SettingsError, match="grows network 'lightgbm'"):
        make(model=ModelSettings(network="mmoe"))


@pytest.mark.parametrize("method", ["standard", "bi_level", "meta"])
def test_methods_that_follow_gradients_refuse_trees(make, method):
    job, _ = make()
    with pytest.raises(SettingsError, match="method: follows gradients, which this model"):
        TRAINING_METHODS.build(method, {}, job)
