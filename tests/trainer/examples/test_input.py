"""Training input: every row once per epoch, in an order that the seeds and the epoch decide."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.input import ExampleSet

ROWS = 103
SPEC = {
    "row": tf.io.FixedLenFeature([], tf.int64),
    "clicks": tf.io.FixedLenFeature([2], tf.int64),
}


@pytest.fixture
def files(tmp_path):
    """Three files with the rows 0..102 one after the other."""
    for shard, rows in enumerate(np.array_split(np.arange(ROWS), 3)):
        path = tmp_path / f"part-{shard:05d}.gz"
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for row in rows:
                features = {
                    name: tf.train.Feature(int64_list=tf.train.Int64List(value=values))
                    for name, values in (("row", [row]), ("clicks", [row, -row]))
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
    return tmp_path


def _examples(files, block_rows=16, in_memory=True):
    return ExampleSet([str(files / "part-*")], SPEC, block_rows, in_memory)


def _batches(dataset):
    return [batch["row"].numpy().tolist() for batch in dataset]


def _rows(dataset):
    return [row for batch in _batches(dataset) for row in batch]


@pytest.mark.parametrize("in_memory", [True, False])
def test_an_epoch_has_every_row_once_in_full_batches(files, in_memory):
    dataset = _examples(files, in_memory=in_memory).epoch(10, seed=1, epoch=1)
    batches = _batches(dataset)
    assert [len(batch) for batch in batches] == [10] * 10 + [3]
    assert sorted(row for batch in batches for row in batch) == list(range(ROWS))
    for batch in dataset:
        np.testing.assert_array_equal(batch["clicks"][:, 0], batch["row"])
        np.testing.assert_array_equal(batch["clicks"][:, 1], -batch["row"])


def test_order_depends_on_seed_and_epoch_only(files):
    examples = _examples(files)
    first = _rows(examples.epoch(10, seed=1, epoch=1))
    assert _rows(examples.epoch(10, seed=1, epoch=1)) == first
    assert _rows(_examples(files).epoch(10, seed=1, epoch=1)) == first
    assert _rows(examples.epoch(7, seed=1, epoch=1)) == first
    assert _rows(examples.epoch(10, seed=1, epoch=2)) != first
    assert _rows(examples.epoch(10, seed=2, epoch=1)) != first


@pytest.mark.parametrize("block_rows", [13, 16, 1000])
def test_batches_are_the_same_in_memory_and_read_anew(files, block_rows):
    """As long as all blocks fit into the window that is shuffled where they are read."""
    kept, read = (_examples(files, block_rows, in_memory) for in_memory in (True, False))
    for epoch in (1, 2):
        assert _batches(kept.epoch(10, seed=1, epoch=epoch)) == _batches(
            read.epoch(10, seed=1, epoch=epoch)
        )


def test_resumed_epoch_of_more_blocks_than_are_shuffled_together(files):
    whole = _batches(_examples(files, 4, in_memory=False).epoch(10, seed=1, epoch=1))
    resumed = _examples(files, 4, in_memory=False).epoch(10, seed=1, epoch=1, skip=4)
    assert sorted(row for batch in whole for row in batch) == list(range(ROWS))
    assert _batches(resumed) == whole[4:]


def test_shuffles_blocks_and_the_rows_within_each(files):
    rows = np.array(_rows(_examples(files).epoch(10, seed=1, epoch=1)))
    blocks = [block // 16 for block in rows]
    # Six blocks of 16 rows and one of 7, each whole.
    changes = np.flatnonzero(np.diff(blocks))
    assert len(changes) == 6
    assert list(dict.fromkeys(blocks)) != list(range(7))
    within = rows[np.array(blocks) == 2]
    assert list(within) != sorted(within)


def test_resumed_epoch_goes_on_behind_the_batches_seen(files):
    examples = _examples(files)
    whole = _batches(examples.epoch(10, seed=3, epoch=2))
    assert _batches(examples.epoch(10, seed=3, epoch=2, skip=4)) == whole[4:]
    assert _batches(examples.epoch(10, seed=3, epoch=2, skip=len(whole))) == []


def test_later_epochs_read_no_file(files):
    examples = _examples(files, in_memory=True)
    first = _rows(examples.epoch(10, seed=1, epoch=1))
    for path in files.glob("part-*"):
        path.unlink()
    assert sorted(_rows(examples.epoch(10, seed=1, epoch=2))) == sorted(first)
    assert _rows(examples.in_order(50)) == list(range(ROWS))


def test_rows_in_order(files):
    assert _rows(_examples(files, block_rows=1000).in_order(20)) == list(range(ROWS))


def test_the_first_row_alone(files, monkeypatch):
    examples = _examples(files)
    left, held_out = examples.hold_out(0.5, seed=1)
    for part in (examples, left, held_out):
        first = next(iter(part.in_order(1)))
        assert {name: x.numpy().tolist() for name, x in part.first_row.items()} == {
            name: x.numpy().tolist() for name, x in first.items()
        }
    monkeypatch.setattr(ExampleSet, "in_order", None)  # which parses a whole block
    assert examples.first_row["row"].numpy().tolist() == [0]


def test_no_file_and_no_row_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no examples match .*nothing"):
        ExampleSet([str(tmp_path / "nothing-*")], SPEC, 16, True)
    with tf.io.TFRecordWriter(str(tmp_path / "empty.gz"), "GZIP"):
        pass
    with pytest.raises(ValueError, match="hold no example"):
        ExampleSet([str(tmp_path / "empty.gz")], SPEC, 16, True)


@pytest.mark.parametrize(("block_rows", "in_memory"), [(16, True), (16, False), (2, True)])
def test_held_out_rows_are_the_same_in_every_epoch_and_in_no_other_part(
    files, block_rows, in_memory
):
    left, held_out = _examples(files, block_rows, in_memory).hold_out(0.2, seed=1)
    own = _rows(held_out.in_order(10))
    # Of 103 rows a fifth, but for the rounding of each block.
    assert 10 <= len(own) <= 31
    assert sorted(own + _rows(left.in_order(10))) == list(range(ROWS))
    for epoch in (1, 2):
        batches = _batches(left.epoch(10, seed=1, epoch=epoch))
        assert {len(batch) for batch in batches[:-1]} == {10}
        assert sorted(row for batch in batches for row in batch) == sorted(_rows(left.in_order(7)))
        assert sorted(_rows(held_out.epoch(10, seed=2, epoch=epoch))) == sorted(own)
    again = _examples(files, block_rows, in_memory).hold_out(0.2, seed=1)[1]
    assert _rows(again.in_order(10)) == own
    other = _examples(files, block_rows, in_memory).hold_out(0.2, seed=2)[1]
    assert _rows(other.in_order(10)) != own


def test_a_part_of_a_tiny_split_may_be_empty(files):
    left, held_out = _examples(files, block_rows=200).hold_out(1e-4, seed=1)
    assert held_out.is_empty and not left.is_empty
    assert sorted(_rows(left.epoch(10, seed=1, epoch=1))) == list(range(ROWS))


def test_no_epoch_but_the_first_traces_how_rows_are_shuffled(files, monkeypatch):
    examples = _examples(files)
    first = _rows(examples.epoch(10, 1, 1))

    def traced(*_):
        raise AssertionError("traced once more")

    monkeypatch.setattr(ExampleSet, "_shuffled_rows", traced)
    monkeypatch.setattr(examples, "_shuffled_rows", traced, raising=False)
    assert _rows(examples.epoch(10, 1, 2)) != first
    assert _rows(examples.epoch(10, 1, 1)) == first
