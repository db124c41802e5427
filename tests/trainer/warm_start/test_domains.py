"""Weights of domains go with the domains' names, or the model says that it can't tell them apart."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.warm_start.base_model import BaseModelError
from tests.trainer.base_in_memory import BEFORE, BaseInMemory, contract, warm_start
from tests.trainer.small_members import FULL, SMALL

#: What can be told apart by its first axis, and what not.
TOLD_APART = ["star", "domain_task_mlp", "m2m"]
NOT_TOLD_APART = [("m3oe", "joint"), ("ple", "mtl"), ("ple", "mtmd")]


def _settings(network, arrangement="joint", **options):
    return ModelSettings(
        network=network,
        options={**SMALL[network], **options},
        embedding_size=4,
        sequence_encoder="mean_pooling",
        arrangement=arrangement,
    )


def _model(settings, seed=1):
    keras.utils.set_random_seed(seed)
    return build_model(FULL, settings)


def _features(domain_ids):
    random = np.random.RandomState(0)
    features = {name: random.randint(3, 12, 60) for name in BEFORE}
    features |= {"price": random.randn(60).astype("float32")}
    features |= {"clicks": random.randint(3, 12, (60, 4)), "buys": random.randint(3, 12, (60, 3))}
    features["domain_id"] = domain_ids
    return {name: tf.constant(values) for name, values in features.items()}


def _of(*values):
    return contract(domain={"feature": "scenario", "values": list(values)})


def _begun(settings, values, **changes):
    """Logits of a base model of feed and search, and the model that begins with it."""
    model = _model(settings)
    random = np.random.RandomState(0)
    for weight in model.trainable_variables:
        weight.assign_add(0.1 * random.randn(*weight.shape))
    domain_ids = np.arange(60) % 2
    model(_features(domain_ids), training=True)  # moves statistics
    theirs = np.asarray(model(_features(domain_ids))["logits"])
    start = warm_start(
        BaseInMemory(model, settings),
        FULL,
        settings,
        lambda inputs: build_model(inputs, settings),
        of=_of(*values),
        vocabularies=BEFORE,
        **changes,
    )
    start.give_weights(model)
    return theirs, model, start


@pytest.mark.parametrize("network", TOLD_APART)
def test_domains_in_another_order(network):
    options = {"normalization": "batch"} if network == "star" else {}
    theirs, model, start = _begun(_settings(network, **options), ["search", "feed"])
    ours = np.asarray(model(_features(1 - np.arange(60) % 2))["logits"])
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert np.abs(np.asarray(model(_features(np.arange(60) % 2))["logits"]) - theirs).max() > 1e-3
    assert "Domains by name: new none, gone none." in start.notes


def test_a_domain_that_is_new_and_one_that_is_gone():
    theirs, model, start = _begun(_settings("m2m"), ["search", "page"], new_rows="mean")
    ours = np.asarray(model(_features(np.zeros(60, int)))["logits"])
    np.testing.assert_allclose(ours[1::2], theirs[1::2], atol=1e-6)
    assert "Domains by name: new page, gone feed." in start.notes
    (name,) = [name for name in start._base.weights() if name.endswith("domain_embedding")]
    means = start._base.weights()[name].mean(axis=0)
    np.testing.assert_allclose(model.network.domain_embedding[1], means, atol=1e-7)


@pytest.mark.parametrize(("network", "arrangement"), NOT_TOLD_APART)
def test_what_can_t_be_told_apart_is_refused_by_name(network, arrangement):
    with pytest.raises(BaseModelError) as caught:
        _begun(_settings(network, arrangement), ["search", "feed"])
    assert (
        "domain.values is search, feed, that of the base model feed, search, and this model has "
        "weights that can't be told apart by domain: keep the values and their order"
    ) in str(caught.value)


def test_a_model_that_knows_no_domain_takes_any_list():
    theirs, model, _ = _begun(_settings("shared_bottom"), ["search", "feed"])
    ours = np.asarray(model(_features(1 - np.arange(60) % 2))["logits"])
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_no_domain_in_common_is_refused():
    with pytest.raises(BaseModelError, match="no domain is one of the base model's: feed, search"):
        _begun(_settings("m2m"), ["page", "mail"])
