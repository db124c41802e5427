"""STAR against plain NumPy, row by row."""

import keras
import numpy as np
import pytest

from trainer.networks import NETWORKS
from transform.model_inputs import CategoricalInput, ModelInputs, TaskSpec

FIELDS = np.random.RandomState(0).randn(5, 4, 3).astype("float32")
IDS = np.zeros((5, 2), "int64")
DOMAINS = np.asarray([2, 0, 1, 2, 0])
INPUTS = ModelInputs(
    (CategoricalInput("user", 9), CategoricalInput("item", 9)),
    (),
    (),
    "item",
    ("feed", "search", "page"),
    (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click")),
)


def _dense(layer, inputs, copy):
    return inputs @ np.asarray(layer.kernel)[copy] + np.asarray(layer.bias)[copy]


def _relu(values):
    return np.maximum(values, 0)


@pytest.mark.parametrize("normalize", [True, False])
def test_is_the_paper_s(normalize):
    keras.utils.set_random_seed(1)
    options = {"hidden": [6, 5], "tower_hidden": [4], "auxiliary_hidden": [3], "domain_size": 2}
    network = NETWORKS.build("star", {**options, "normalize": normalize}, INPUTS)
    network(FIELDS, IDS, DOMAINS)
    for index, weight in enumerate(network.trainable_variables):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    network(FIELDS, IDS, DOMAINS, training=True)  # fills the statistics
    logits = np.asarray(network(FIELDS, IDS, DOMAINS)["logits"])
    flat = FIELDS.reshape(5, -1).astype("float64")
    for row, domain in enumerate(DOMAINS):
        hidden = flat[row]
        if normalize:
            layer, own = network.normalization, flat[domain == DOMAINS]
            hidden = (hidden - own.mean(0)) / np.sqrt(own.var(0) + 1e-5)
            hidden = hidden * np.asarray(layer.scale) * np.asarray(layer.domain_scale)[domain]
            hidden = hidden + np.asarray(layer.shift) + np.asarray(layer.domain_shift)[domain]
        for layer in network.hidden_layers:
            kernel = np.asarray(layer.kernel) * np.asarray(layer.domain_kernel)[domain]
            bias = np.asarray(layer.bias) + np.asarray(layer.domain_bias)[domain]
            hidden = _relu(hidden @ kernel + bias)
        joined = np.concatenate([np.asarray(network.domain_embedding)[domain], flat[row]])
        auxiliary = _relu(_dense(network.auxiliary.hidden_layers[0], joined, 0))
        output = network.auxiliary_output
        auxiliary = auxiliary @ np.asarray(output.kernel) + np.asarray(output.bias)
        for task in range(2):
            tower = _relu(_dense(network.towers.mlp.hidden_layers[0], hidden, task))
            expected = _dense(network.towers.output_layer, tower, task)[0] + auxiliary[task]
            np.testing.assert_allclose(logits[row, task], expected, rtol=2e-3, atol=2e-3)
    assert len(network.domain_variables) == 5 + 2 * normalize
