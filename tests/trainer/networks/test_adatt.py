"""AdaTT and AdaTT-sp against their equations in NumPy."""

import keras
import numpy as np
import pytest

from mtlx.trainer.networks import NETWORKS
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

TASKS = (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click"), TaskSpec("like", "like"))
FIELDS = np.random.RandomState(0).randn(6, 4, 3).astype("float32")


def _build(name, **options):
    keras.utils.set_random_seed(1)
    inputs = ModelInputs((CategoricalInput("item", 9),), (), (), "item", ("all",), TASKS)
    options = {"expert_hidden": [6, 5], "tower_hidden": [4], **options}
    network = NETWORKS.build(name, options, inputs)
    arguments = (FIELDS, np.ones((6, 3), "int64"), np.zeros(6, "int64"))
    network(*arguments)
    started = [None if level.native is None else np.array(level.native) for level in network.fusion]
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    return network, network(*arguments), started


def _dense(layer, inputs, copy):
    kernel, bias = np.asarray(layer.kernel, "float64"), np.asarray(layer.bias, "float64")
    return inputs @ kernel[copy] + bias[copy]


def _mlp(mlp, inputs, copy):
    for layer in mlp.hidden_layers:
        inputs = np.maximum(_dense(layer, inputs, copy), 0)
    return inputs


def _fuse(level, states, modules, fused, native):
    """One level for one row: fusions and gate weights of the first `fused` modules."""
    owners = [module for module, size in enumerate(modules) for _ in range(size)]
    experts = [_mlp(level.experts, states[owner], e) for e, owner in enumerate(owners)]
    fusions, gates = [], []
    kernel, bias = np.asarray(level.gate.kernel), np.asarray(level.gate.bias)
    for module in range(fused):
        columns = slice(module * len(owners), (module + 1) * len(owners))
        scores = states[module] @ kernel[:, columns] + bias[columns]
        weights = np.exp(scores - scores.max())
        weights /= weights.sum()
        all_experts = sum(w * expert for w, expert in zip(weights, experts, strict=True))
        own = sum(native[e] * experts[e] for e, owner in enumerate(owners) if owner == module)
        fusions.append(all_experts + own)
        gates.append(weights)
    return fusions, gates


@pytest.mark.parametrize("levels", [1, 3])
@pytest.mark.parametrize("shared", [0, 2])
def test_fusions_of_all_and_of_native_experts(levels, shared):
    options = {"levels": levels, "task_experts": 2}
    if shared:
        options["shared_experts"] = shared
    network, outputs, _ = _build("adatt" if shared else "adatt_sp", **options)
    modules = [2, 2, 2] + [shared] * (shared > 0)
    for row in range(6):
        states = [FIELDS[row].reshape(-1).astype("float64")] * len(modules)
        for place, level in enumerate(network.fusion):
            fused = 3 if place == levels - 1 else len(modules)
            native = np.asarray(level.native, "float64")
            assert native.shape == (2 * 3 + (shared if fused == 4 else 0),)
            states, gates = _fuse(level, states, modules, fused, native)
        for index, task in enumerate(TASKS):
            tower = _mlp(network.towers.mlp, states[index], index)
            logit = _dense(network.towers.output_layer, tower, index)[0]
            np.testing.assert_allclose(outputs["logits"][row, index], logit, rtol=1e-3, atol=1e-3)
            actual = outputs[f"gates/{task.name}"][row]
            np.testing.assert_allclose(actual, gates[index], atol=1e-4)
    names = network.gate_names["buy"]
    assert names[:3] == ["click/expert_0", "click/expert_1", "buy/expert_0"]
    assert len(names) == sum(modules) and ("shared/expert_0" in names) == bool(shared)


def test_native_weights_start_within_the_authors_bounds_and_single_experts_count_once():
    _, _, started = _build("adatt", levels=2, task_experts=2, shared_experts=3)
    assert [len(native) for native in started] == [9, 6]
    for native in started:
        assert np.abs(native[:6]).max() <= np.sqrt(1 / 2) and len(set(native)) == len(native)
    assert np.abs(started[0][6:]).max() <= np.sqrt(1 / 3)
    network, outputs, _ = _build("adatt_sp", levels=1, task_experts=1)
    assert network.fusion[0].native is None
    state = FIELDS[0].reshape(-1).astype("float64")
    (fused, *_), _ = _fuse(network.fusion[0], [state] * 3, [1, 1, 1], 3, np.ones(3))
    logit = _dense(network.towers.output_layer, _mlp(network.towers.mlp, fused, 0), 0)[0]
    np.testing.assert_allclose(outputs["logits"][0, 0], logit, atol=1e-3)


def test_only_adatt_has_a_shared_module():
    assert "shared_experts" not in NETWORKS.options("adatt_sp")
    without, _, _ = _build("adatt", shared_experts=0)
    assert without.count_params() == _build("adatt_sp")[0].count_params()
