"""Several values, their weights, and vectors: what columns become, and what is malformed."""

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.rejection import (
    BAD_WEIGHT,
    NOT_FINITE,
    OTHER_SIZE,
    REMEDIES,
    UNEQUAL_WEIGHTS,
)
from mtlx.components.log_example_gen.row_checks import RowChecks
from mtlx.transform.contract.data_contract import DataContract

TAGS = {"kind": "categorical", "multiple": True}


def _check(feature, missing=("", "-1", "NA"), **columns):
    contract = DataContract.read(
        {
            "features": {"it": feature},
            "tasks": {"click": {"label": "click"}},
            "missing": list(missing),
        }
    )
    count = len(next(iter(columns.values())))
    table = pa.table({**columns, "click": [0] * count})
    return RowChecks(contract).check(Rows(table, np.arange(2, count + 2)), "f")


def _lists(checked, name="it"):
    column = checked.examples.column(checked.examples.schema.get_field_index(name))
    return [[v.decode() if isinstance(v, bytes) else v for v in row] for row in column.to_pylist()]


def _reasons(checked):
    return [(r.line, r.column, r.value, r.reason) for r in checked.rejected]


def test_values_in_lists_and_in_text_are_the_same():
    lists = [["a", "b"], [], ["c", None, "NA"], None, [""]]
    text = ["a|b", "", "c||NA", None, "|"]
    expected = [["a", "b"], [], ["c"], [], []]
    assert _lists(_check(TAGS, it=lists)) == expected
    assert _lists(_check(TAGS, it=text)) == expected
    # Ids are the same texts, whatever type they have.
    assert _lists(_check(TAGS, it=[[1, 2], [3]])) == [["1", "2"], ["3"]]


@pytest.mark.parametrize("form", ["lists", "text", "marked"])
def test_weights_stay_beside_their_values(form):
    """What is missing goes with its weight; markers of missing values are no weights."""
    if form == "lists":
        columns = {
            "it": [["a", "b"], [], ["c", None], None],
            "w": [[0.5, 2.0], [], [1.0, 9.0], None],
        }
    elif form == "text":
        columns = {"it": ["a|b", "", "c|", None], "w": ["0.5|2", "", "1|9", None]}
    else:
        columns = {"it": [["a:0.5", "b:2"], [], ["c:1", "NA:9"], None]}
    feature = {**TAGS, **({"weight_mark": ":"} if form == "marked" else {"weights": "w"})}
    checked = _check(feature, **columns)
    assert checked.rejected == []
    assert _lists(checked) == [["a", "b"], [], ["c"], []]
    assert _lists(checked, "it.weights") == [[0.5, 2.0], [], [1.0], []]


def test_a_value_may_hold_the_mark():
    checked = _check({**TAGS, "weight_mark": ":"}, it=[["a:b:0.5", ":1"], ["x:1"]])
    assert _lists(checked) == [["a:b"], ["x"]]
    assert _lists(checked, "it.weights") == [[0.5], [1.0]]


def test_rows_with_wrong_weights_are_malformed():
    checked = _check(
        {**TAGS, "weights": "w"},
        it=[["a", "b"], ["a"], ["a"], ["a"], ["a"], [], ["a"], ["ok"]],
        w=[[1.0], [-0.5], [float("nan")], [None], [float("inf")], [1.0], None, [3.0]],
    )
    assert _lists(checked) == [["ok"]] and _lists(checked, "it.weights") == [[3.0]]
    assert _reasons(checked) == [
        (2, "w", "[1.0]", UNEQUAL_WEIGHTS),
        (7, "w", "[1.0]", UNEQUAL_WEIGHTS),
        (8, "w", "None", UNEQUAL_WEIGHTS),
        (3, "w", "[-0.5]", BAD_WEIGHT),
        (4, "w", "[nan]", BAD_WEIGHT),
        (5, "w", "[None]", BAD_WEIGHT),
        (6, "w", "[inf]", BAD_WEIGHT),
    ]
    assert {UNEQUAL_WEIGHTS, BAD_WEIGHT, OTHER_SIZE, NOT_FINITE} <= set(REMEDIES)


def test_items_without_a_mark_or_with_a_wrong_weight_are_malformed():
    checked = _check({**TAGS, "weight_mark": ":"}, it=["a:1|b", "a:-1", "a:x", "a:1|b:2"])
    assert [reason for *_, reason in _reasons(checked)] == [BAD_WEIGHT] * 3
    assert _lists(checked) == [["a", "b"]]


VECTOR = {"kind": "vector", "size": 2}


@pytest.mark.parametrize("kind", ["list", "fixed", "text", "integers"])
def test_vectors_of_every_type(kind):
    rows = [[1.0, -1.0], None, [3.0, 4.0]]
    columns = {
        "list": pa.array(rows, pa.list_(pa.float64())),
        "fixed": pa.array(rows, pa.list_(pa.float32(), 2)),
        "text": pa.array(["1|-1", "", "3|4"]),
        "integers": pa.array([[1, -1], [], [3, 4]], pa.large_list(pa.int32())),
    }
    checked = _check(VECTOR, it=columns[kind])
    assert checked.rejected == []
    # -1 stands for a missing value elsewhere, but is a number of a vector here.
    assert _lists(checked) == [[1.0, -1.0], [], [3.0, 4.0]]


def test_vectors_of_another_length_or_without_a_number_are_malformed():
    rows = [[1.0], [1.0, 2.0, 3.0], [1.0, float("nan")], [None, 1.0], [1.0, float("inf")], [5, 6]]
    checked = _check(VECTOR, it=pa.array(rows, pa.list_(pa.float64())))
    assert _lists(checked) == [[5.0, 6.0]]
    assert sorted((line, reason) for line, _, _, reason in _reasons(checked)) == [
        (2, OTHER_SIZE), (3, OTHER_SIZE), (4, NOT_FINITE), (5, NOT_FINITE), (6, NOT_FINITE),
    ]  # fmt: skip
    assert _check(VECTOR, it=["1|x", "1|2"]).rejected[0].reason == NOT_FINITE
