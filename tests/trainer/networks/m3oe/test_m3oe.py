"""M3oE against plain NumPy, row by row, in all its ablations."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.networks import NETWORKS
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

FIELDS = np.random.RandomState(0).randn(6, 4, 3).astype("float32")
IDS = np.zeros((6, 1), "int64")
DOMAINS = np.asarray([2, 0, 1, 2, 0, 1])
INPUTS = ModelInputs(
    (CategoricalInput("user", 9),),
    (),
    (),
    None,
    ("feed", "search", "page"),
    (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click")),
)
SMALL = {"domain_units": 8, "hidden": [6], "expert_hidden": [5], "tower_hidden": [4]}


def _build(inputs=INPUTS, **options):
    keras.utils.set_random_seed(1)
    network = NETWORKS.build("m3oe", {**SMALL, "shared_experts": 2, **options}, inputs)
    domains = DOMAINS % len(inputs.domains)
    network(FIELDS, IDS, domains)
    for index, weight in enumerate(network.trainable_variables):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    for _ in range(2 if options.get("normalization") == "batch" else 0):
        network(FIELDS, IDS, domains, training=True)  # moves the statistics
    return network, network(FIELDS, IDS, domains), domains


def _normalise(values, scale, shift, moments=None):
    mean, variance = (values.mean(), values.var()) if moments is None else moments
    normal = (values - mean) / np.sqrt(variance + 1e-5)
    return np.maximum(normal * np.asarray(scale) + np.asarray(shift), 0)


def _mlp(mlp, values, copy):
    for layer, normalization in zip(mlp.hidden_layers, mlp.normalizations, strict=True):
        values = values @ np.asarray(layer.kernel)[copy]
        moments = None
        if mlp.batch:
            moments = normalization.moving_mean, normalization.moving_variance
            moments = [np.asarray(found)[copy] for found in moments]
        else:
            values = values + np.asarray(layer.bias)[copy]
        scale, shift = np.asarray(normalization.scale), np.asarray(normalization.shift)
        values = _normalise(values, scale[copy], shift[copy], moments)
    return values


def _sigmoid(value):
    return 1 / (1 + np.exp(-float(value)))


def _weight(network, name):
    if network.fusion == "fixed":
        return 0.5
    return _sigmoid(network.weights_of_experts.numbers[name])


def _balance(network, name, experts, own):
    """Eqs. 5 and 6."""
    if len(experts) == 1:
        return experts[0]
    beta = _weight(network, f"beta_{name}")
    others = sum(expert for place, expert in enumerate(experts) if place != own)
    return beta * experts[own] + (1 - beta) / (len(experts) - 1) * others


def _expected(network, inputs, row, domain, task):
    """Gate weights and logit of one row and task."""
    flat = FIELDS[row].reshape(-1).astype("float64")
    layer = network.domain_layer
    hidden = flat @ (np.asarray(layer.kernel) * np.asarray(layer.domain_kernel)[domain])
    hidden = hidden + np.asarray(layer.bias) + np.asarray(layer.domain_bias)[domain]
    hidden = _mlp(network.extraction, hidden, 0) + _mlp(network.skip, flat, 0)
    count = network.shared_experts + network.domain_experts + network.task_experts
    experts = [_mlp(network.experts, hidden, place) for place in range(count)]
    shared = network.shared_experts
    of_domains = experts[shared : shared + network.domain_experts]
    of_tasks = experts[shared + network.domain_experts :]
    gated = experts if network.fusion == "gated" else experts[:shared]
    gate = np.ones(1)
    if len(gated) > 1:
        scores = hidden @ np.asarray(network.gate.kernel)[domain, task]
        scores = scores + np.asarray(network.gate.bias)[domain, task]
        gate = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    fused = sum(weight * expert for weight, expert in zip(gate, gated, strict=True))
    if network.fusion != "gated":
        parts = [fused]
        for name, module, own in (("domain", of_domains, domain), ("task", of_tasks, task)):
            if module:
                part = _balance(network, name, module, own)
                if network.fusion != "concatenated":
                    part = _weight(network, f"alpha_{name}") * part
                parts.append(part)
        fused = np.concatenate(parts) if network.fusion == "concatenated" else sum(parts)
    towers = network.towers
    hidden_layer, normalization = towers.hidden_layers[0], towers.normalizations[0]
    fused = fused @ np.asarray(hidden_layer.kernel)[domain, task]
    moments = None
    if towers.batch:
        moments = [
            np.asarray(found)[domain].reshape(-1, len(fused))[task]
            for found in normalization.statistics.moments()
        ]
    else:
        fused = fused + np.asarray(hidden_layer.bias)[domain, task]
    scale, shift = np.asarray(normalization.scale), np.asarray(normalization.shift)
    fused = _normalise(fused, scale[domain, task], shift[domain, task], moments)
    kernel, bias = np.asarray(towers.output_layer.kernel), np.asarray(towers.output_layer.bias)
    return gate, (fused @ kernel[domain, task] + bias[domain, task])[0]


ABLATIONS = [
    {},
    {"shared_experts": 1},
    {"fusion": "fixed"},
    {"fusion": "concatenated"},
    {"fusion": "gated"},
    {"domain_module": False},
    {"task_module": False},
    {"domain_module": False, "task_module": False},
    {"released_behaviour": True},
    {"normalization": "batch"},
]
ONE_DOMAIN = dataclasses.replace(INPUTS, domains=("all",))
ONE_TASK = dataclasses.replace(INPUTS, tasks=INPUTS.tasks[:1])
CASES = [(INPUTS, options) for options in ABLATIONS] + [(ONE_DOMAIN, {}), (ONE_TASK, {})]


@pytest.mark.parametrize(("inputs", "options"), CASES)
def test_is_the_paper_s(inputs, options):
    network, outputs, domains = _build(inputs, **options)
    for row, domain in enumerate(domains):
        for index, task in enumerate(inputs.tasks):
            gate, logit = _expected(network, inputs, row, domain, index)
            np.testing.assert_allclose(outputs[f"gates/{task.name}"][row], gate, atol=1e-3)
            np.testing.assert_allclose(outputs["logits"][row, index], logit, rtol=2e-3, atol=2e-3)


ALL = {"alpha_domain", "beta_domain", "alpha_task", "beta_task"}


@pytest.mark.parametrize(
    ("inputs", "options", "names"),
    [
        (INPUTS, {}, ALL),
        (INPUTS, {"fusion": "fixed"}, set()),
        (INPUTS, {"fusion": "gated"}, set()),
        (INPUTS, {"fusion": "concatenated"}, {"beta_domain", "beta_task"}),
        (INPUTS, {"task_module": False}, {"alpha_domain", "beta_domain"}),
        (ONE_DOMAIN, {}, ALL - {"beta_domain"}),
        (ONE_TASK, {}, ALL - {"beta_task"}),
    ],
)
def test_fusion_variables_start_as_released_and_all_matter(inputs, options, names):
    keras.utils.set_random_seed(1)
    network = NETWORKS.build("m3oe", {**SMALL, **options}, inputs)
    domains = DOMAINS % len(inputs.domains)
    with tf.GradientTape() as tape:
        logits = tf.reduce_sum(network(FIELDS, IDS, domains)["logits"] ** 2)
    assert {variable.name for variable in network.fusion_variables} == names
    for gradient in tape.gradient(logits, network.fusion_variables):
        assert float(gradient) != 0
    assert all(float(variable) == 1.0 for variable in network.fusion_variables)
    trained = {id(variable) for variable in network.trainable_variables}
    assert {id(variable) for variable in network.fusion_variables} <= trained


@pytest.mark.parametrize("released", [True, False])
def test_released_gates_do_not_train_what_they_read(released):
    network, _, _ = _build(released_behaviour=released)
    with tf.GradientTape() as tape:
        gates = network(FIELDS, IDS, DOMAINS)["gates/click"][:, 0]
    gradients = tape.gradient(gates, network.extraction.trainable_variables)
    reached = any(g is not None and np.abs(g.numpy()).max() > 0 for g in gradients)
    assert reached != released


def test_domain_variables_have_the_domain_first():
    network, _, _ = _build()
    assert len(network.domain_variables) == 2 + 2 + 6
    assert {variable.shape[0] for variable in network.domain_variables} == {3}
