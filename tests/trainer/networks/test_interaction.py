"""Interactions used alone against plain NumPy; the modules have tests of their own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.parts.interactions import INTERACTIONS
from mtlx.trainer.settings import ModelSettings
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
    (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click"), TaskSpec("like", "like")),
)
KINDS = {
    "dcn_m": ("dcn_m", {}),
    "gdcn": ("gdcn", {"rank": 2}),
    "masknet_serial": ("masknet", {"arrangement": "serial", "aggregation": 8}),
    "masknet_parallel": ("masknet", {"arrangement": "parallel", "aggregation": 8}),
    "memonet_lmr": ("memonet", {"restore": "lmr", "codewords": 31}),
    "memonet_amr": ("memonet", {"restore": "amr", "codewords": 31}),
    "senet": ("senet", {}),
}
each_kind = pytest.mark.parametrize("kind", list(KINDS))


def _options(kind, **options):
    name, of_module = KINDS[kind]
    module = {"name": name, "options": of_module}
    return {"interaction": module, "units": 6, "tower_hidden": [5], **options}


def _build(kind, **options):
    """A network with random weights, and its logits."""
    keras.utils.set_random_seed(1)
    network = NETWORKS.build("interaction", _options(kind, **options), INPUTS)
    network(FIELDS, IDS, DOMAINS)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.3)
    return network, np.asarray(network(FIELDS, IDS, DOMAINS)["logits"])


def _dense(layer, inputs, task):
    kernel, bias = (np.asarray(weight, "float64")[task] for weight in (layer.kernel, layer.bias))
    return inputs @ kernel + bias


def _tower(towers, inputs, task):
    for layer in () if towers.mlp is None else towers.mlp.hidden_layers:
        inputs = np.maximum(_dense(layer, inputs, task), 0)
    return _dense(towers.output_layer, inputs, task)[:, 0]


def test_every_kind_is_tested():
    assert {name for name, _ in KINDS.values()} == set(INTERACTIONS)


@pytest.mark.parametrize("tower_hidden", [[], [7, 5]])
@each_kind
def test_each_task_has_a_tower_on_a_module_of_its_own(kind, tower_hidden):
    network, logits = _build(kind, tower_hidden=tower_hidden)
    crossed = np.asarray(network.interaction(FIELDS, IDS), "float64")
    assert crossed.shape == (5, 3, 6)
    for task in range(3):
        expected = _tower(network.towers, crossed[:, task], task)
        np.testing.assert_allclose(logits[:, task], expected, rtol=1e-3, atol=1e-4)
        others = np.delete(crossed, task, axis=1)
        assert np.abs(others - crossed[:, task, None]).max(axis=(0, 2)).min() > 1e-3


def test_whole_equation_with_dcn_m():
    """logit_t = tower_t(W c_2 + b), c_{l+1} = c_0 ⊙ (W_l c_l + b_l) + c_l, all of task t's own."""
    network, logits = _build("dcn_m")
    module, first = network.interaction, FIELDS.reshape(5, -1).astype("float64")
    for task in range(3):
        current = first
        for cross in module.crosses:
            current = first * _dense(cross, current, task) + current
        expected = _tower(network.towers, _dense(module.output_map, current, task), task)
        np.testing.assert_allclose(logits[:, task], expected, rtol=1e-3, atol=1e-3)


@each_kind
def test_a_model_of_every_kind_is_trained_with_all_its_weights(kind):
    keras.utils.set_random_seed(1)
    settings = ModelSettings(network="interaction", options=_options(kind), embedding_size=4)
    model = RankingModel(INPUTS, settings)
    random = np.random.RandomState(0)
    features = {field.name: tf.constant(random.randint(1, 9, 64)) for field in INPUTS.categorical}
    labels = tf.constant(random.randint(0, 2, (64, 3)).astype("float32"))
    with tf.GradientTape() as tape:
        logits = model(features, training=True)["logits"]
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))
    assert logits.shape == (64, 3)
    gradients = tape.gradient(loss, model.trainable_variables)
    for weight, gradient in zip(model.trainable_variables, gradients, strict=True):
        values = np.asarray(tf.convert_to_tensor(gradient))
        assert np.isfinite(values).all() and (values != 0).any(), weight.path


def test_dropout_is_that_of_the_towers():
    network, logits = _build("gdcn", dropout=0.5)
    np.testing.assert_array_equal(network(FIELDS, IDS, DOMAINS)["logits"], logits)
    assert np.abs(network(FIELDS, IDS, DOMAINS, training=True)["logits"] - logits).max() > 1e-3


def test_refuses_what_does_not_fit():
    with pytest.raises(SettingsError, match="did you mean 'masknet'"):
        NETWORKS.validate("interaction", {"interaction": {"name": "maskent"}})
    with pytest.raises(SettingsError, match="set it as the network's own option 'units'"):
        options = {"interaction": {"name": "gdcn", "options": {"units": 4}}}
        NETWORKS.validate("interaction", options)
    one_field = ModelInputs(INPUTS.categorical[:1], (), (), None, ("all",), INPUTS.tasks)
    with pytest.raises(SettingsError, match="at least two categorical fields"):
        NETWORKS.build("interaction", {"interaction": {"name": "memonet"}}, one_field)
    settings = ModelSettings(network="interaction", options=_options("gdcn"), bottom="trm")
    with pytest.raises(SettingsError, match="network 'interaction' reads the embedded fields"):
        RankingModel(INPUTS, settings)
