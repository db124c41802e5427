"""HoME against plain NumPy, its hierarchy, and experts that normalisation keeps alive."""

import keras
import numpy as np
import pytest

from benchmarks.planted_tasks import Given, Training
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

TASKS = (TaskSpec("like", "like"), TaskSpec("watch", "watch"), TaskSpec("share", "share"))
INPUTS = ModelInputs((CategoricalInput("item", 9),), (), (), None, ("all",), TASKS)
FIELDS = np.random.RandomState(0).randn(5, 4, 3).astype("float32")
CATEGORIES = {"interaction": ["like", "share"], "watching": ["watch"]}
OF_TASK = [0, 1, 0]
OPTIONS = {
    "categories": CATEGORIES,
    "meta_hidden": [6],
    "expert_hidden": [5],
    "tower_hidden": [4],
    "feature_rank": 2,
}


def _build(**options):
    keras.utils.set_random_seed(1)
    network = NETWORKS.build("home", {**OPTIONS, **options}, INPUTS)
    network(FIELDS, None, None)
    for index, weight in enumerate(network.weights):
        values = np.random.RandomState(index).randn(*weight.shape) * 0.4
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    return network


def _sigmoid(values):
    return 1 / (1 + np.exp(-values))


def _softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _expert(level, place, group, values):
    """Swish(Norm(x W + b)) on what its group's feature gate lets through."""
    gate = level.feature_gate
    if gate is not None:
        down, up = (np.asarray(layer.kernel)[group] for layer in (gate.down, gate.up))
        values = values * 2 * _sigmoid(values @ down @ up)
    (dense,), (norm,) = level.experts.hidden_layers, level.experts.normalizations
    units = values @ np.asarray(dense.kernel)[place]
    mean, variance, scale, shift = (
        np.asarray(weight)[place]
        for weight in (norm.moving_mean, norm.moving_variance, norm.scale, norm.shift)
    )
    units = scale * (units - mean) / np.sqrt(variance + 1e-5) + shift
    return units * _sigmoid(units)


def _mix(level, gate, groups, own, experts, seen, count):
    """A gate over the experts of some groups, plus its self gate over its own group's."""
    places = [group * count + index for group in groups for index in range(count)]
    start = level.visible[:gate].sum()
    columns = slice(start, start + len(places))
    weights = _softmax(
        seen @ np.asarray(level.gate.kernel)[:, columns] + np.asarray(level.gate.bias)[columns]
    )
    mixed = sum(weights[:, i, None] * experts[place] for i, place in enumerate(places))
    if level.self_gate is not None and count == 1:
        kernel, bias = (np.asarray(weight)[gate] for weight in level.self_gate.weights)
        mixed = mixed + _sigmoid(seen @ kernel + bias) * experts[own]
    elif level.self_gate is not None:
        columns = slice(gate * count, (gate + 1) * count)
        kernel, bias = (np.asarray(weight)[..., columns] for weight in level.self_gate.weights)
        inner = _softmax(seen @ kernel + bias)
        mixed = mixed + sum(inner[:, i, None] * experts[own * count + i] for i in range(count))
    return mixed, weights


