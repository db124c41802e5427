"""What every registered interaction and loss promises, and the options of all members.

A new member is tested by its line in the registry; `small_members` gives it small sizes.
"""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.losses import LOSSES
from mtlx.trainer.model.model_features import two_empty_rows
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.networks.network import Network
from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.trainer.parts.interactions import INTERACTIONS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec
from tests.trainer.small_members import CATEGORICAL, FULL, SMALL, TREE

TRAINED = [name for name in NETWORKS if issubclass(NETWORKS.get(name), Network)]


@pytest.mark.parametrize("registry", [NETWORKS, INTERACTIONS, SEQUENCE_ENCODERS, BOTTOMS, LOSSES])
def test_unknown_options_are_refused(registry):
    for name in registry:
        with pytest.raises(SettingsError, match="unknown option 'no_such_option'"):
            registry.validate(name, {"no_such_option": 1})
        for option, parameter in registry.options(name).items():
            assert parameter.annotation is not parameter.empty, f"{name}: {option}"
            assert parameter.default is not parameter.empty, f"{name}: {option}"
            with pytest.raises(SettingsError):
                registry.validate(name, {option: object()})


@pytest.mark.parametrize("name", list(INTERACTIONS))
@pytest.mark.parametrize("copies", [1, 3])
def test_interactions(name, copies):
    """Shape, independence of rows and copies, gradients."""
    keras.utils.set_random_seed(1)
    names = tuple(field.name for field in CATEGORICAL)
    options = {**SMALL.get(name, {}), "units": 6}
    module = INTERACTIONS.build(name, options, copies, names)
    random = np.random.RandomState(0)
    fields = tf.Variable(random.randn(7, 5, 4).astype("float32"))
    ids = tf.constant(random.randint(1, 12, (7, 3)))
    with tf.GradientTape() as tape:
        outputs = module(fields, ids)
        square = tf.reduce_sum(outputs**2)
    assert outputs.shape == (7, copies, 6)
    alone = module(fields[2:3], ids[2:3])
    np.testing.assert_allclose(alone[0], outputs[2], atol=1e-5)
    if copies > 1:
        assert np.abs(outputs[:, 0] - outputs[:, 1]).max() > 1e-4
    weights = [fields, *module.trainable_variables]
    for weight, gradient in zip(weights, tape.gradient(square, weights), strict=True):
        assert gradient is not None, weight.name
        values = np.asarray(tf.convert_to_tensor(gradient))
        assert np.isfinite(values).all() and (values != 0).any(), weight.name


@pytest.mark.parametrize("name", list(LOSSES))
def test_losses(name):
    """One finite number per task, 0 for an empty population, gradients where it is not 0."""
    loss = LOSSES.build(name, SMALL.get(name, {}), TREE)
    random = np.random.RandomState(0)
    labels = random.randint(0, 2, (200, 4)).astype("float32")
    mask = np.ones((200, 4), "float32")
    mask[:, 2] = 0
    logits = tf.Variable(random.randn(200, 4).astype("float32"))
    with tf.GradientTape() as tape:
        probabilities = tf.sigmoid(logits)
        outputs = {
            "logits": logits,
            "probabilities": probabilities,
            "joint_probabilities": probabilities,
            "auxiliary_logits": logits,
            "losses/next_behaviour": tf.reduce_sum(logits**2, axis=1),
        }
        losses = loss(labels, outputs, mask)
        total = tf.reduce_sum(losses)
    assert losses.shape == (4,) and losses.dtype == tf.float32
    gradient = tape.gradient(total, logits).numpy()
    assert np.isfinite(losses).all() and np.isfinite(gradient).all()
    touched = losses.numpy() != 0  # PWiseR is about one task, the calibrator about later ones
    assert touched.any() and (gradient[:, touched] != 0).any(axis=0).all()
    if not loss.over_all_rows:
        assert losses[2] == 0 and (gradient[:, 2] == 0).all()


@pytest.mark.parametrize("name", list(LOSSES))
def test_losses_trace_for_any_number_of_rows(name):
    """As the training step traces them."""
    loss = LOSSES.build(name, SMALL.get(name, {}), TREE)
    random = np.random.RandomState(0)
    labels, mask = random.randint(0, 2, (50, 4)).astype("float32"), np.ones((50, 4), "float32")
    logits = random.randn(50, 4).astype("float32")

    def total(labels, logits, mask):
        probabilities = tf.sigmoid(logits)
        outputs = {
            "logits": logits,
            "probabilities": probabilities,
            "joint_probabilities": probabilities,
            "auxiliary_logits": logits,
            "losses/next_behaviour": tf.reduce_sum(logits**2, axis=1),
        }
        return loss(labels, outputs, mask)

    traced = tf.function(
        total, autograph=False, input_signature=[tf.TensorSpec([None, 4], tf.float32)] * 3
    )
    expected = total(*(tf.constant(values) for values in (labels, logits, mask)))
    np.testing.assert_allclose(traced(labels, logits, mask), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", list(LOSSES))
def test_losses_of_no_rows(name):
    """One of several devices may get none."""
    loss = LOSSES.build(name, SMALL.get(name, {}), TREE)
    none = tf.zeros((0, 4))
    names = ("logits", "probabilities", "joint_probabilities", "auxiliary_logits")
    outputs = {**dict.fromkeys(names, none), "losses/next_behaviour": none[:, 0]}
    assert np.isfinite(loss(none, outputs, none)).all()


@pytest.mark.parametrize("network", TRAINED)
def test_a_number_is_served_in_its_own_unit_or_the_network_refuses_it(network):
    """Beside tasks with labels 0 and 1, whose probabilities stay what they are."""
    number = TaskSpec("watch", "watch", kind="regression", shift=100.0, scale=30.0)
    inputs = dataclasses.replace(FULL, tasks=(*FULL.tasks, number))
    settings = ModelSettings(network=network, options=SMALL.get(network, {}), embedding_size=4)
    if not NETWORKS.get(network).takes_regressions:
        with pytest.raises(SettingsError, match="'watch' is a regression"):
            RankingModel(inputs, settings)
        return
    outputs = RankingModel(inputs, settings)(two_empty_rows(inputs))
    logits, found = np.asarray(outputs["logits"]), np.asarray(outputs["probabilities"])
    np.testing.assert_allclose(found[:, -1], 100 + 30 * logits[:, -1], rtol=1e-6)
    np.testing.assert_allclose(found[:, :-1], 1 / (1 + np.exp(-logits[:, :-1])), rtol=1e-5)
