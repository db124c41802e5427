"""Several values, vectors, crosses, pretrained vectors, and what is known only when training."""

import json

import pytest

from mtlx.transform.analysis.model_inputs_builder import model_inputs
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract import features as registry
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    MultipleInput,
    PretrainedTable,
    VectorInput,
)
from mtlx.transform.fields import FIELDS

ITEM = {"kind": "categorical"}
CITY = {"kind": "categorical"}


def _read(features, **sections):
    return DataContract.read(
        {"features": {"item": ITEM, **features}, "tasks": {"ctr": {"label": "click"}}, **sections}
    )


def test_a_contract_without_them_is_written_as_before():
    """Nothing of an earlier version is made anew: its JSON is the same, byte by byte."""
    contract = _read({"price": {"kind": "numeric"}, "seq": {"kind": "sequence", "of": "item"}})
    assert json.loads(contract.to_json())["features"] == {
        "item": {
            "kind": "categorical",
            "column": None,
            "vocabulary": {"top_k": None, "min_count": 1},
            "hash_buckets": None,
            "embed": True,
        },
        "price": {
            "kind": "numeric",
            "column": None,
            "transform": "zscore",
            "buckets": 20,
            "buckets_of": "rows",
            "clip": "training_range",
        },
        "seq": {
            "kind": "sequence",
            "of": "item",
            "column": None,
            "columns": None,
            "beside": None,
            "max_length": 50,
            "separator": "|",
        },
    }
    assert list(json.loads(contract.to_json())) == [
        "features", "tasks", "target_item", "domain", "missing",
    ]  # fmt: skip


def test_every_kind_of_column_has_a_transform():
    kinds = {kind for kind in vars(registry).values() if isinstance(kind, type)}
    named = {k for k in kinds if issubclass(k, registry.FeatureKind) and "kind" in k.model_fields}
    assert named == set(FIELDS)


def test_weights_are_a_feature_of_their_own_in_every_way_of_writing():
    beside = _read({"tags": {"kind": "categorical", "multiple": True, "weights": "w"}})
    marked = _read({"tags": {"kind": "categorical", "multiple": True, "weight_mark": ":"}})
    for contract, column in ((beside, "w"), (marked, "tags")):
        assert list(contract.features) == ["item", "tags", "tags.weights"]
        assert contract.weights_of("tags") == "tags.weights"
        assert contract.column("tags.weights") == column
        assert DataContract.from_json(contract.to_json()) == contract


def test_what_a_model_is_given_of_each():
    contract = _read(
        {
            "tags": {"kind": "categorical", "multiple": True, "weights": "w", "max_values": 4},
            "text": {"kind": "vector", "size": 5},
            "city": {**CITY, "pretrained": {"path": "p", "size": 7, "trainable": True}},
            "both": {"kind": "cross", "of": ["item", "city"], "hash_buckets": 10},
        }
    )
    inputs = model_inputs(contract, lambda name: 9)
    assert inputs.multiple == (MultipleInput("tags", 12, 4, "mean", "tags.weights"),)
    assert inputs.vectors == (VectorInput("text", 5),)
    assert inputs.categorical == (
        CategoricalInput("item", 12),
        CategoricalInput("city", 12, PretrainedTable(7, True)),
        CategoricalInput("both", 13),
    )
    assert DataContract.from_json(contract.to_json()) == contract


def test_requests_hold_nothing_of_what_is_known_only_when_training():
    contract = _read(
        {
            "place": {"kind": "numeric", "serve_as": 1},
            "slot": {"kind": "categorical", "serve_as": 3},
            "shown": {"kind": "categorical", "multiple": True, "weights": "w", "dropped": True},
            "seen": {"kind": "vector", "size": 2, "dropped": True},
            "both": {"kind": "cross", "of": ["item", "slot"], "hash_buckets": 9},
        }
    )
    assert contract.training_only == ["place", "slot", "shown", "shown.weights", "seen"]
    assert contract.features["slot"].serve_as == "3"
    assert list(contract.served.features) == ["item"] and contract.served.crosses == {}
    assert DataContract.from_json(contract.served.to_json()) == contract.served


MULTIPLE = {"kind": "categorical", "multiple": True}
WRONG = {
    "a sequence with several": (
        {"seq": {"kind": "sequence", "of": "item", "multiple": True}},
        "features.seq: unknown setting 'multiple'",
    ),
    "a sequence of several": (
        {"tags": MULTIPLE, "seq": {"kind": "sequence", "of": "tags"}},
        "features.seq.of 'tags' is no categorical feature with one value (it has multiple: true)",
    ),
    "a cross of an unknown feature": (
        {"both": {"kind": "cross", "of": ["item", "itm"], "hash_buckets": 9}},
        "features.both.of 'itm' is no categorical feature with one value, did you mean 'item'",
    ),
    "a cross of a vector": (
        {
            "text": {"kind": "vector", "size": 3},
            "both": {"kind": "cross", "of": ["item", "text"], "hash_buckets": 9},
        },
        "features.both.of 'text' is no categorical feature with one value (it is a vector of 3)",
    ),
    "a cross of one": (
        {"both": {"kind": "cross", "of": ["item"], "hash_buckets": 9}},
        "features.both.of: List should have at least 2 items",
    ),
    "a cross without buckets": (
        {"both": {"kind": "cross", "of": ["item", "city"]}},
        "features.both.hash_buckets: Field required",
    ),
    "a number served as a text": (
        {"place": {"kind": "numeric", "serve_as": "first"}},
        "features.place.serve_as: serve_as of a numeric feature is a number",
    ),
    "a category served as a fraction": (
        {"slot": {"kind": "categorical", "serve_as": 1.5}},
        "features.slot.serve_as: serve_as of a categorical feature is a text",
    ),
    "served as a value and dropped": (
        {"slot": {"kind": "categorical", "serve_as": "a", "dropped": True}},
        "features.slot: give either 'serve_as' or 'dropped', not both",
    ),
    "weights in two places": (
        {"tags": {**MULTIPLE, "weights": "w", "weight_mark": ":"}},
        "features.tags: weights stand in a column ('weights') or in the items ('weight_mark')",
    ),
    "a mark that separates": (
        {"tags": {**MULTIPLE, "weight_mark": "|"}},
        "features.tags: weight_mark and separator are both '|'",
    ),
    "pretrained vectors of hashes": (
        {"city": {**CITY, "hash_buckets": 9, "pretrained": {"path": "p", "size": 3}}},
        "features.city: pretrained vectors are of the values of a vocabulary",
    ),
    "a vector without a size": ({"text": {"kind": "vector"}}, "features.text.size: Field required"),
    "a column twice": (
        {"a": {"kind": "numeric", "column": "x"}, "b": {"kind": "numeric", "column": "x"}},
        "transform: [zscore, quantile_buckets]",
    ),
    "an unknown kind": ({"a": {"kind": "vektor"}}, "features.a: Input tag 'vektor' found using"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case):
    features, says = WRONG[case]
    with pytest.raises(SettingsError) as error:
        _read(features)
    assert says in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"target_item": "slot"}, "target_item 'slot' has serve_as or dropped"),
        (
            {"domain": {"feature": "slot", "values": ["a", "b"]}},
            "domain.feature 'slot' has serve_as or dropped",
        ),
    ],
)
def test_a_served_model_is_given_the_target_and_the_domain(sections, says):
    with pytest.raises(SettingsError, match=says):
        _read({"slot": {"kind": "categorical", "dropped": True}}, **sections)
