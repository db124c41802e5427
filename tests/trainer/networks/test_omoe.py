"""OMoE against its equation in NumPy."""

import keras
import numpy as np

from mtlx.trainer.networks import NETWORKS
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

TASKS = (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click"), TaskSpec("like", "like"))
FIELDS = np.random.RandomState(0).randn(6, 4, 3).astype("float32")
IDS, DOMAINS = np.ones((6, 3), "int64"), np.zeros(6, "int64")


def _dense(layer, inputs, copy):
    kernel, bias = np.asarray(layer.kernel, "float64"), np.asarray(layer.bias, "float64")
    return inputs @ kernel[copy] + bias[copy]


def test_one_gate_mixes_the_experts_for_all_tasks():
    keras.utils.set_random_seed(1)
    inputs = ModelInputs((CategoricalInput("item", 9),), (), (), "item", ("all",), TASKS)
    options = {"experts": 3, "expert_hidden": [6, 5], "tower_hidden": [4]}
    network = NETWORKS.build("omoe", options, inputs)
    network(FIELDS, IDS, DOMAINS)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    outputs = network(FIELDS, IDS, DOMAINS)
    for row, flat in enumerate(FIELDS.reshape(6, -1).astype("float64")):
        scores = flat @ np.asarray(network.gate.kernel) + np.asarray(network.gate.bias)
        assert scores.shape == (3,)  # one gate, not one per task
        weights = np.exp(scores) / np.exp(scores).sum()
        mixed = np.zeros(5)
        for expert in range(3):
            hidden = flat
            for layer in network.experts.hidden_layers:
                hidden = np.maximum(_dense(layer, hidden, expert), 0)
            mixed += weights[expert] * hidden
        for index, task in enumerate(TASKS):
            tower = np.maximum(_dense(network.towers.mlp.hidden_layers[0], mixed, index), 0)
            logit = _dense(network.towers.output_layer, tower, index)[0]
            np.testing.assert_allclose(outputs["logits"][row, index], logit, atol=1e-4)
            np.testing.assert_allclose(outputs[f"gates/{task.name}"][row], weights, atol=1e-5)
    assert network.gate_names["buy"] == ["expert_0", "expert_1", "expert_2"]
