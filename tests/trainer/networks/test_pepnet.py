"""PEPNet against plain NumPy, its stopped gradients, and what each of its two parts learns alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.planted_tasks import Given, Training
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    TaskSpec,
)

TASKS = (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click"))
INPUTS = ModelInputs(
    (CategoricalInput("user", 9), CategoricalInput("item", 9)),
    (NumericInput("clicks_here"), NumericInput("price")),
    (),
    None,
    ("feed", "search"),
    TASKS,
)
FIELDS = np.random.RandomState(0).randn(5, 4, 3).astype("float32")
DOMAINS = np.asarray([1, 0, 0, 1, 1])
IDS = np.zeros((5, 2), "int64")
OPTIONS = {
    "domain_fields": ["clicks_here"],
    "prior_fields": ["item", "user"],
    "tower_hidden": [6, 5],
    "gate_hidden": 4,
    "domain_size": 2,
}


def _build(**options):
    keras.utils.set_random_seed(1)
    network = NETWORKS.build("pepnet", {**OPTIONS, **options}, INPUTS)
    network(FIELDS, IDS, DOMAINS)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    return network


def _gate(unit, values):
    (first, first_bias), (last, last_bias) = (
        map(np.asarray, layer.weights) for layer in (unit.crossing, unit.scoring)
    )
    hidden = np.maximum(values @ first + first_bias, 0)
    return 2 / (1 + np.exp(-(hidden @ last + last_bias)))


@pytest.mark.parametrize(("epnet", "ppnet"), [(True, True), (True, False), (False, True)])
def test_is_the_paper_s(epnet, ppnet):
    network = _build(epnet=epnet, ppnet=ppnet)
    flat = FIELDS.reshape(5, 12).astype("float64")
    if epnet:
        domain = np.asarray(network.domain_embedding)[DOMAINS]
        known = np.concatenate([domain, FIELDS[:, 2], flat], axis=1)
        flat = _gate(network.embedding_gate, known) * flat  # Eqs. 5 and 6
    prior = np.concatenate([FIELDS[:, 1], FIELDS[:, 0], flat], axis=1)
    logits = np.asarray(network(FIELDS, IDS, DOMAINS)["logits"])
    for task in range(2):
        hidden = flat
        for place, units in enumerate((6, 5)):
            (layer,) = network.hidden_layers[place].hidden_layers
            kernel, bias = np.asarray(layer.kernel)[task], np.asarray(layer.bias)[task]
            hidden = np.maximum(hidden @ kernel + bias, 0)
            if ppnet:
                gates = _gate(network.layer_gates[place], prior)  # Eq. 7, split into the tasks'
                hidden = hidden * gates[:, task * units : (task + 1) * units]  # Eqs. 8 and 9
        output = network.output_layer
        expected = hidden @ np.asarray(output.kernel)[task] + np.asarray(output.bias)[task]
        np.testing.assert_allclose(logits[:, task], expected[:, 0], rtol=1e-4, atol=1e-4)


def test_gates_leave_the_embeddings_that_they_look_at_alone():
    """With closed gates of constant size nothing reaches fields but through priors."""
    network = _build()
    fields = tf.constant(FIELDS)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(fields)
        seen = []
        for unit in (network.embedding_gate, *network.layer_gates):
            call = unit.call
            unit.call = lambda inputs, call=call: seen.append(call(inputs)) or seen[-1]
        network(fields, IDS, DOMAINS)
    domain_gate, *layer_gates = seen
    reached = np.abs(tape.gradient(domain_gate, fields).numpy()).sum(axis=(0, 2)) > 0
    assert reached.tolist() == [False, False, True, False]  # the field of the domain alone
    for gate in layer_gates:
        reached = np.abs(tape.gradient(gate, fields).numpy()).sum(axis=(0, 2)) > 0
        assert reached.tolist() == [True, True, False, False]  # the priors alone


@pytest.mark.parametrize("option", ["domain_fields", "prior_fields"])
def test_refuses_a_feature_that_there_is_not(option):
    with pytest.raises(SettingsError) as caught:
        NETWORKS.build("pepnet", {option: ["itm"]}, INPUTS)
    assert option in str(caught.value) and "did you mean 'item'" in str(caught.value)


# Opposite tastes of domains, which towers of all domains don't know; and products of what is known
# of user or item with the rest, for which a tower of three units is too small by itself.

ROWS = 6_000
ONE_TASK, TWO_TASKS = (TaskSpec("click", "click"),), (TASKS[0], TaskSpec("like", "like"))


def _by_domain(random):
    """Fields, domains and log odds ``(rows, 1)``."""
    fields = random.normal(size=(ROWS, 4, 3)).astype("float32")
    fields[:, 0] = random.choice([-1.0, 1.0], (ROWS, 1))
    domains = random.integers(0, 2, ROWS)
    return fields, domains, 2 * (2.0 * domains - 1)[:, None] * fields[:, 3, :1]


def _by_prior(random):
    """One task follows the user's own direction, the other the item's."""
    fields = random.normal(size=(ROWS, 4, 3)).astype("float32")
    own = [(fields[:, place] * fields[:, 3]).sum(axis=1) for place in (0, 1)]
    return fields, np.zeros(ROWS, "int64"), 2 * np.stack(own, axis=1)


def _rows(plant, tasks, seed):
    random = np.random.default_rng(seed)
    fields, domains, log_odds = plant(random)
    labels = (random.random(log_odds.shape) < 1 / (1 + np.exp(-log_odds))).astype("int64")
    by_task = {task.name: labels[:, place] for place, task in enumerate(tasks)}
    return {"fields": fields, "domain_id": domains.astype("int64"), **by_task}, log_odds


def _learnt(plant, tasks, epochs, **options):
    """By task the AUC on other rows, and the best possible one."""
    keras.utils.set_random_seed(1)
    inputs = ModelInputs(INPUTS.categorical, INPUTS.numeric, (), None, INPUTS.domains, tasks)
    network = NETWORKS.build("pepnet", options, inputs)
    columns, _ = _rows(plant, tasks, 1)
    training = Training(Given(network), tasks, columns, learning_rate=0.02)
    training.epochs(epochs)
    others, truth = _rows(plant, tasks, 10**6)
    scores = training.predict(others)["logits"]
    return [
        [area_under_curve(others[task.name], values[:, place]) for values in (scores, truth)]
        for place, task in enumerate(tasks)
    ]


def _by_epnet(epnet):
    options = {"prior_fields": ["user"], "tower_hidden": [8], "gate_hidden": 8, "ppnet": False}
    return _learnt(_by_domain, ONE_TASK, 6, **options, epnet=epnet)


def _by_ppnet(ppnet):
    options = {"prior_fields": ["user", "item"], "tower_hidden": [3], "gate_hidden": 32}
    return _learnt(_by_prior, TWO_TASKS, 10, **options, epnet=False, ppnet=ppnet)


def test_gates_know_whose_tastes_are_opposite():
    ((found, best),) = _by_epnet(True)
    ((without, _),) = _by_epnet(False)
    print(round(found, 3), round(best, 3), round(without, 3))
    assert found > 0.5 + 0.9 * (best - 0.5)
    assert abs(without - 0.5) < 0.03


def test_gates_of_each_tasks_tower_know_user_and_item():
    for (found, best), (without, _) in zip(_by_ppnet(True), _by_ppnet(False), strict=True):
        print(round(found, 3), round(best, 3), round(without, 3))
        assert found > 0.5 + 0.85 * (best - 0.5)
        assert without < 0.5 + 0.5 * (best - 0.5)
