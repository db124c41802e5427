"""Normalisation in every network that has hidden layers: gradients, statistics, inference."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.losses import LOSSES
from mtlx.trainer.networks import NETWORKS
from tests.trainer.small_members import FULL, SMALL

#: Of the small networks over four tasks, how many hidden layers, whatever their copies, there are.
HIDDEN = {
    "single_task": 1,
    "shared_bottom": 2,
    "omoe": 2,
    "mmoe": 2,
    "cgc": 2,
    "ple": 3,
    "esmm": 1,
    "aitm": 4,
    "adatt": 3,
    "adatt_sp": 3,
    "man": 2,
    "small_heads": 4,
    "interaction": 1,
    "sfm": 3,
    "tfi": 2,
    "dtn": 3,
    "star": 3,
    "m2m": 1,
    "m3oe": 4,
    "domain_task_mlp": 1,
    "pepnet": 1,
    "home": 3,
}
NORMALISED = list(HIDDEN)
FIELDS = np.random.RandomState(0).randn(64, 6, 4).astype("float32")
ZEROS = np.zeros((64, 3), "int64"), np.zeros(64, "int64")
BOTH = np.zeros((64, 3), "int64"), np.arange(64) % 3 // 2
#: Without the partitioned normalisation, which has statistics of its own.
OTHER_SMALL = {"star": {"normalize": False}}
STATISTICS = ("moving_mean", "moving_variance", "counts", "sums", "squares")


def _build(name, normalization="batch"):
    keras.utils.set_random_seed(1)
    options = {**SMALL.get(name, {}), **OTHER_SMALL.get(name, {}), "normalization": normalization}
    network = NETWORKS.build(name, options, FULL)
    network(FIELDS[:2], *(values[:2] for values in ZEROS))
    return network


def _probabilities(outputs):
    found = outputs.get("probabilities")
    return np.asarray(tf.sigmoid(outputs["logits"]) if found is None else found)


def test_every_network_of_hidden_layers_offers_it():
    # STEM's fields have an axis more; its test is its own.
    assert set(NETWORKS) - set(NORMALISED) == {"lightgbm", "stem"}
    assert all("normalization" in NETWORKS.options(name) for name in [*NORMALISED, "stem"])


@pytest.mark.parametrize("name", NORMALISED)
def test_a_training_step_reaches_all_weights_and_statistics(name):
    network = _build(name)
    statistics = [v for v in network.non_trainable_variables if v.name in STATISTICS]
    # Every hidden layer has them.
    assert sum(v.name in ("moving_mean", "sums") for v in statistics) == HIDDEN[name]
    before = [np.array(variable) for variable in statistics]
    labels = np.random.RandomState(0).randint(0, 2, (64, 4)).astype("float32")
    losses = [
        LOSSES.build(term["name"], term.get("options", {}), FULL.tasks)
        for term in network.default_losses
    ]
    with tf.GradientTape() as tape:
        outputs = network(FIELDS, *BOTH, training=True)
        read = {**outputs, "domain_id": BOTH[1]}
        total = tf.add_n([tf.reduce_sum(loss(labels, read, labels * 0 + 1)) for loss in losses])
    gradients = tape.gradient(total, network.trainable_variables)
    for weight, gradient in zip(network.trainable_variables, gradients, strict=True):
        assert gradient is not None, weight.path
        values = np.asarray(tf.convert_to_tensor(gradient))
        assert np.isfinite(values).all() and (values != 0).any(), weight.path
    for old, new in zip(before, statistics, strict=True):
        assert np.abs(old - np.array(new)).max() > 1e-4, new.path
    # Served, a row's score is its own, whatever the other rows are.
    alone = _probabilities(network(FIELDS[:1], *(values[:1] for values in BOTH)))
    together = _probabilities(network(FIELDS, *BOTH))
    np.testing.assert_allclose(alone, together[:1], atol=1e-5)
    trained = _probabilities(network(FIELDS[:8], *(values[:8] for values in BOTH), training=True))
    assert np.abs(trained - together[:8]).max() > 1e-4


@pytest.mark.parametrize("name", ["single_task", "shared_bottom", "esmm", "domain_task_mlp"])
def test_inputs_of_another_size_are_the_same_to_it(name):
    """In training, where the first layer reads them and no gate does; a plain network hears it."""
    for normalization, same in (("batch", True), ("none", False)):
        one, other = (
            _probabilities(_build(name, normalization)(values, *ZEROS, training=True))
            for values in (FIELDS, 9 * FIELDS)
        )
        assert (np.abs(one - other).max() < 1e-3) == same
