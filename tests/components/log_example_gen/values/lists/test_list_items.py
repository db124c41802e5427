"""Lists of every kind as their items, and where each row's begin."""

import pyarrow as pa
import pytest

from mtlx.components.log_example_gen.values.lists.list_items import flat_items, is_list

LISTS = [[1, 2], None, [], [3]]


@pytest.mark.parametrize("kind", [pa.list_(pa.int64()), pa.large_list(pa.int64())])
def test_lists_are_taken_apart_and_a_null_is_an_empty_one(kind):
    items, offsets = flat_items(pa.array(LISTS, kind))
    assert items.to_pylist() == [1, 2, 3] and offsets.tolist() == [0, 2, 2, 2, 3]


def test_a_part_of_a_column_has_its_own_items_only():
    items, offsets = flat_items(pa.array([[9], [1, 2], None, [3]]).slice(1))
    assert items.to_pylist() == [1, 2, 3] and offsets.tolist() == [0, 2, 2, 3]


def test_a_null_that_arrow_keeps_items_behind_has_none():
    """Arrow may hold items behind a null; they are no row's."""
    values = pa.ListArray.from_arrays(
        pa.array([0, 2, 4, 5], pa.int32()),
        pa.array([1, 2, 8, 8, 3]),
        mask=pa.array([False, True, False]),
    )
    items, offsets = flat_items(values)
    assert items.to_pylist() == [1, 2, 3] and offsets.tolist() == [0, 2, 2, 3]


def test_lists_of_a_fixed_size():
    items, offsets = flat_items(pa.array([[1, 2], [3, 4]], pa.list_(pa.int64(), 2)))
    assert items.to_pylist() == [1, 2, 3, 4] and offsets.tolist() == [0, 2, 4]


def test_which_types_are_lists():
    assert is_list(pa.list_(pa.string())) and is_list(pa.list_(pa.int8(), 3))
    assert not is_list(pa.string()) and not is_list(pa.struct([("a", pa.int8())]))
