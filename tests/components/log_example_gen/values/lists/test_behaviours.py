"""Sequences that are beside each other are kept in step."""

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.log_example_gen.values.lists.behaviours import Items, aligned, unequal


def items(*rows):
    """`Items` of rows, each a list of texts and None; None itself is a row without a list."""
    flat = [text for row in rows for text in row or []]
    present = np.array([text is not None for text in flat], bool)
    offsets = np.cumsum([0, *(len(row or []) for row in rows)])
    return Items(pa.array(flat, pa.string()), present, offsets)


def lists(*parts):
    return [array.to_pylist() for array in aligned(list(parts))]


def test_missing_items_are_left_out_of_a_list():
    assert items(["a", None, "b"], [], [None], ["c"]).lists().to_pylist() == [
        ["a", "b"], [], [], ["c"],
    ]  # fmt: skip
    assert items(["a"], ["b", "c"]).lists().to_pylist() == [["a"], ["b", "c"]]


def test_a_value_that_is_missing_beside_another_is_an_empty_text():
    assert lists(items(["a", None, "c"]), items(["x", "y", None])) == [
        [["a", "", "c"]],
        [["x", "y", ""]],
    ]


def test_a_behaviour_without_any_value_is_left_out():
    assert lists(items(["a", None, "c"], [None]), items(["x", None, "z"], [None])) == [
        [["a", "c"], []],
        [["x", "z"], []],
    ]


def test_rows_of_unequal_lengths_come_out_empty_and_the_others_stay():
    parts = items(["a", "b"], ["c"], ["d"]), items(["x", "y"], ["z", "z"], ["w"])
    assert unequal(list(parts)).tolist() == [False, True, False]
    assert lists(*parts) == [[["a", "b"], [], ["d"]], [["x", "y"], [], ["w"]]]


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [
        ([None], [], False),  # nobody has a value
        ([None, None], [None], False),
        (["a"], [], True),
        ([None, "a"], ["x"], True),
        ([], [], False),
    ],
)
def test_only_lists_with_a_value_can_differ(first, second, differ):
    assert unequal([items(first), items(second)]).tolist() == [differ]


def test_three_lists_are_kept_in_step_too():
    assert lists(items(["a", None]), items([None, None]), items(["1", "2"])) == [
        [["a", ""]],
        [["", ""]],
        [["1", "2"]],
    ]
    assert unequal([items(["a"]), items(["b"]), items(["1", "2"])]).tolist() == [True]
