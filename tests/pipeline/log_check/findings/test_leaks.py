"""Which features tell a label, by what, and that chance, ids and rare labels do not."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mtlx.pipeline.log_check.findings import leaks
from mtlx.pipeline.log_check.findings.leaks import find_leaks

ROWS = 4000
NUMBER, CATEGORY = {"kind": "numeric"}, {"kind": "categorical"}
SEQUENCE = {"kind": "sequence", "of": "item"}


@pytest.fixture
def drawn():
    return np.random.default_rng(0)


@pytest.fixture
def click(drawn):
    return drawn.random(ROWS) < 0.3


def test_the_auc_of_a_number_is_that_of_the_number(collected, drawn, click):
    """Against scikit-learn, for a number that is a leak by its order, up or down."""
    number = (click * 4.0 + drawn.normal(size=ROWS)).astype(np.float32)
    expected = roc_auc_score(click, number)
    assert expected > leaks.LEAK_AUC
    for sign in (1, -1):
        rows = collected({"after": (NUMBER, sign * number)}, {"click": click})
        (found,) = find_leaks(rows, None)
        assert (found.feature, found.how, found.task) == ("after", "its number", "click")
        assert found.positives == click.sum()
        assert found.auc == pytest.approx(expected, abs=5e-3) and found.auc >= expected - 1e-9


def test_a_good_feature_is_no_leak(collected, drawn, click):
    """An AUC of 0.98 is a feature to be glad of."""
    number = click * 2.9 + drawn.normal(size=ROWS)
    assert 0.97 < roc_auc_score(click, number) < 0.985
    assert find_leaks(collected({"good": (NUMBER, number)}, {"click": click}), None) == []


def test_a_missing_number_counts_as_a_value(collected, drawn, click):
    """Of a number that is there after a click only, that it is there tells all."""
    number = [
        float(value) if one else None
        for value, one in zip(drawn.normal(size=ROWS), click, strict=False)
    ]
    (found,) = find_leaks(collected({"dwell": (NUMBER, number)}, {"click": click}), None)
    assert found.feature == "dwell" and found.auc == pytest.approx(1.0)


def test_a_column_without_any_number_is_no_leak(collected, click):
    assert find_leaks(collected({"x": (NUMBER, [None] * ROWS)}, {"click": click}), None) == []


def test_values_of_a_set_are_learnt_on_one_half_and_tried_on_the_other(collected, drawn, click):
    names = np.where(click, "gekauft", "übersprungen")
    (found,) = find_leaks(collected({"state": (CATEGORY, names)}, {"click": click}), None)
    assert (found.how, found.auc) == ("its value", pytest.approx(1.0))
    # A value that occurs once tells all of the row that it was learnt on, and nothing of others.
    ids = [f"r{number}" for number in range(ROWS)]
    assert find_leaks(collected({"row": (CATEGORY, ids)}, {"click": click}), None) == []


def test_what_the_model_does_not_embed_is_not_looked_at(collected, click):
    features = {"state": ({**CATEGORY, "embed": False}, np.where(click, "a", "b"))}
    assert find_leaks(collected(features, {"click": click}), None) == []


def test_two_values_that_tell_a_label_together_are_a_leak_of_their_cross(collected, drawn, click):
    """Neither column tells anything: only where both are the same there was a click."""
    one = drawn.integers(0, 4, ROWS)
    other = np.where(click, one, (one + drawn.integers(1, 4, ROWS)) % 4)
    features = {
        "one": (CATEGORY, [f"a{value}" for value in one]),
        "other": ({**CATEGORY, "embed": False}, [f"b{value}" for value in other]),
        "both": ({"kind": "cross", "of": ["one", "other"], "hash_buckets": 100}, None),
    }
    (found,) = find_leaks(collected(features, {"click": click}), None)
    assert (found.feature, found.how) == ("both", "the values of one and other together")
    assert found.auc == pytest.approx(1.0)
    # Where a value is missing a cross has one value, whatever the others are.
    features["none"] = (CATEGORY, [None] * ROWS)
    features["both"] = ({**features["both"][0], "of": ["one", "other", "none"]}, None)
    assert find_leaks(collected(features, {"click": click}), None) == []
    del features["both"]
    assert find_leaks(collected(features, {"click": click}), None) == []


def test_a_column_that_a_model_reads_in_a_cross_alone_is_named_itself(collected, drawn, click):
    features = {
        "item": (CATEGORY, [f"i{number}" for number in drawn.integers(0, 30, ROWS)]),
        "state": ({**CATEGORY, "embed": False}, np.where(click, "a", "b")),
        "both": ({"kind": "cross", "of": ["item", "state"], "hash_buckets": 100}, None),
    }
    (found,) = find_leaks(collected(features, {"click": click}), None)
    assert (found.feature, found.how) == ("state", "its value")


def test_crosses_of_what_is_honest_are_none(collected, drawn, click):
    """A combination that occurs once tells nothing of others, nor does what is missing."""
    items = [f"i{number}" for number in range(ROWS)]
    places = [None if place == 5 else f"p{place}" for place in drawn.integers(0, 6, ROWS)]
    features = {
        "item": (CATEGORY, items),
        "place": (CATEGORY, places),
        "both": ({"kind": "cross", "of": ["item", "place"], "hash_buckets": 9}, None),
    }
    assert find_leaks(collected(features, {"click": click}), None) == []


def test_rows_of_a_user_are_in_one_half(collected, drawn):
    """Users who always click are told by their ids unless they are kept together."""
    users = drawn.integers(0, 200, ROWS)
    click = (drawn.random(200) < 0.4)[users]
    rows = collected({"user": (CATEGORY, [f"u{user}" for user in users])}, {"click": click})
    assert [found.feature for found in find_leaks(rows, None)] == ["user"]
    assert find_leaks(rows, "user") == []


def test_a_sequence_tells_by_its_length_or_by_the_row_s_own_item(collected, drawn, click):
    items = [f"i{number}" for number in drawn.integers(0, 30, ROWS)]
    lengths = np.where(click, 3, drawn.integers(0, 3, ROWS))
    longer = [["x"] * length for length in lengths]
    holding = [[item, "x"] if one else ["y", "x"] for item, one in zip(items, click, strict=False)]
    features = {
        "item": (CATEGORY, items),
        "longer": (SEQUENCE, longer),
        "holding": (SEQUENCE, holding),
    }
    rows = collected(features, {"click": click}, target_item="item")
    assert {(found.feature, found.how) for found in find_leaks(rows, None)} == {
        ("longer", "its length"),
        ("holding", "whether it holds the row's item"),
    }


@pytest.mark.parametrize("positives", [19, 20])
def test_fewer_than_twenty_positives_or_negatives_prove_nothing(collected, positives):
    few = np.zeros(ROWS, bool)
    few[::97][:positives] = True
    for label in (few, ~few):
        rows = collected({"copy": (NUMBER, label * 1.0)}, {"click": label})
        assert bool(find_leaks(rows, None)) == (positives >= 20)


def test_a_task_is_looked_at_on_its_population(collected, drawn, click):
    """Of clicked rows alone, the number is the label; elsewhere it is noise."""
    buy = click & (drawn.random(ROWS) < 0.4)
    number = np.where(click, buy, drawn.random(ROWS) < 0.4) * 1.0
    tasks = {
        "click": {"label": "click"},
        "buy": {"label": "buy", "after": "click", "population": "click"},
    }
    labels = {"click": click, "buy": buy}
    rows = collected({"paid": (NUMBER, number)}, labels, tasks=tasks)
    assert [(found.task, found.auc) for found in find_leaks(rows, None)] == [("buy", 1.0)]


def test_of_very_many_rows_an_even_part_is_looked_at(collected, click, monkeypatch):
    monkeypatch.setattr(leaks, "_MOST_ROWS", 1000)
    rows = collected({"copy": (NUMBER, click * 1.0)}, {"click": click})
    (found,) = find_leaks(rows, None)
    chosen = np.linspace(0, ROWS - 1, 1000).astype(int)
    assert found.positives == click[chosen].sum() < click.sum()


def test_no_rows_are_no_leak(collected):
    rows = collected({"x": (NUMBER, []), "c": (CATEGORY, [])}, {"click": []})
    assert find_leaks(rows, None) == []
