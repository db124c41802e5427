"""The networks against plain NumPy, written from the papers' equations, task by task."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.networks import NETWORKS
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

FIELDS = np.random.RandomState(0).randn(5, 4, 3).astype("float32")
IDS = np.random.RandomState(1).randint(1, 9, (5, 3))
DOMAINS = np.zeros(5, "int64")
FLAT = FIELDS.reshape(5, -1)
CHAIN = (
    TaskSpec("click", "click"),
    TaskSpec("like", "like"),
    TaskSpec("cart", "cart", "click"),
    TaskSpec("share", "share", "like"),
    TaskSpec("buy", "buy", "cart"),
)
SMALL = [{"name": "gdcn"}, {"name": "masknet", "options": {"aggregation": 4}}]


def _inputs(tasks):
    fields = tuple(CategoricalInput(name, 9) for name in ("user", "item", "city"))
    return ModelInputs(fields, (), (), "item", ("all",), tasks)


def _build(name, tasks=CHAIN, **options):
    keras.utils.set_random_seed(1)
    network = NETWORKS.build(name, options, _inputs(tasks))
    network(FIELDS, IDS, DOMAINS)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    outputs = network(FIELDS, IDS, DOMAINS)
    return network, {key: np.asarray(value) for key, value in outputs.items()}


def _dense(layer, inputs, copy):
    return inputs @ np.asarray(layer.kernel)[copy] + np.asarray(layer.bias)[copy]


def _mlp(mlp, inputs, copy):
    for layer in mlp.hidden_layers:
        inputs = np.maximum(_dense(layer, inputs, copy), 0)
    return inputs


def _tower(towers, inputs, copy):
    return _dense(towers.output_layer, _mlp(towers.mlp, inputs, copy), copy)[:, 0]


def _softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _gate(gate, inputs, index):
    """Weights of one gate over the experts it sees, and those experts' positions."""
    first = gate.visible[:index].sum()
    columns = slice(first, first + gate.visible[index].sum())
    scores = inputs @ np.asarray(gate.kernel)[:, columns] + np.asarray(gate.bias)[columns]
    return _softmax(scores), np.flatnonzero(gate.visible[index])


def _weighted(weights, experts):
    return sum(weights[:, i, None] * expert for i, expert in enumerate(experts))


def _close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3)


def test_single_task():
    network, outputs = _build("single_task", hidden=[6, 5])
    for task in range(len(CHAIN)):
        _close(outputs["logits"][:, task], _tower(network.towers, FLAT, task))


def test_shared_bottom():
    network, outputs = _build("shared_bottom", bottom_hidden=[6, 5], tower_hidden=[4])
    shared = _mlp(network.bottom, FLAT, 0)
    for task in range(len(CHAIN)):
        _close(outputs["logits"][:, task], _tower(network.towers, shared, task))


def test_mmoe():
    network, outputs = _build("mmoe", experts=3, expert_hidden=[6, 5], tower_hidden=[4])
    experts = [_mlp(network.experts, FLAT, expert) for expert in range(3)]
    for index, task in enumerate(CHAIN):
        weights, seen = _gate(network.gate, FLAT, index)
        assert seen.tolist() == [0, 1, 2]
        _close(outputs[f"gates/{task.name}"], weights)
        mixed = _weighted(weights, experts)
        _close(outputs["logits"][:, index], _tower(network.towers, mixed, index))


@pytest.mark.parametrize("levels", [1, 3])
def test_ple(levels):
    tasks, own, shared = CHAIN[:2], 2, 3
    network, outputs = _build(
        "ple",
        tasks,
        levels=levels,
        task_experts=own,
        shared_experts=shared,
        expert_hidden=[6, 5],
        tower_hidden=[4],
    )
    groups = [0, 0, 1, 1, 2, 2, 2]
    mixes = [FLAT] * 3
    for place, level in enumerate(network.extraction):
        experts = [_mlp(level.experts, mixes[group], e) for e, group in enumerate(groups)]
        mixed = []
        for gate in range(2 if place == levels - 1 else 3):
            weights, seen = _gate(level.gate, mixes[gate], gate)
            assert seen.tolist() == [e for e, g in enumerate(groups) if gate == 2 or g in (gate, 2)]
            mixed.append(_weighted(weights, [experts[e] for e in seen]))
            if place == levels - 1:
                _close(outputs[f"gates/{tasks[gate].name}"], weights)
        mixes = mixed
    for task in range(2):
        _close(outputs["logits"][:, task], _tower(network.towers, mixes[task], task))
    assert network.gate_names["like"][0] == "like/expert_0"


def _before(task):
    """Names of the tasks that stand before one, the nearest first."""
    of_name = {other.name: other for other in CHAIN}
    return [] if task.after is None else [task.after, *_before(of_name[task.after])]


