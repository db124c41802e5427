import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.layers.attention.masked_mean import masked_mean
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.networks.network import Network
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.parts.sequence_encoders.no_sequences import NoSequences
from mtlx.trainer.parts.sequence_encoders.sequence_encoder import SequenceEncoder
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    SequenceInput,
    TaskSpec,
)

INPUTS = ModelInputs(
    (CategoricalInput("user", 9), CategoricalInput("item", 9)),
    (NumericInput("price"),),
    (SequenceInput("history", "item", 3),),
    "item",
    ("feed", "search"),
    (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click")),
)
FEATURES = {
    "user": np.asarray([3, 4, 5]),
    "item": np.asarray([6, 3, 8]),
    "price": np.asarray([0.5, -2.0, 1.0], "float32"),
    "history": np.asarray([[6, 4, 0], [0, 0, 0], [3, 4, 5]]),
    "domain_id": np.asarray([0, 1, 0]),
    "click": np.asarray([0, 1, 0]),
}


class Composed(Network):
    """A network that composes probabilities itself: p(buy) = p(click) · p(buy | click)."""

    def __init__(self, inputs):
        super().__init__()
        self.dense = keras.layers.Dense(2)
        self.seen = None

    def call(self, fields, field_ids, domain_ids, training=False):
        self.seen = (fields, field_ids, domain_ids)
        conditional = self.dense(fields[:, 0])
        probabilities = tf.math.cumprod(tf.sigmoid(conditional), axis=1)
        return {"logits": conditional, "probabilities": probabilities}


@pytest.fixture
def composed(monkeypatch):
    monkeypatch.setattr(NETWORKS, "get", lambda name: Composed)
    return RankingModel(INPUTS, ModelSettings(network="composed", embedding_size=4))


def test_network_gets_fields_numbers_interests_in_this_order(composed):
    composed(FEATURES)
    fields, field_ids, domain_ids = (np.asarray(value) for value in composed.network.seen)
    assert fields.shape == (3, 4, 4)
    table = np.asarray(composed.embedding.table)
    np.testing.assert_array_equal(fields[:, 0], table[FEATURES["user"]])
    np.testing.assert_array_equal(fields[:, 1], table[9 + FEATURES["item"]])
    np.testing.assert_allclose(fields[0, 3], table[[15, 13]].mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(fields[1, 3], np.zeros(4))
    np.testing.assert_array_equal(field_ids, [[3, 6], [4, 3], [5, 8]])
    np.testing.assert_array_equal(domain_ids, [0, 1, 0])


def test_logits_agree_with_composed_probabilities(composed):
    outputs = composed(FEATURES)
    probabilities = np.asarray(outputs["probabilities"])
    assert (probabilities[:, 1] < probabilities[:, 0]).all()
    expected = np.log(probabilities / (1 - probabilities))
    np.testing.assert_allclose(np.asarray(outputs["logits"]), expected, rtol=1e-3, atol=1e-4)


def test_all_weights_exist_after_construction():
    model = RankingModel(INPUTS, ModelSettings(network="mmoe"))
    before = [weight.path for weight in model.weights]
    model(FEATURES)
    assert before == [weight.path for weight in model.weights]
    assert len(before) > 8


def test_numeric_features_alone_make_a_model():
    inputs = ModelInputs((), (NumericInput("price"),), (), None, ("all",), INPUTS.tasks)
    model = RankingModel(inputs, ModelSettings(network="ple"))
    logits = np.asarray(model({"price": FEATURES["price"]})["logits"])
    assert logits.shape == (3, 2) and np.ptp(logits[:, 0]) > 0


@pytest.mark.parametrize("name", ["price", "history", "domain_id"])
def test_names_a_missing_feature(name):
    model = RankingModel(INPUTS, ModelSettings(network="single_task"))
    with pytest.raises(ValueError, match=f"{name}.*missing"):
        model({key: value for key, value in FEATURES.items() if key != name})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": "mmeo"}, "did you mean 'mmoe'"),
        ({"network": "mmoe", "options": {"expert": 3}}, "did you mean 'experts'"),
        ({"network": "mmoe", "options": {"experts": 0}}, "greater than 0"),
        ({"network": "mmoe", "sequence_encoder": "mean"}, "did you mean 'mean_pooling'"),
    ],
)
def test_refuses_wrong_settings(settings, message):
    with pytest.raises(SettingsError, match=message):
        RankingModel(INPUTS, ModelSettings(**settings))


@pytest.mark.parametrize("network", ["mmoe", "single_task"])
def test_every_task_is_scored_from_its_own_input(network, monkeypatch):
    """With interests of each task's own, a task's score is that of a model fed with them alone."""

    class TwoInterests(SequenceEncoder):
        """The items' mean for the first task, their opposite for the second."""

        task_specific = True

        def call(self, sequences, masks, target=None, training=False):
            mean = masked_mean(sequences["history"], masks["history"])
            both = tf.stack([mean * task for task in self.factors], axis=1)
            return both[:, :, None]

    monkeypatch.setattr(SEQUENCE_ENCODERS, "get", lambda name: TwoInterests)
    settings = ModelSettings(network=network, embedding_size=4)
    outputs = {}
    for factors in [(1.0, -1.0), (1.0, 1.0), (-1.0, -1.0)]:
        TwoInterests.factors = factors
        keras.utils.set_random_seed(1)
        outputs[factors] = {
            k: np.asarray(v) for k, v in RankingModel(INPUTS, settings)(FEATURES).items()
        }
    own = outputs[(1.0, -1.0)]
    for task, factors in enumerate([(1.0, 1.0), (-1.0, -1.0)]):
        expected = outputs[factors]
        np.testing.assert_allclose(own["logits"][:, task], expected["logits"][:, task], rtol=1e-5)
        name = f"gates/{INPUTS.tasks[task].name}"
        if network == "mmoe":
            np.testing.assert_allclose(own[name], expected[name], rtol=1e-5)
    assert np.abs(own["logits"] - outputs[(1.0, 1.0)]["logits"]).max() > 1e-6


def test_a_network_that_reads_fields_refuses_inputs_without_them(monkeypatch):
    class OwnInterests(NoSequences):
        reads_sequences = True
        task_specific = True

    monkeypatch.setattr(SEQUENCE_ENCODERS, "get", lambda name: OwnInterests)
    with pytest.raises(SettingsError, match="network 'dtn' reads the embedded fields"):
        RankingModel(INPUTS, ModelSettings(network="dtn", sequence_encoder="own"))
