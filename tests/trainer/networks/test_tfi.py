"""TFI against plain NumPy; its modules have tests of their own."""

import keras
import numpy as np
import pytest

from mtlx.trainer.networks import NETWORKS
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
KINDS = [{"name": "gdcn"}, {"name": "masknet", "options": {"aggregation": 4}}, {"name": "gdcn"}]


def _dense(layer, inputs, copy):
    return inputs @ np.asarray(layer.kernel)[copy] + np.asarray(layer.bias)[copy]


def _gate(gate, inputs, index):
    """Weights of one gate and the experts that it sees."""
    first = gate.visible[:index].sum()
    columns = slice(first, first + gate.visible[index].sum())
    scores = inputs @ np.asarray(gate.kernel)[:, columns] + np.asarray(gate.bias)[columns]
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True), np.flatnonzero(gate.visible[index])


@pytest.mark.parametrize("levels", [1, 2])
def test_experts_of_the_first_level_are_modules(levels):
    keras.utils.set_random_seed(1)
    options = {"interactions": KINDS, "units": 6, "levels": levels, "expert_hidden": [5]}
    network = NETWORKS.build("tfi", {**options, "tower_hidden": []}, INPUTS)
    network(FIELDS, IDS, DOMAINS)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.3)
    outputs = network(FIELDS, IDS, DOMAINS)
    modules = [np.asarray(module(FIELDS, IDS), "float64") for module in network.modules]
    experts = [module[:, group] for group in range(3) for module in modules]
    experts = [e / np.sqrt((e**2).mean(1, keepdims=True)) for e in experts]
    inputs, gate, mixes = [FIELDS.reshape(5, -1)] * 3, network.gate, []
    for level in range(levels):
        if level == 1:
            gate = network.extraction[0].gate
            layer = network.extraction[0].experts.hidden_layers[0]
            experts = [np.maximum(_dense(layer, mixes[e // 2], e), 0) for e in range(6)]
            inputs = mixes
        mixes, weights = [], []
        for index in range(gate.visible.shape[0]):
            own, seen = _gate(gate, inputs[index], index)
            mixes.append(sum(own[:, place, None] * experts[e] for place, e in enumerate(seen)))
            weights.append(own)
        size = len(experts) // 3
        assert seen.tolist() == list(range(size if level == levels - 1 else 0, 3 * size))
    for task, name in enumerate(("click", "buy")):
        expected = _dense(network.towers.output_layer, mixes[task], task)[:, 0]
        actual = outputs["logits"][:, task]
        np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(outputs[f"gates/{name}"], weights[task], atol=1e-4)
    first = {1: "buy/gdcn", 2: "buy/expert_0"}[levels]
    last = {1: "shared/gdcn_2", 2: "shared/expert_1"}[levels]
    assert (network.gate_names["buy"][0], network.gate_names["buy"][-1]) == (first, last)


def test_the_default_is_twelve_modules_for_three_tasks():
    tasks = (*INPUTS.tasks, TaskSpec("like", "like"))
    inputs = ModelInputs(INPUTS.categorical, (), (), None, ("all",), tasks)
    network = NETWORKS.build("tfi", {"units": 4}, inputs)
    assert network.gate.visible.shape == (3, 12)