@pytest.mark.parametrize("normalize_modules", [True, False])
@pytest.mark.parametrize("other_tasks", ["preceding", "all"])
@pytest.mark.parametrize("task_sensitive", ["full", "unscaled", "off", True, False])
def test_dtn(task_sensitive, other_tasks, normalize_modules):
    """Eqs. 3 to 7 on a forest of tasks: click, cart, buy and like, share."""
    off = task_sensitive in ("off", False)
    if off and other_tasks == "all":
        with pytest.raises(SettingsError, match="sees no other task's modules"):
            _build("dtn", task_sensitive=task_sensitive, other_tasks="all")
        return
    network, outputs = _build(
        "dtn", interactions=SMALL, units=5, tower_hidden=[4], task_sensitive=task_sensitive,
        other_tasks=other_tasks, normalize_modules=normalize_modules,
    )  # fmt: skip
    count = len(CHAIN)
    modules = [np.asarray(module(FIELDS, IDS)) for module in network.modules]
    if normalize_modules:
        modules = [m / np.sqrt((m**2).mean(-1, keepdims=True)) for m in modules]
    groups = [[module[:, group] for module in modules] for group in range(count + 1)]
    logits = {}
    for index, task in enumerate(CHAIN):
        others = [] if task.after is None else [task.after]
        if other_tasks == "all":
            others = [other.name for other in CHAIN if other is not task]
        other, names = [], []
        for place, before in enumerate(CHAIN):
            if off or before.name not in others:
                continue
            scaled = task_sensitive in ("full", True) and before.name in _before(task)
            factor = 1 / (1 + np.exp(-logits[place]))[:, None] if scaled else 1.0
            other += [factor * module for module in groups[place]]
            names += [f"{before.name}/gdcn", f"{before.name}/masknet"]
        other += groups[count]
        names += ["shared/gdcn", "shared/masknet", f"{task.name}/gdcn", f"{task.name}/masknet"]
        other_weights, seen = _gate(network.gate, FLAT, index)
        own_weights, own_seen = _gate(network.gate, FLAT, count + index)
        assert seen.tolist()[-2:] == [2 * count, 2 * count + 1]
        assert own_seen.tolist() == [2 * index, 2 * index + 1]
        joined = np.concatenate(
            [_weighted(other_weights, other), _weighted(own_weights, groups[index])], axis=-1
        )
        level = next(place for place, tasks in enumerate(network.levels) if index in tasks)
        tower = network.levels[level].index(index)
        logits[index] = _tower(network.towers[level], joined, tower)
        _close(outputs["logits"][:, index], logits[index])
        expected_gates = np.concatenate([other_weights, own_weights], axis=1)
        _close(outputs[f"gates/{task.name}"], expected_gates)
        shares = [_shares(other_weights, other), _shares(own_weights, groups[index])]
        _close(outputs[f"contributions/{task.name}"], np.concatenate(shares, axis=1))
        assert network.gate_names[task.name] == names
    assert len(network.levels) == (3 if task_sensitive in ("full", True) else 1)


def _shares(weights, experts):
    """What each expert adds to one gate's mix: weight times RMS, as a share."""
    added = weights * np.sqrt((np.stack(experts, axis=1) ** 2).mean(axis=-1))
    return added / added.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("scale", [0.01, 0.25])
@pytest.mark.parametrize("name", ["dtn", "tfi"])
def test_what_a_gate_mixes_starts_at_one_scale(name, scale):
    """Gates that weigh all modules alike hear them alike; without it one of five is a fortieth."""
    kinds = ["gdcn", "memonet", "masknet", "senet", "dcn_m"]
    ratios = {}
    for normalize_modules in (True, False):
        keras.utils.set_random_seed(1)
        options = {"interactions": [{"name": kind} for kind in kinds], "units": 16}
        options["normalize_modules"] = normalize_modules
        network = NETWORKS.build(name, options, _inputs(CHAIN[:1]))
        outputs = network(FIELDS * scale, IDS, DOMAINS)
        added = np.asarray(outputs["contributions/click"])[:, -5:]
        heard = (added / np.asarray(outputs["gates/click"])[:, -5:]).mean(axis=0)
        ratios[normalize_modules] = heard.max() / heard.min()
    assert ratios[True] < 1.1
    assert ratios[False] > (20 if scale == 0.01 else 1.5)


@pytest.mark.parametrize("stop_gradient", [True, False])
def test_dtn_stops_the_gradient_of_the_preceding_prediction(stop_gradient):
    network, _ = _build(
        "dtn", CHAIN[::2][:2], interactions=SMALL, units=5, stop_gradient=stop_gradient
    )
    with tf.GradientTape() as tape:
        logits = network(FIELDS, IDS, DOMAINS)["logits"][:, 1]
    gradients = tape.gradient(logits, network.towers[0].trainable_variables)
    reached = any(g is not None and np.abs(g.numpy()).max() > 0 for g in gradients)
    assert reached != stop_gradient


def test_dtn_names_repeated_kinds_and_refuses_wrong_ones():
    network, outputs = _build("dtn", CHAIN[:1], interactions=[{"name": "gdcn"}] * 2, units=5)
    assert network.gate_names["click"] == [
        "shared/gdcn",
        "shared/gdcn_2",
        "click/gdcn",
        "click/gdcn_2",
    ]
    assert outputs["gates/click"].shape == (5, 4)
    with pytest.raises(SettingsError, match="did you mean 'gdcn'"):
        NETWORKS.validate("dtn", {"interactions": [{"name": "gdnc"}]})
    with pytest.raises(SettingsError, match="did you mean 'layers'"):
        NETWORKS.validate("dtn", {"interactions": [{"name": "gdcn", "options": {"layer": 1}}]})
    with pytest.raises(SettingsError, match="at least 1 item"):
        NETWORKS.validate("dtn", {"interactions": []})
