"""M2M against plain NumPy, row by row."""

import keras
import numpy as np

from mtlx.trainer.networks import NETWORKS
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

FIELDS = np.random.RandomState(0).randn(5, 4, 3).astype("float32")
IDS = np.zeros((5, 1), "int64")
DOMAINS = np.asarray([2, 0, 1, 2, 0])
INPUTS = ModelInputs(
    (CategoricalInput("user", 9),),
    (),
    (),
    None,
    ("feed", "search", "page"),
    (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click")),
)


def _relu(values):
    return np.maximum(values, 0)


def _dense(layer, inputs, copy):
    return inputs @ np.asarray(layer.kernel)[copy] + np.asarray(layer.bias)[copy]


def _meta(unit, values, knowledge, task):
    """A unit of one task with the weights that one domain's knowledge gives it."""
    kernel, bias = np.asarray(unit.kernel)[task], np.asarray(unit.bias)[task]
    kernel = kernel + np.tensordot(knowledge, np.asarray(unit.kernel_generator)[:, task], 1)
    bias = bias + np.tensordot(knowledge, np.asarray(unit.bias_generator)[:, task], 1)
    return _relu(values @ kernel + bias)


def test_is_the_paper_s():
    keras.utils.set_random_seed(1)
    options = {"experts": 3, "expert_hidden": [6, 5], "attention_units": 4, "knowledge_size": 3}
    network = NETWORKS.build("m2m", options, INPUTS)
    network(FIELDS, IDS, DOMAINS)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.4)
    outputs = network(FIELDS, IDS, DOMAINS)
    flat = FIELDS.reshape(5, -1).astype("float64")
    for row, domain in enumerate(DOMAINS):
        knowledge = np.asarray(network.domain_embedding)[domain] @ np.asarray(
            network.knowledge.kernel
        )
        knowledge = _relu(knowledge + np.asarray(network.knowledge.bias))
        experts = []
        for expert in range(3):
            values = flat[row]
            for layer in network.experts.hidden_layers:
                values = _relu(_dense(layer, values, expert))
            experts.append(values)
        for task, name in enumerate(("click", "buy")):
            scores = []
            for expert in experts:
                pair = np.concatenate([expert, np.asarray(network.task_embedding)[task]])
                units = _meta(network.attention, pair, knowledge, task)
                scores.append(units @ np.asarray(network.attention_vector)[task])
            weights = np.exp(scores - np.max(scores)) / np.exp(scores - np.max(scores)).sum()
            np.testing.assert_allclose(outputs[f"gates/{name}"][row], weights, atol=1e-3)
            hidden = sum(weight * expert for weight, expert in zip(weights, experts, strict=True))
            for unit in network.tower_layers:
                hidden = _relu(_meta(unit, hidden, knowledge, task) + hidden)
            expected = _dense(network.output_layer, hidden, task)[0]
            np.testing.assert_allclose(outputs["logits"][row, task], expected, rtol=2e-3, atol=2e-3)
