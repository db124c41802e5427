"""Serving logs of several values, vectors, and without what is known only when training."""

from mtlx.components.skew_guard.compare_scores import _reads_alike
from mtlx.components.skew_guard.executor import _without
from mtlx.components.skew_guard.skew_notes import column_notes
from mtlx.transform.contract.data_contract import DataContract

FEATURES = {
    "item": {"kind": "categorical"},
    "hour": {"kind": "categorical", "embed": False},
    "user": {"kind": "categorical", "embed": False},
    "tags": {"kind": "categorical", "multiple": True, "weights": "w"},
    "text": {"kind": "vector", "size": 3},
    "place": {"kind": "numeric", "serve_as": 1},
    "both": {"kind": "cross", "of": ["item", "hour"], "hash_buckets": 9},
}


def _contract(**changed):
    return DataContract.read(
        {"features": {**FEATURES, **changed}, "tasks": {"ctr": {"label": "click"}}}
    ).served


def test_values_are_not_read_without_their_weights():
    for lacking in (["w"], ["tags"]):
        assert list(_without(_contract(), lacking).features) == ["item", "hour", "user", "text"]


def test_what_a_cross_is_of_counts_and_what_nobody_is_asked_for_does_not():
    contract = _contract()
    assert "place" not in contract.features
    (note,) = column_notes(contract, ["hour", "user"])
    assert "the serving logs lack hour, which was not compared" in note


def test_another_way_of_reading_is_told_apart():
    contract = _contract()
    assert _reads_alike(contract, contract)
    for other in (
        {"text": {"kind": "vector", "size": 4}},
        {"tags": {"kind": "categorical"}},
        {"tags": {"kind": "categorical", "multiple": True, "weight_mark": ":"}},
    ):
        assert not _reads_alike(contract, _contract(**other))
