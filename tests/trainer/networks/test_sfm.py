import keras
import numpy as np
import pytest

from mtlx.trainer.networks import NETWORKS
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

FIELDS = np.random.RandomState(0).randn(5, 3, 4).astype("float32")
IDS = np.random.RandomState(1).randint(1, 9, (5, 3))
DOMAINS = np.zeros(5, "int64")
INPUTS = ModelInputs(
    tuple(CategoricalInput(name, 9) for name in ("user", "item", "city")),
    (),
    (),
    None,
    ("all",),
    (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click")),
)
OPTIONS = {"units": 6, "levels": 1, "expert_hidden": [5], "tower_hidden": []}


@pytest.mark.parametrize("name", ["gdcn", "masknet", "memonet"])
def test_is_cgc_on_the_output_of_one_module(name):
    keras.utils.set_random_seed(1)
    interaction = {"name": name}
    network = NETWORKS.build("sfm", {**OPTIONS, "interaction": interaction}, INPUTS)
    network(FIELDS, IDS, DOMAINS)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.2)
    outputs = network(FIELDS, IDS, DOMAINS)
    crossed = np.asarray(network.interaction(FIELDS, IDS), "float64")
    assert crossed.shape == (5, 1, 6)
    crossed /= np.sqrt((crossed**2).mean(-1, keepdims=True))
    level = network.ple.extraction[0]
    layer = level.experts.hidden_layers[0]
    kernel, bias = np.asarray(layer.kernel), np.asarray(layer.bias)
    experts = [np.maximum(crossed[:, 0] @ kernel[e] + bias[e], 0) for e in range(6)]
    for task, visible in enumerate(([0, 1, 4, 5], [2, 3, 4, 5])):
        columns = slice(4 * task, 4 * task + 4)
        scores = crossed[:, 0] @ np.asarray(level.gate.kernel)[:, columns]
        powers = np.exp(scores + np.asarray(level.gate.bias)[columns])
        weights = powers / powers.sum(1, keepdims=True)
        mixed = sum(weights[:, place, None] * experts[e] for place, e in enumerate(visible))
        output = network.ple.towers.output_layer
        expected = mixed @ np.asarray(output.kernel)[task] + np.asarray(output.bias)[task]
        actual = outputs["logits"][:, task]
        np.testing.assert_allclose(actual, expected[:, 0], rtol=1e-3, atol=1e-3)
        gates = outputs[f"gates/{INPUTS.tasks[task].name}"]
        np.testing.assert_allclose(gates, weights, rtol=1e-3, atol=1e-4)


def test_refuses_a_wrong_module():
    with pytest.raises(SettingsError, match="did you mean 'masknet'"):
        NETWORKS.validate("sfm", {"interaction": {"name": "maskent"}})
