"""MAN against its equations in NumPy."""

import keras
import numpy as np
import pytest

from mtlx.trainer.networks import NETWORKS
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

CHAIN = (
    TaskSpec("click", "click"),
    TaskSpec("cart", "cart", "click"),
    TaskSpec("like", "like", "click"),
    TaskSpec("buy", "buy", "cart"),
)
FIELDS = np.random.RandomState(0).randn(6, 4, 3).astype("float32")
ARGUMENTS = (FIELDS, np.ones((6, 3), "int64"), np.zeros(6, "int64"))


def _build(tasks=CHAIN, **options):
    keras.utils.set_random_seed(1)
    inputs = ModelInputs((CategoricalInput("item", 9),), (), (), "item", ("all",), tasks)
    options = {"expert_hidden": [6, 5], "tower_hidden": [4], **options}
    network = NETWORKS.build("man", options, inputs)
    network(*ARGUMENTS)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    return network, network(*ARGUMENTS)


def _dense(layer, inputs, copy):
    kernel, bias = np.asarray(layer.kernel, "float64"), np.asarray(layer.bias, "float64")
    return inputs @ kernel[copy] + bias[copy]


def _mlp(mlp, inputs, copy):
    for layer in mlp.hidden_layers:
        inputs = np.maximum(_dense(layer, inputs, copy), 0)
    return inputs


def _gated(level, flat, task):
    """x_t of one row, and its gate: a softmax over the task's own and the shared experts."""
    seen = [2 * task, 2 * task + 1, 8, 9, 10]
    columns = slice(5 * task, 5 * task + 5)
    scores = flat @ np.asarray(level.gate.kernel)[:, columns] + np.asarray(level.gate.bias)[columns]
    weights = np.exp(scores) / np.exp(scores).sum()
    return sum(
        w * _mlp(level.experts, flat, e) for w, e in zip(weights, seen, strict=True)
    ), weights


@pytest.mark.parametrize("attention", [True, False])
def test_gated_experts_and_attention_between_adjacent_tasks(attention):
    network, outputs = _build(task_experts=2, shared_experts=3, attention=attention)
    assert len(network.attention) == (2 if attention else 0)
    adjacent = {1: (0, 0, 0), 2: (0, 0, 1), 3: (1, 1, 0)}  # task: preceding task, level, copy
    for row in range(6):
        flat = FIELDS[row].reshape(-1).astype("float64")
        states = []
        for task in range(4):
            state, weights = _gated(network.extraction, flat, task)
            actual = outputs[f"gates/{CHAIN[task].name}"][row]
            np.testing.assert_allclose(actual, weights, atol=1e-4)
            if attention and task in adjacent:
                before, level, copy = adjacent[task]
                unit, pair = network.attention[level], (states[before], state)
                scores = [
                    _dense(unit.query, u, copy) @ _dense(unit.key, u, copy) / np.sqrt(5)
                    for u in pair
                ]
                shares = np.exp(scores - np.max(scores))
                shares /= shares.sum()
                values = [_dense(unit.value, u, copy) for u in pair]
                state = shares[0] * values[0] + shares[1] * values[1]
            states.append(state)
            tower = _mlp(network.towers.mlp, state, task)
            logit = _dense(network.towers.output_layer, tower, task)[0]
            np.testing.assert_allclose(outputs["logits"][row, task], logit, rtol=1e-3, atol=1e-3)
    assert network.gate_names["like"][1:3] == ["like/expert_1", "shared/expert_0"]


def test_the_papers_sizes_loss_and_method_are_the_defaults():
    options = NETWORKS.options("man")
    expected = {
        "task_experts": 4,
        "shared_experts": 4,
        "expert_hidden": (256, 128),
        "tower_hidden": (128, 16, 32),
        "attention": True,
    }
    assert {name: options[name].default for name in expected} == expected
    network = NETWORKS.get("man")
    assert network.default_losses == ({"name": "uncertainty_weighting"},)
    assert network.default_method == "meta"
