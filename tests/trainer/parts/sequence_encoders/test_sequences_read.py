"""The option that all encoders have: which sequences they read."""

import keras
import numpy as np
import pytest

from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    SequenceInput,
    TaskSpec,
)
from tests.trainer.parts.sequence_encoders.held_out_auc import held_out_auc

ITEMS, LENGTH = 43, 3
INPUTS = ModelInputs(
    (CategoricalInput("item", ITEMS),),
    (),
    (SequenceInput("a", "item", LENGTH), SequenceInput("b", "item", LENGTH)),
    "item",
    ("all",),
    (TaskSpec("click", "click"),),
)
READERS = [name for name in SEQUENCE_ENCODERS if name != "none"]


def _settings(encoder, sequences):
    options = {} if encoder == "none" else {"sequences": sequences}
    network = "mmoe" if encoder == "tim" else "shared_bottom"
    return ModelSettings(
        network=network, embedding_size=4, sequence_encoder=encoder, sequence_options=options
    )


def _rows(rows, seed=0):
    """Random items; the label is whether most of b's have even numbers."""
    random = np.random.RandomState(seed)
    features = {name: random.randint(3, ITEMS, (rows, LENGTH)) for name in ("a", "b")}
    features["item"] = random.randint(3, ITEMS, rows)
    return features, (features["b"] % 2 == 0).sum(axis=1) >= 2


def _random_model(settings):
    """A model with weights that let every input move its outputs."""
    keras.utils.set_random_seed(1)
    model = RankingModel(INPUTS, settings)
    for index, variable in enumerate(model.variables):
        variable.assign(keras.random.normal(variable.shape, stddev=0.5, seed=index))
    return model


def _outputs(model, features):
    return np.asarray(model(features)["logits"])


@pytest.mark.parametrize(
    "encoder, read, other",
    [("mean_pooling", "a", "b"), *((encoder, "b", "a") for encoder in READERS)],
)
def test_every_encoder_reads_the_named_sequence_alone(encoder, read, other):
    model = _random_model(_settings(encoder, [read]))
    features, _ = _rows(8)
    changed, _ = _rows(8, seed=1)
    expected = _outputs(model, features)
    np.testing.assert_array_equal(_outputs(model, {**features, other: changed[other]}), expected)
    # What is not read is not embedded: the model does not even ask for it.
    without = {name: values for name, values in features.items() if name != other}
    np.testing.assert_array_equal(_outputs(model, without), expected)
    assert list(model.embedding(without).sequences) == [read]
    moved = np.abs(_outputs(model, {**features, read: changed[read]}) - expected)
    assert (moved.max(axis=1) > 1e-6).all()


@pytest.mark.parametrize("encoder", READERS)
def test_without_the_option_an_encoder_reads_all(encoder):
    model = _random_model(_settings(encoder, None))
    features, _ = _rows(8)
    changed, _ = _rows(8, seed=1)
    expected = _outputs(model, features)
    for name in "ab":
        moved = np.abs(_outputs(model, {**features, name: changed[name]}) - expected)
        assert (moved.max(axis=1) > 1e-6).all(), name


def test_an_encoder_that_reads_none_has_none_embedded():
    model = _random_model(_settings("none", None))
    features, _ = _rows(8)
    assert model.embedding(features).sequences == {}
    assert _outputs(model, {"item": features["item"]}).shape == (8, 1)


@pytest.mark.parametrize("encoder", ["mean_pooling", "din"])
@pytest.mark.parametrize("seed", [1, 2])
def test_what_hangs_on_one_sequence_is_learnt_by_its_reader_alone(encoder, seed):
    """The best possible AUC is 1; whoever reads the other sequence can't be better than chance."""
    features, labels = _rows(8000, seed)
    aucs = {
        name: held_out_auc(INPUTS, _settings(encoder, [name]), features, labels, 3, seed)[0]
        for name in "ab"
    }
    assert aucs["b"] > 0.95, aucs
    assert abs(aucs["a"] - 0.5) < 0.05, aucs


def test_first_is_the_first_of_the_contract_and_a_list_sets_the_order():
    for choice, names in {"first": ["a"], None: ["a", "b"]}.items():
        encoder = SEQUENCE_ENCODERS.build("din", {"sequences": choice}, INPUTS)
        assert encoder.sequence_names == names
    encoder = SEQUENCE_ENCODERS.build("din", {"sequences": ["b", "a"]}, INPUTS)
    assert encoder.sequence_names == ["b", "a"]
    random = np.random.default_rng(0)
    values = {name: random.random((2, LENGTH, 4)).astype("float32") for name in "ab"}
    masks = {name: np.ones((2, LENGTH), bool) for name in "ab"}
    pooled = {
        names: SEQUENCE_ENCODERS.build("mean_pooling", {"sequences": list(names)}, INPUTS)(
            values, masks
        )
        for names in ("ab", "ba")
    }
    np.testing.assert_array_equal(pooled["ab"][:, 0], pooled["ba"][:, 1])
    no_sequences = ModelInputs(INPUTS.categorical, (), (), "item", ("all",), INPUTS.tasks)
    assert SEQUENCE_ENCODERS.build("din", {"sequences": "first"}, no_sequences)({}, {}) is None


@pytest.mark.parametrize(
    "choice, message",
    [
        (["a", "c"], r"sequences: unknown sequence 'c', Known: 'a', 'b'"),
        (["a", "a"], "sequences: sequence 'a' is named twice"),
        ([], "sequences: .*at least 1"),
        ("b", r"sequences: .*'first'.*Received: 'b'"),
        (1, r"sequences: .*'first'.*Received: 1"),
    ],
)
def test_a_wrong_choice_is_refused(choice, message):
    with pytest.raises(SettingsError, match=message):
        SEQUENCE_ENCODERS.build("din", {"sequences": choice}, INPUTS)


def test_an_encoder_that_reads_none_has_no_choice():
    with pytest.raises(SettingsError, match="unknown option 'sequences' of 'none'"):
        SEQUENCE_ENCODERS.build("none", {"sequences": ["a"]}, INPUTS)
