"""A warm start of a model that reads every kind of feature, by the values of its vocabularies."""

import numpy as np
import pytest

from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.warm_start.base_model import BaseModelError
from mtlx.transform.analysis.model_inputs_builder import model_inputs
from mtlx.transform.contract.data_contract import DataContract
from tests.trainer.base_in_memory import BaseInMemory, warm_start

FEATURES = {
    "item": {"kind": "categorical", "pretrained": {"path": "p", "size": 3, "trainable": True}},
    "city": {"kind": "categorical", "pretrained": {"path": "p", "size": 2}},
    "tags": {"kind": "categorical", "multiple": True, "weights": "w", "max_values": 3},
    "text": {"kind": "vector", "size": 5},
    "both": {"kind": "cross", "of": ["item", "city"], "hash_buckets": 20},
}
NAMES = ("item", "city", "tags")
BEFORE = {name: [f"{name}{n}".encode() for n in range(9)] for name in NAMES}
#: Two values are gone, three are new, and the others stand elsewhere.
AFTER = {
    name: [values[8], b"new", *values[5:8], *values[2:5], b"newer", b"newest"]
    for name, values in BEFORE.items()
}
SETTINGS = ModelSettings(network="shared_bottom", embedding_size=4)


def _contract(**changed):
    features = {**FEATURES, **changed}
    return DataContract.read({"features": features, "tasks": {"ctr": {"label": "click"}}})


def _model(contract, vocabularies, seed):
    inputs = model_inputs(contract, lambda name: len(vocabularies[name]))
    model = build_model(inputs, SETTINGS)
    random = np.random.default_rng(seed)
    for variable in model.variables:
        variable.assign(random.normal(size=variable.shape))
    for rows in model.embeddings[0].pretrained.values():
        known = np.arange(rows.rows) % 2 == 0  # Today as before: places 0, 2 and so on.
        rows.known.assign(known.astype("float32"))
    return model, inputs


def _rows(vocabularies, values):
    """Rows of values that both vocabularies hold, by ids."""
    random = np.random.default_rng(3)

    def ids(name, shape):
        found = [3 + vocabularies[name].index(f"{name}{n}".encode()) for n in values]
        return np.array(found)[random.integers(0, len(values), shape)]

    tags = ids("tags", (40, 3))
    tags[:, 2] = 0
    return {
        "item": ids("item", 40),
        "city": ids("city", 40),
        "tags": tags,
        "tags.weights": np.where(tags > 0, random.random((40, 3)), 0).astype("float32"),
        "text": random.normal(size=(40, 5)).astype("float32"),
        "both": random.integers(0, 23, 40),
    }


def _predict(model, rows):
    return np.asarray(model(rows)["probabilities"])


@pytest.mark.parametrize("seed", [1, 2])
def test_values_keep_their_vectors(seed):
    """And the frozen ones are those of today's file: here the same."""
    contract = _contract()
    base, _ = _model(contract, BEFORE, seed)
    model, inputs = _model(contract, AFTER, seed + 10)
    frozen, old = (one.embeddings[0].pretrained["city"] for one in (model, base))
    for place, value in enumerate(AFTER["city"]):
        if value in BEFORE["city"]:
            for today, before in ((frozen.vectors, old.vectors), (frozen.known, old.known)):
                values = np.array(today)
                values[3 + place] = np.array(before)[3 + BEFORE["city"].index(value)]
                today.assign(values)
    known, was = (one.embeddings[0].pretrained["item"].known for one in (model, base))
    values = np.array(known)
    for place, value in enumerate(AFTER["item"]):
        if value in BEFORE["item"]:
            values[3 + place] = np.array(was)[3 + BEFORE["item"].index(value)]
    known.assign(values)
    fresh = np.array(model.embeddings[0].pretrained["item"].vectors)
    kept = np.array(frozen.vectors)
    start = warm_start(
        BaseInMemory(base, SETTINGS, contract, BEFORE), inputs, SETTINGS,
        lambda record: build_model(record, SETTINGS), contract, AFTER,
    )  # fmt: skip
    assert np.abs(_predict(model, _rows(AFTER, range(2, 9))) -
                  _predict(base, _rows(BEFORE, range(2, 9)))).max() > 0.01  # fmt: skip
    start.give_weights(model)
    np.testing.assert_allclose(
        _predict(model, _rows(AFTER, range(2, 9))),
        _predict(base, _rows(BEFORE, range(2, 9))),
        atol=1e-6,
    )
    # A new value's trained vector is the file's, and a frozen table is the file's throughout.
    vectors = np.array(model.embeddings[0].pretrained["item"].vectors)
    np.testing.assert_array_equal(vectors[[4, 11, 12]], fresh[[4, 11, 12]])
    np.testing.assert_array_equal(np.array(frozen.vectors), kept)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"tags": {**FEATURES["tags"], "pooling": "sum"}}, "features.tags is categorical (several values, sum, vocabulary)"),
        ({"text": {"kind": "vector", "size": 6}}, "features.text is a vector of 6"),
        ({"both": {**FEATURES["both"], "hash_buckets": 21}}, "features.both is a cross of item and city (hash_buckets: 21)"),
        ({"city": {"kind": "categorical"}}, "features.city is categorical (vocabulary)"),
        ({"text": {"kind": "vector", "size": 5, "standardise": True}}, "features.text is a standardised vector of 5"),
    ],
)  # fmt: skip
def test_another_form_is_named(changed, says):
    contract = _contract()
    base, _ = _model(contract, BEFORE, 1)
    other = _contract(**changed)
    model, inputs = _model(other, AFTER, 2)
    start = warm_start(
        BaseInMemory(base, SETTINGS, contract, BEFORE), inputs, SETTINGS,
        lambda record: build_model(record, SETTINGS), other, AFTER,
    )  # fmt: skip
    with pytest.raises(BaseModelError) as error:
        start.give_weights(model)
    assert says in str(error.value)
