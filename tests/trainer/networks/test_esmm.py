"""ESMM: conditionals from towers, products along the chain, and what is served and trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.losses import LOSSES
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.networks.esmm import ESMM
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

#: cart is served on all rows, buy on carts, pay on clicks, like has no path to its population.
TASKS = (
    TaskSpec("click", "click"),
    TaskSpec("cart", "cart", "click"),
    TaskSpec("buy", "buy", "cart", "cart"),
    TaskSpec("pay", "pay", "buy", "click"),
    TaskSpec("like", "like", None, "click"),
)
FIELDS = np.random.RandomState(0).randn(6, 4, 3).astype("float32")
IDS, DOMAINS = np.ones((6, 3), "int64"), np.zeros(6, "int64")


def _build(tasks):
    keras.utils.set_random_seed(1)
    inputs = ModelInputs((CategoricalInput("item", 9),), (), (), "item", ("all",), tasks)
    return NETWORKS.build("esmm", {"tower_hidden": [6]}, inputs)


def _conditionals(network, fields):
    flat = fields.reshape(len(fields), -1).astype("float64")
    result = []
    for task in range(network.joint.shape[0]):
        hidden = flat
        for layer in (*network.towers.mlp.hidden_layers, network.towers.output_layer):
            kernel = np.asarray(layer.kernel, "float64")[task]
            hidden = hidden @ kernel + np.asarray(layer.bias)[task]
            hidden = hidden if layer is network.towers.output_layer else np.maximum(hidden, 0)
        result.append(1 / (1 + np.exp(-hidden[:, 0])))
    return result


def test_joint_and_served_probabilities():
    network = _build(TASKS)
    outputs = network(FIELDS, IDS, DOMAINS)
    click, cart, buy, pay, like = _conditionals(network, FIELDS)
    joint = [click, click * cart, click * cart * buy, click * cart * buy * pay, like]
    served = [click, click * cart, buy, cart * buy * pay, like]
    np.testing.assert_allclose(outputs["joint_probabilities"], np.stack(joint, 1), rtol=1e-4)
    np.testing.assert_allclose(outputs["probabilities"], np.stack(served, 1), rtol=1e-4)
    assert "logits" not in outputs


def test_inputs_of_each_tasks_own_go_to_its_own_tower():
    network = _build(TASKS[:2])
    own = np.stack([FIELDS, FIELDS[::-1]], axis=1)
    joint = np.asarray(network(own, IDS, DOMAINS)["joint_probabilities"])
    click, cart = _conditionals(network, FIELDS)[0], _conditionals(network, FIELDS[::-1])[1]
    np.testing.assert_allclose(joint, np.stack([click, click * cart], 1), rtol=1e-4)


@pytest.mark.parametrize("population", [None, "click"])
def test_is_trained_on_all_impressions(population):
    """Without any click the population is empty, but rows without a purchase are negatives."""
    tasks = (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click", population))
    network = _build(tasks)
    (term,) = ESMM.default_losses
    loss = LOSSES.build(term["name"], {}, tasks)
    labels = np.zeros((6, 2), "float32")
    mask = np.stack([np.ones(6), labels[:, 0]], axis=1).astype("float32")
    outputs = network(FIELDS, IDS, DOMAINS)
    with tf.GradientTape() as tape:
        losses = loss(labels, network(FIELDS, IDS, DOMAINS), mask)
        joint_loss = losses[1]
    click, buy = _conditionals(network, FIELDS)
    expected = [-np.log(1 - click).mean(), -np.log(1 - click * buy).mean()]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    slopes = tape.gradient(joint_loss, network.towers.output_layer.bias.value)
    # By the logit of c, -log(1 - c v) has the slope c v (1 - c) / (1 - c v); by v's, likewise.
    common = click * buy / (1 - click * buy)
    expected = [(common * (1 - click)).mean(), (common * (1 - buy)).mean()]
    np.testing.assert_allclose(np.asarray(slopes)[:, 0], expected, rtol=1e-3)
    served = buy if population else click * buy
    np.testing.assert_allclose(outputs["probabilities"][:, 1], served, rtol=1e-4)
