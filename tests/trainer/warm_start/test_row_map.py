"""Rows by value, not by number."""

import numpy as np

from mtlx.trainer.distribution.share import Share
from mtlx.trainer.warm_start.embedding_rows import Vocabularies, embedding_rows
from mtlx.trainer.warm_start.row_map import NEW, RowMap, places
from mtlx.transform.analysis.model_inputs_builder import model_inputs
from mtlx.transform.contract.data_contract import DataContract


def test_places_of_values():
    found = places([b"c", b"new", b"a"], [b"a", b"b", b"c"])
    assert found.tolist() == [2, NEW, 0] and found.dtype == np.int64
    assert places(["b"], ["a", "b"]).tolist() == [1]
    assert places([b"\xff\x00"], [b"\xff\x00"]).tolist() == [0]  # values need not be text
    assert places([], [b"a"]).tolist() == []


def test_rows_go_with_their_values_and_new_ones_start_as_they_are():
    rows = RowMap.of_names(["c", "new", "a"], ["a", "b", "c"])
    old, new = np.array([[1.0], [2.0], [6.0]]), np.array([[-1.0], [-2.0], [-3.0]])
    assert rows.place(old, new).tolist() == [[6.0], [-2.0], [1.0]]
    assert rows.place(old, new, mean=True).tolist() == [[6.0], [3.0], [1.0]]
    assert new.tolist() == [[-1.0], [-2.0], [-3.0]]


def test_a_share_of_the_rows_is_placed_as_in_the_whole():
    rows = RowMap.of_names(["c", "new", "a", "newer", "b"], ["a", "b", "c"])
    old, new = np.array([[1.0], [2.0], [6.0]]), -np.arange(5.0)[:, None]
    for mean in (False, True):
        whole = rows.place(old, new, mean)
        for index in range(2):
            share = Share(index, 2)
            own = rows.of_share(share).place(old, new[index::2], mean)
            assert own.tolist() == whole[index::2].tolist()


def test_numbers_stay_with_their_values_and_are_given_once():
    rows = RowMap.of_names(["c", "new", "a", "newer"], ["a", "b", "c"])
    numbers = rows.place_numbers(np.array([3, 9, 5]))
    assert numbers.tolist() == [5, 10, 3, 11]


CONTRACT = DataContract.read(
    {
        "features": {
            "item": {"kind": "categorical"},
            "city": {"kind": "categorical", "hash_buckets": 2},
            "user": {"kind": "categorical"},
        },
        "tasks": {"click": {"label": "click"}},
    }
)


def test_the_joint_table_of_several_fields():
    before = {"item": [b"a", b"b"], "user": [b"a"]}
    today = {"item": [b"b", b"x", b"a"], "user": [b"y", b"a"]}
    inputs = [model_inputs(CONTRACT, lambda name, of=of: len(of[name])) for of in (today, before)]
    vocabularies = Vocabularies(CONTRACT, today.__getitem__, before.__getitem__)
    rows = embedding_rows(*inputs, vocabularies)
    # Three ids of no value, then the values; item has 5 rows before, city 5, user 4.
    expected = [0, 1, 2, 4, NEW, 3] + [5, 6, 7, 8, 9] + [10, 11, 12, NEW, 13]
    assert rows.rows.tolist() == expected
    assert vocabularies.describe() == [
        "Values of item: 2 taken over, 1 new, 0 dropped out.",
        "Values of user: 1 taken over, 1 new, 0 dropped out.",
    ]
    old, new = np.arange(14.0)[:, None], np.full((16, 1), -1.0)
    placed = rows.place(old, new, mean=True)[:, 0]
    assert placed[4] == 3.5 and placed[14] == 13.0  # of the field's values, no other's


def test_a_field_without_values_before_has_no_mean():
    rows = RowMap(np.array([0, NEW]), np.array([0, 0]), np.array([-1]))
    assert rows.place(np.array([7.0]), np.array([-1.0, -2.0]), mean=True).tolist() == [7.0, -2.0]
