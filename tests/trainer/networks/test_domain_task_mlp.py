import keras
import numpy as np
import pytest

from mtlx.trainer.networks import NETWORKS
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

FIELDS = np.random.RandomState(0).randn(5, 4, 3).astype("float32")
DOMAINS = np.asarray([2, 0, 1, 2, 0])
INPUTS = ModelInputs(
    (CategoricalInput("user", 9),),
    (),
    (),
    None,
    ("feed", "search", "page"),
    (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click")),
)


def _normalise(network, place, values, domain, task):
    if not network.towers.normalizations:
        return values
    layer = network.towers.normalizations[place]
    mean, variance = values.mean(), values.var()
    if network.towers.batch:
        found = (np.asarray(moments)[domain] for moments in layer.statistics.moments())
        mean, variance = (moments.reshape(2, -1)[task] for moments in found)
    values = (values - mean) / np.sqrt(variance + 1e-5)
    return values * np.asarray(layer.scale)[domain, task] + np.asarray(layer.shift)[domain, task]


@pytest.mark.parametrize("options", [{}, {"normalization": "batch"}, {"normalization": "none"}])
def test_a_row_is_scored_by_the_mlps_of_its_own_domain(options):
    keras.utils.set_random_seed(1)
    network = NETWORKS.build("domain_task_mlp", {"hidden": [6, 5], **options}, INPUTS)
    network(FIELDS, np.zeros((5, 1), "int64"), DOMAINS)
    for index, weight in enumerate(network.trainable_variables):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    for _ in range(2):
        network(FIELDS, np.zeros((5, 1), "int64"), DOMAINS, training=True)  # moves statistics
    logits = np.asarray(network(FIELDS, np.zeros((5, 1), "int64"), DOMAINS)["logits"])
    layers = [*network.towers.hidden_layers, network.towers.output_layer]
    for row, domain in enumerate(DOMAINS):
        for task in range(2):
            values = FIELDS[row].reshape(-1).astype("float64")
            for place, layer in enumerate(layers):
                values = values @ np.asarray(layer.kernel)[domain, task]
                if layer.bias is not None:
                    values = values + np.asarray(layer.bias)[domain, task]
                if place == 2:
                    break
                values = np.maximum(_normalise(network, place, values, domain, task), 0)
            np.testing.assert_allclose(logits[row, task], values[0], rtol=1e-3, atol=1e-3)
    expected = {"batch": 8, "none": 6}.get(options.get("normalization"), 10)
    assert len(network.domain_variables) == len(network.trainable_variables) == expected
