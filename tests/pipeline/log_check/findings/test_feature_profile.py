"""What is said of a feature's values, against counts made by hand."""

import pytest

from mtlx.pipeline.log_check.findings.feature_profile import profile_features

NUMBER, CATEGORY = {"kind": "numeric"}, {"kind": "categorical"}
SEQUENCE = {"kind": "sequence", "of": "item"}


def _profiles(collected, **features):
    count = len(next(iter(features.values()))[1])
    return {
        found.name: found for found in profile_features(collected(features, {"a": [0] * count}))
    }


def test_distinct_and_missing_values_are_counted(collected):
    found = _profiles(
        collected,
        item=(CATEGORY, ["a", "ä", None, "a"]),
        price=(NUMBER, [None, None, None, 1.5]),
        seen=(SEQUENCE, [["a", "b"], [], ["b", "c"], []]),
    )
    assert {name: (one.kind, one.distinct, one.missing) for name, one in found.items()} == {
        "item": ("categorical", 2, 0.25),
        "price": ("numeric", 1, 0.75),
        "seen": ("sequence", 3, 0.5),
    }
    assert list(found) == ["item", "price", "seen"]
    assert [one.only for one in found.values()] == [None, None, None]


def test_what_is_known_only_in_training_is_said(collected):
    found = _profiles(
        collected, price=(NUMBER, [2.0, 3.0]), place=({**NUMBER, "serve_as": 1}, [1.0, 2.0])
    )
    assert [one.kind for one in found.values()] == ["numeric", "numeric, training only"]


def test_what_all_rows_share_is_named(collected):
    found = _profiles(
        collected,
        item=(CATEGORY, ["только"] * 3),
        price=(NUMBER, [2.0] * 3),
        none=(NUMBER, [None] * 3),
        empty=(SEQUENCE, [[], [], []]),
        same=(SEQUENCE, [["a", "b"], ["a", "b"], ["a", "b"]]),
        longer=(SEQUENCE, [["a"], ["a", "a"], ["a"]]),
        partly=(NUMBER, [2.0, None, 2.0]),
    )
    assert {name: one.only for name, one in found.items()} == {
        "item": "только",
        "price": "2.0",
        "none": "no value",
        "empty": "no value",
        "same": "a|b",
        # Of one item, but not of one value.
        "longer": None,
        # That it is missing in some rows tells these from the others.
        "partly": None,
    }


def test_an_empty_place_of_a_sequence_is_no_item(collected):
    found = _profiles(
        collected, item=(CATEGORY, ["a", "b"]), seen=(SEQUENCE, [["a", "", "a"], [""]])
    )
    assert (found["seen"].distinct, found["seen"].missing) == (1, 0.0)


@pytest.mark.parametrize(
    ("rows", "repeated", "like_an_id"), [(1000, 0, True), (999, 0, False), (1000, 150, False)]
)
def test_an_id_of_the_row_is_told_from_other_values(collected, rows, repeated, like_an_id):
    values = [f"r{max(number, repeated)}" for number in range(rows)]
    found = _profiles(collected, request=(CATEGORY, values), number=(NUMBER, range(rows)))
    assert found["request"].like_an_id == like_an_id
    assert not found["number"].like_an_id
    kept = _profiles(collected, request=({**CATEGORY, "embed": False}, values))
    assert not kept["request"].like_an_id


def test_rows_without_a_value_do_not_make_an_id_rarer(collected):
    values = [f"r{number}" for number in range(1000)] + [None] * 9000
    assert _profiles(collected, request=(CATEGORY, values))["request"].like_an_id


def test_one_row_and_none(collected):
    found = _profiles(collected, item=(CATEGORY, ["a"]), price=(NUMBER, [None]))
    assert (found["item"].only, found["price"].only) == ("a", "no value")
    found = _profiles(collected, item=(CATEGORY, []))
    assert (found["item"].distinct, found["item"].missing) == (0, 1.0)
