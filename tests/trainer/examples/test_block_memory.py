"""Estimates beside what parsing really gives, and what is kept of it."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.block_memory import BlockMemory, choose_cache, estimate_block_memory

SPEC = {
    "item": tf.io.FixedLenFeature([], tf.int64),
    "price": tf.io.FixedLenFeature([], tf.float32),
    "clicks": tf.io.FixedLenFeature([5], tf.int64),
}
#: Bytes of a parsed row.
ROW = 8 + 4 + 5 * 8
GIB = 1 << 30


def _write(folder, rows, shards):
    random = np.random.default_rng(rows)
    for shard in range(shards):
        with tf.io.TFRecordWriter(str(folder / f"part-{shard}.gz"), "GZIP") as writer:
            for _ in range(rows // shards):
                example = tf.train.Example()
                feature = example.features.feature
                feature["item"].int64_list.value.append(int(random.zipf(1.3)) % 10_000)
                feature["price"].float_list.value.append(float(random.normal()))
                feature["clicks"].int64_list.value.extend(map(int, random.integers(0, 1000, 5)))
                writer.write(example.SerializeToString())


@pytest.mark.parametrize(("rows", "shards", "tolerance"), [(300, 3, 0.0), (30_000, 4, 0.03)])
def test_rows_and_bytes_are_estimated_from_the_first_rows_and_the_files(
    tmp_path, rows, shards, tolerance
):
    """Of fewer rows than are sampled, the numbers are exact."""
    _write(tmp_path, rows, shards)
    found = estimate_block_memory([str(tmp_path / "part-*")], SPEC, 100)
    assert found.rows == pytest.approx(rows, rel=tolerance)
    assert found.row_bytes == ROW
    assert found.kept_bytes == pytest.approx(rows * ROW, rel=tolerance)
    assert found.moving_bytes(kept=True) <= found.moving_bytes(kept=False) <= found.kept_bytes


def test_no_file_and_no_row_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no examples match"):
        estimate_block_memory([str(tmp_path / "part-*")], SPEC, 100)
    with tf.io.TFRecordWriter(str(tmp_path / "part-0.gz"), "GZIP"):
        pass
    with pytest.raises(ValueError, match="hold no example"):
        estimate_block_memory([str(tmp_path / "part-*")], SPEC, 100)


def test_what_fits_is_kept_the_smaller_split_first():
    needed = {
        "train": BlockMemory(rows=10_000_000, row_bytes=1000, block_rows=1000),
        "validation": BlockMemory(rows=1_000_000, row_bytes=1000, block_rows=1000),
    }

    def kept(available):
        choice = choose_cache(needed, available)
        assert set(choice.notes) == {split for split, kept in choice.kept.items() if not kept}
        return [split for split, kept in choice.kept.items() if kept]

    assert kept(None) == kept(20 * GIB) == ["train", "validation"]
    assert kept(12 * GIB) == ["validation"], "each would fit alone, both would not"
    assert kept(GIB) == []
    note = choose_cache(needed, 4 * GIB).notes["train"]
    assert note == (
        "The 10,000,000 rows of split train would take about 9,536.7 MiB of memory, of which "
        "4,096.0 MiB are free: they are read anew in every epoch, as with training.cache none."
    )


def test_blocks_too_large_to_be_shuffled_are_said():
    needed = {"train": BlockMemory(rows=10_000_000, row_bytes=1000, block_rows=1_000_000)}
    assert (
        choose_cache(needed, GIB)
        .notes["train"]
        .endswith("may not fit: lower training.shuffle_rows (1,000,000).")
    )