@pytest.mark.parametrize(
    ("count", "gates"), [(2, True), (1, True), (2, False)], ids=["two", "one", "no gates"]
)
def test_is_the_equations(count, gates):
    network = _build(experts=count, feature_gates=gates, self_gates=gates)
    flat = FIELDS.reshape(5, 12).astype("float64")
    meta, level = network.meta, network.task_level
    experts = [_expert(meta, e, e // count, flat) for e in range(3 * count)]
    mixes = [
        _mix(meta, group, seen, group, experts, flat, count)[0]
        for group, seen in enumerate([(0, 2), (1, 2), (0, 1, 2)])
    ]
    read = [mixes[place] for place in (*OF_TASK, 0, 1, 2)]  # tasks, categories, global
    experts = [_expert(level, e, e // count, read[e // count]) for e in range(6 * count)]
    outputs = network(FIELDS, None, None)
    for task, category in enumerate(OF_TASK):
        seen = np.concatenate([mixes[category], mixes[2]], axis=1)
        groups = (task, 3 + category, 5)
        mixed, weights = _mix(level, task, groups, task, experts, seen, count)
        np.testing.assert_allclose(
            outputs[f"gates/{TASKS[task].name}"], weights, rtol=1e-4, atol=1e-4
        )
        (dense,) = network.towers.mlp.hidden_layers
        (norm,) = network.towers.mlp.normalizations
        units = mixed @ np.asarray(dense.kernel)[task]
        deviation = np.sqrt(np.asarray(norm.moving_variance)[task] + 1e-5)
        units = (units - np.asarray(norm.moving_mean)[task]) / deviation
        units = units * np.asarray(norm.scale)[task] + np.asarray(norm.shift)[task]
        output = network.towers.output_layer
        logits = np.maximum(units, 0) @ np.asarray(output.kernel)[task]
        logits = logits + np.asarray(output.bias)[task]
        np.testing.assert_allclose(outputs["logits"][:, task], logits[:, 0], rtol=1e-3, atol=1e-3)


def test_categories_follow_the_tasks_by_default():
    tasks = (TaskSpec("click", "click"), TaskSpec("watch", "watch"), TaskSpec("buy", "b", "click"))
    inputs = ModelInputs(INPUTS.categorical, (), (), None, ("all",), tasks)
    network = NETWORKS.build("home", {"experts": 1}, inputs)
    assert network.gate_names == {
        "click": ["click/expert_0", "category click/expert_0", "shared/expert_0"],
        "watch": ["watch/expert_0", "category watch/expert_0", "shared/expert_0"],
        "buy": ["buy/expert_0", "category click/expert_0", "shared/expert_0"],
    }


@pytest.mark.parametrize(
    ("categories", "words"),
    [
        ({"one": ["like", "watch", "shar"]}, "did you mean 'share'"),
        ({"one": ["like", "watch"], "two": ["watch", "share"]}, "'watch' is in 'one' already"),
        ({"one": ["like", "watch"]}, "'share' is in no category"),
    ],
)
def test_refuses_categories_that_are_no_partition(categories, words):
    with pytest.raises(SettingsError, match=words):
        NETWORKS.build("home", {"categories": categories}, INPUTS)


def test_an_expert_of_another_scale_takes_no_more_of_the_mix():
    """The paper's collapse: of unlike outputs gates can make no fair weights."""
    shares = {}
    for normalization in ("batch", "none"):
        network = _build(normalization=normalization, self_gates=False)
        network.task_level.gate.kernel.assign(0 * network.task_level.gate.kernel)
        network.task_level.gate.bias.assign(0 * network.task_level.gate.bias)
        (dense,) = network.task_level.experts.hidden_layers
        kernel = np.array(dense.kernel)
        kernel[0] *= 100.0
        before = network(FIELDS, None, None, training=True)["contributions/like"]
        dense.kernel.assign(kernel)
        after = network(FIELDS, None, None, training=True)["contributions/like"]
        shares[normalization] = np.mean(before, axis=0)[0], np.mean(after, axis=0)[0]
    assert abs(shares["batch"][0] - shares["batch"][1]) < 0.01
    assert shares["none"][1] > 0.9 > 0.5 > shares["none"][0]


# Fields that stand far from 0: of experts without normalisation many are dead, the others alike.

ROWS = 6_000
ONE = (TaskSpec("like", "like"), TaskSpec("share", "share"))


def _rows(seed):
    random = np.random.default_rng(seed)
    values = random.normal(size=(ROWS, 4, 2)).astype("float32")
    logits = 2.0 * values[:, :2, 0]
    labels = random.random((ROWS, 2)) < 1 / (1 + np.exp(-logits))
    columns = {"fields": values + 20.0, "domain_id": np.zeros(ROWS, "int64")}
    return columns | {"like": labels[:, 0] * 1, "share": labels[:, 1] * 1}, logits


def _learnt(seed, **options):
    """Share of experts' units that no row wakes, and shares of the best possible gain in AUC."""
    keras.utils.set_random_seed(seed)
    inputs = ModelInputs(INPUTS.categorical, (), (), None, ("all",), ONE)
    sizes = {"meta_hidden": [16], "expert_hidden": [8], "tower_hidden": [8], "feature_rank": 4}
    network = NETWORKS.build("home", {**sizes, **options}, inputs)
    columns, _ = _rows(seed)
    training = Training(Given(network), ONE, columns, learning_rate=0.01)
    training.epochs(6)
    others, truth = _rows(10**6)
    scores = training.predict(others)["logits"]
    gains = []
    for place, task in enumerate(ONE):
        found = area_under_curve(others[task.name], scores[:, place])
        best = area_under_curve(others[task.name], truth[:, place])
        gains.append((found - 0.5) / (best - 0.5))
    flat = others["fields"].reshape(ROWS, -1)
    gated = network.meta.feature_gate(flat)
    units = np.asarray(network.meta.experts(gated, runs=[2] * len(gated)))
    return float((np.abs(units).max(axis=0) < 1e-6).mean()), gains


@pytest.mark.parametrize("seed", [1, 2])
def test_normalisation_and_swish_keep_experts_alive(seed):
    dead, gains = _learnt(seed)
    bare_dead, bare_gains = _learnt(seed, normalization="none", activation="relu")
    print(dead, gains, bare_dead, bare_gains)
    assert dead == 0 and min(gains) > 0.9
    # What is left of the experts serves one task, and the other one goes short.
    assert bare_dead > 0.25 and min(bare_gains) < 0.6
