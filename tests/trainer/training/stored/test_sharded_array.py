"""Shards on disk are one array, for one process and for any other number of workers."""

import keras
import numpy as np
import pytest

from mtlx.trainer.distribution.share import Share
from mtlx.trainer.training.stored import stored_array
from mtlx.trainer.training.stored.archive import write_archive
from mtlx.trainer.training.stored.sharded_array import (
    ShardedArray,
    give,
    give_share,
    in_shards,
    stored_of,
)
from mtlx.trainer.training.stored.stored_array import StoredArray

ROWS = 23


def _stored(folder, values, seed):
    """An array on disk: a base, and a later change of some rows, which `values` already has."""
    folder.mkdir()
    rows = np.random.default_rng(seed).permutation(len(values))[:5]
    before = values.copy()
    before[rows] = -1.0
    (folder / "base").write_bytes(before.tobytes())
    write_archive(str(folder / "changes.npz"), {"rows": rows, "table": values[rows]})
    return StoredArray(
        str(folder), "base", ("changes.npz",), "rows", "table", values.shape, "float32"
    )


@pytest.fixture
def whole():
    return np.random.default_rng(0).normal(size=(ROWS, 2)).astype("float32")


@pytest.fixture
def sharded(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(stored_array, "BLOCK_BYTES", 8 * 3)
    parts = [_stored(tmp_path / f"shard_{index}", whole[index::3], index) for index in range(3)]
    return ShardedArray(str(tmp_path), tuple(parts))


def _zeros(rows):
    return keras.Variable(np.zeros((rows, 2), "float32"))


def test_is_the_whole_behind_its_record(sharded, whole, tmp_path):
    found = stored_of(str(tmp_path), sharded.record())
    assert found == sharded and found.shape == whole.shape
    np.testing.assert_array_equal(np.asarray(found), whole)
    variable = _zeros(ROWS)
    give(variable, found)
    np.testing.assert_array_equal(variable, whole)
    (tmp_path / "shard_1" / "changes.npz").unlink()
    with pytest.raises(ValueError, match="shard_1/changes.npz is gone"):
        stored_of(str(tmp_path), sharded.record())


@pytest.mark.parametrize("count", [2, 3, 4])
def test_is_given_to_any_number_of_workers(sharded, whole, tmp_path, count):
    """Also what one process has written, in a file or by itself."""
    by_one = in_shards(_stored(tmp_path / "one", whole, 9))
    for value in (sharded, by_one, by_one.parts[0], whole):
        for index in range(count):
            variable = _zeros(len(whole[index::count]))
            give_share(variable, value, Share(index, count))
            np.testing.assert_array_equal(variable, whole[index::count])
