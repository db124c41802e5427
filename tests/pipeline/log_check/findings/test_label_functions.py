"""Columns that are computed from the labels, and those that only go along with them."""

import itertools

import numpy as np
import pytest

from mtlx.pipeline.log_check.findings.label_functions import find_label_functions

NUMBER, CATEGORY = {"kind": "numeric"}, {"kind": "categorical"}
#: All four pairs of labels, 500 rows each.
LABELS = np.array(list(itertools.product([False, True], repeat=2)) * 500)
A, B = LABELS.T
ROWS = len(LABELS)


def _found(collected, values, settings=NUMBER):
    return find_label_functions(collected({"x": (settings, values)}, {"a": A, "b": B}))


@pytest.mark.parametrize(
    "function", [lambda a, b: a & b, lambda a, b: a ^ b, lambda a, b: 2 * a + b, lambda a, b: ~a]
)
@pytest.mark.parametrize("settings", [NUMBER, CATEGORY])
def test_any_function_of_the_labels_is_found(collected, function, settings):
    values = function(A, B)
    assert _found(collected, [str(int(v)) for v in values] if settings is CATEGORY else values * 1.0,
                  settings) == ["x"]  # fmt: skip


def test_a_value_that_is_there_with_one_label_only_is_a_function(collected):
    assert _found(collected, np.where(A, 1.0, np.nan).tolist()) == ["x"]
    assert _found(collected, [7.0 if one else None for one in A]) == ["x"]


def test_a_constant_is_none(collected):
    assert _found(collected, [3.0] * ROWS) == []
    assert _found(collected, [None] * ROWS) == []


@pytest.mark.parametrize(("wrong", "found"), [(0, ["x"]), (1, []), (50, [])])
def test_one_row_in_a_thousand_may_differ(collected, wrong, found):
    """Of 500 rows with the same labels, one is more than that."""
    values = (A & B) * 1.0
    values[np.flatnonzero(A & B)[:wrong]] = 5.0
    assert _found(collected, values) == found


def test_noise_and_what_is_not_read_are_none(collected):
    assert _found(collected, np.random.default_rng(0).normal(size=ROWS)) == []
    embedded = np.where(A, "x", "y")
    assert _found(collected, embedded, {**CATEGORY, "embed": False}) == []


def test_labels_of_few_rows_say_nothing(collected):
    """Nineteen rows with a label: whether their value is always the same is not known."""
    for count, found in ((19, []), (20, ["x"])):
        label = np.arange(1000) < count
        rows = collected({"x": (NUMBER, label * 1.0)}, {"a": label})
        assert find_label_functions(rows) == found


def test_no_rows_have_no_functions(collected):
    assert find_label_functions(collected({"x": (NUMBER, [])}, {"a": []})) == []


def test_what_a_model_reads_in_a_cross_alone_is_looked_at(collected):
    features = {
        "item": (CATEGORY, [f"i{row % 7}" for row in range(ROWS)]),
        "state": ({**CATEGORY, "embed": False}, (A & B).astype(int).astype(str)),
    }
    assert find_label_functions(collected(features, {"a": A, "b": B})) == []
    features["both"] = ({"kind": "cross", "of": ["item", "state"], "hash_buckets": 9}, None)
    assert find_label_functions(collected(features, {"a": A, "b": B})) == ["state"]
