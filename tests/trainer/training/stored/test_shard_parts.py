"""A checkpoint is joined of parts of its own number, or not at all."""

import threading

import numpy as np
import pytest

from mtlx.trainer.distribution.share import Share
from mtlx.trainer.training.stored.shard_parts import NotWritten, ShardParts
from mtlx.trainer.training.stored.stored_array import StoredArray


@pytest.fixture
def workers(tmp_path):
    """The chief and the other worker."""
    return [ShardParts(str(tmp_path), Share(index, 2)) for index in range(2)]


def _groups(parts, values):
    """A worker's groups, with its part of a table of ones that lie on disk as `values`."""
    base = f"base-{values}"
    with open(f"{parts.folder}/{base}", "wb") as file:
        file.write(np.full((3, 2), values, "float32").tobytes())
    own = StoredArray(parts.folder, base, (), "rows", "model/1", (3, 2), "float32")
    return {"model": [np.zeros(1), own], "best": [np.zeros(1), own]}


@pytest.fixture
def groups(workers, tmp_path):
    for parts in workers:
        (tmp_path / parts.folder).mkdir()
    return [_groups(parts, index) for index, parts in enumerate(workers)]


def test_the_chief_waits_for_the_part_of_the_same_number(workers, groups):
    (chief, other), (of_chief, of_other) = workers, groups
    assert chief.next() == other.next() == 1 and chief.next() == other.next() == 2
    other.note(1, of_other)
    found = []
    waiting = threading.Thread(target=lambda: found.append(chief.joined(2, of_chief)))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive() and not found
    other.note(2, _groups(other, 5))
    waiting.join(20)
    for group in ("model", "best"):
        dense, table = found[0][group]
        assert dense.shape == (1,)
        assert np.asarray(table)[:, 0].tolist() == [0, 5, 0, 5, 0, 5]


def test_who_gives_up_writes_nothing(workers, groups):
    (chief, _), (of_chief, _) = workers, groups
    chief.give_up()
    with pytest.raises(
        NotWritten, match=r"worker 1 has not written its part .*shard_1/part-1\.json"
    ):
        chief.joined(1, of_chief)


def test_notes_of_a_killed_process_are_not_taken_for_this_one_s(workers, groups, tmp_path):
    (chief, other), (of_chief, of_other) = workers, groups
    other.note(1, of_other)
    again = ShardParts(str(tmp_path), Share(1, 2))
    again.begin()
    chief.give_up()
    with pytest.raises(NotWritten):
        chief.joined(1, of_chief)
    assert (tmp_path / "shard_1" / "base-1").exists()
