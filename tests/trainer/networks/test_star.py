"""STAR against plain NumPy, row by row."""

import keras
import numpy as np
import pytest

from mtlx.trainer.networks import NETWORKS
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

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


def _bias(layer, domain):
    if layer.bias is None:
        return 0
    return np.asarray(layer.bias) + np.asarray(layer.domain_bias)[domain]


def _normalise(network, place, values, domain):
    """By the layer itself, whose own test has the statistics of `DomainBatchNormalization`."""
    if not network.normalizations:
        return values
    layer = network.normalizations[place]
    mean, variance = values.mean(), values.var()
    if network.batch:
        mean, variance = (np.asarray(found)[domain] for found in layer.statistics.moments())
    normal = (values - mean) / np.sqrt(variance + 1e-5)
    return normal * np.asarray(layer.scale)[domain] + np.asarray(layer.shift)[domain]


def _build(**options):
    keras.utils.set_random_seed(1)
    sizes = {"hidden": [6, 5], "tower_hidden": [4], "auxiliary_hidden": [3], "domain_size": 2}
    network = NETWORKS.build("star", {**sizes, **options}, INPUTS)
    network(FIELDS, IDS, DOMAINS)
    for index, weight in enumerate(network.trainable_variables):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    return network


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_star_shaped_layers_are_normalised_by_the_row_s_domain(normalization):
    network = _build(normalize=False, normalization=normalization)
    for _ in range(2):
        network(FIELDS, IDS, DOMAINS, training=True)  # moves the statistics
    seen = {}
    network.towers.call = lambda hidden, training: seen.setdefault("hidden", hidden)[:, :2]
    network(FIELDS, IDS, DOMAINS)
    for row, domain in enumerate(DOMAINS):
        hidden = FIELDS[row].reshape(-1).astype("float64")
        for place, layer in enumerate(network.hidden_layers):
            kernel = np.asarray(layer.kernel) * np.asarray(layer.domain_kernel)[domain]
            hidden = hidden @ kernel + _bias(layer, domain)
            hidden = _relu(_normalise(network, place, hidden, domain))
        np.testing.assert_allclose(seen["hidden"][row], hidden, rtol=2e-3, atol=2e-3)
    # W_d, γ_d, β_d and, where the mean stays in, b_d of two layers; the domain's embedding.
    assert len(network.domain_variables) == 1 + 2 * (3 if normalization == "batch" else 4)


@pytest.mark.parametrize("normalize", [True, False])
def test_is_the_paper_s(normalize):
    network = _build(normalize=normalize)
    network(FIELDS, IDS, DOMAINS, training=True)  # fills the statistics
    logits = np.asarray(network(FIELDS, IDS, DOMAINS)["logits"])
    flat = FIELDS.reshape(5, -1).astype("float64")
    for row, domain in enumerate(DOMAINS):
        hidden = flat[row]
        if normalize:
            layer, own = network.partitioned, flat[domain == DOMAINS]
            hidden = (hidden - own.mean(0)) / np.sqrt(own.var(0) + 1e-5)
            hidden = hidden * np.asarray(layer.scale) * np.asarray(layer.domain_scale)[domain]
            hidden = hidden + np.asarray(layer.shift) + np.asarray(layer.domain_shift)[domain]
        for layer in network.hidden_layers:
            kernel = np.asarray(layer.kernel) * np.asarray(layer.domain_kernel)[domain]
            hidden = _relu(hidden @ kernel + _bias(layer, domain))
        joined = np.concatenate([np.asarray(network.domain_embedding)[domain], flat[row]])
        auxiliary = _relu(_dense(network.auxiliary.hidden_layers[0], joined, 0))
        output = network.auxiliary_output
        auxiliary = auxiliary @ np.asarray(output.kernel) + np.asarray(output.bias)
        for task in range(2):
            tower = _relu(_dense(network.towers.mlp.hidden_layers[0], hidden, task))
            expected = _dense(network.towers.output_layer, tower, task)[0] + auxiliary[task]
            np.testing.assert_allclose(logits[row, task], expected, rtol=2e-3, atol=2e-3)
    assert len(network.domain_variables) == 5 + 2 * normalize
