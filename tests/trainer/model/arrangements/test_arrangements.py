"""Arrangements against the models that they are made of, row by row."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.losses import LOSSES
from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

INPUTS = ModelInputs(
    (CategoricalInput("user", 9), CategoricalInput("item", 9)),
    (),
    (),
    "item",
    ("feed", "search", "page"),
    (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click", "click")),
)
DOMAINS = np.asarray([0, 2, 1, 2, 0])
FEATURES = {
    "user": np.asarray([3, 4, 5, 6, 7]),
    "item": np.asarray([6, 3, 8, 8, 3]),
    "domain_id": DOMAINS,
}


def _build(arrangement, network="mmoe", inputs=INPUTS):
    keras.utils.set_random_seed(1)
    settings = ModelSettings(network=network, embedding_size=4, arrangement=arrangement)
    model = ARRANGEMENTS.get(arrangement)(inputs, settings)
    for index, weight in enumerate(model.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.3)
    return model


@pytest.mark.parametrize("arrangement", ["mtl", "mdl", "mtmd"])
def test_may_be_called_without_state_first_of_all(arrangement):
    """As a training on JAX does, and with the same result as a call."""
    model = _build(arrangement)
    trained = [variable.value for variable in model.trainable_variables]
    rest = [variable.value for variable in model.non_trainable_variables]
    outputs, _ = model.stateless_call(trained, rest, FEATURES)
    np.testing.assert_allclose(outputs["logits"], model(FEATURES)["logits"], rtol=1e-5)


@pytest.mark.parametrize("arrangement", ["joint", "mtl", "mdl", "mtmd"])
def test_the_logit_of_a_task_whose_negatives_were_drawn_is_corrected_where_it_is_served(
    arrangement,
):
    click, buy = INPUTS.tasks
    tasks = (dataclasses.replace(click, kept_negatives=0.1), buy)
    model = _build(arrangement, inputs=dataclasses.replace(INPUTS, tasks=tasks))
    learnt, served = model(FEATURES, training=True), model(FEATURES)
    difference = served["logits"].numpy() - learnt["logits"].numpy()
    np.testing.assert_allclose(difference, [[np.log(0.1), 0.0]] * 5, atol=1e-6)
    odds = [np.exp(one["logits"].numpy()) for one in (learnt, served)]
    for one, own in zip((learnt, served), odds, strict=True):
        np.testing.assert_allclose(one["probabilities"], own / (1 + own), rtol=1e-5)
    np.testing.assert_allclose(served["logits"], _build(arrangement)(FEATURES)["logits"]
                               + np.array([np.log(0.1), 0.0]), rtol=1e-4)  # fmt: skip


def test_mtl_scores_a_row_by_its_domains_own_model():
    model = _build("mtl")
    outputs = model(FEATURES)
    alone = {name: value for name, value in FEATURES.items() if name != "domain_id"}
    for row, domain in enumerate(DOMAINS):
        inside = model.models[domain](alone)
        for name in ("logits", "probabilities", "gates/buy"):
            np.testing.assert_allclose(outputs[name][row], inside[name][row], rtol=1e-5)


def test_mdl_scores_a_task_by_its_own_model_at_the_rows_domain():
    model = _build("mdl")
    outputs = model(FEATURES)
    for task, name in enumerate(("click", "buy")):
        inside = model.models[task](FEATURES)
        for row, domain in enumerate(DOMAINS):
            expected = inside["logits"][row, domain]
            np.testing.assert_allclose(outputs["logits"][row, task], expected, rtol=1e-5)
            gates = inside[f"gates/{INPUTS.domains[domain]}"]
            np.testing.assert_allclose(outputs[f"gates/{name}"][row], gates[row], rtol=1e-5)


def test_mtmd_has_an_output_per_domain_and_task_of_one_model():
    model = _build("mtmd")
    outputs, inside = model(FEATURES), model.models[0](FEATURES)
    assert inside["logits"].shape == (5, 6)
    for row, domain in enumerate(DOMAINS):
        expected = inside["logits"][row, domain * 2 : domain * 2 + 2]
        np.testing.assert_allclose(outputs["logits"][row], expected, rtol=1e-5)
    names = [
        (task.name, task.after, task.population) for task in model.models[0].inputs_record.tasks
    ]
    assert names[3] == ("buy@search", "click@search", "click@search")


@pytest.mark.parametrize("arrangement", ["mtl", "mdl", "mtmd"])
def test_a_row_trains_the_outputs_of_its_own_domain_alone(arrangement):
    model = _build(arrangement)
    features = {**FEATURES, "domain_id": np.zeros(5, "int64")}
    with tf.GradientTape() as tape:
        logits = tf.reduce_sum(model(features)["logits"])
    gradients = tape.gradient(logits, model.trainable_variables)
    towers = [
        (variable, gradient)
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
        if "towers" in variable.path and variable.name == "kernel"
    ]
    assert towers
    for index, (_, gradient) in enumerate(towers):
        changed = [] if gradient is None else np.abs(gradient).sum(axis=(1, 2)) > 0
        if arrangement == "mtl":  # one model per domain, a copy per task
            assert np.any(changed) == (index < len(towers) // 3)
        elif arrangement == "mdl":  # a copy per domain
            assert list(changed) == [True, False, False]
        else:  # a copy per domain and task
            assert list(changed) == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    "arrangement, loss",
    [
        ("mtl", "entire_space_cross_entropy"),
        ("mdl", "binary_cross_entropy"),
        ("mtmd", "binary_cross_entropy"),
    ],
)
def test_tasks_that_stay_together_keep_the_networks_losses(arrangement, loss):
    model = _build(arrangement, "esmm")
    assert [term["name"] for term in model.default_losses] == [loss]
    outputs = model(FEATURES)
    labels = np.asarray([[1, 0], [1, 1], [0, 0], [1, 0], [0, 0]], "float32")
    losses = LOSSES.build(loss, {}, INPUTS.tasks)(labels, outputs, np.ones_like(labels))
    assert losses.shape == (2,) and np.isfinite(losses).all()
