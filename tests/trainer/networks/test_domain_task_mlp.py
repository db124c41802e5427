import keras
import numpy as np

from trainer.networks import NETWORKS
from transform.model_inputs import CategoricalInput, ModelInputs, TaskSpec

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


def test_a_row_is_scored_by_the_mlps_of_its_own_domain():
    keras.utils.set_random_seed(1)
    network = NETWORKS.build("domain_task_mlp", {"hidden": [6, 5]}, INPUTS)
    network(FIELDS, np.zeros((5, 1), "int64"), DOMAINS)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    logits = np.asarray(network(FIELDS, np.zeros((5, 1), "int64"), DOMAINS)["logits"])
    layers = [*network.towers.hidden_layers, network.towers.output_layer]
    for row, domain in enumerate(DOMAINS):
        for task in range(2):
            values = FIELDS[row].reshape(-1).astype("float64")
            for place, layer in enumerate(layers):
                values = values @ np.asarray(layer.kernel)[domain, task]
                values = values + np.asarray(layer.bias)[domain, task]
                if place == 2:
                    break
                normalization = network.towers.normalizations[place]
                values = (values - values.mean()) / np.sqrt(values.var() + 1e-5)
                values = values * np.asarray(normalization.scale)[domain, task]
                values = values + np.asarray(normalization.shift)[domain, task]
                values = np.maximum(values, 0)
            np.testing.assert_allclose(logits[row, task], values[0], rtol=1e-3, atol=1e-3)
    assert len(network.domain_variables) == len(network.weights) == 10
