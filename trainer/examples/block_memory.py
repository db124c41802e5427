"""How much memory the parsed examples of a split take, and whether they can be kept in it."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from mtlx.trainer.examples.input import PARALLEL_CALLS, READ_BLOCKS_SHUFFLED, example_files

#: Rows that are parsed and compressed to estimate those of all files by.
_SAMPLE_ROWS = 8192
#: Share of the available memory that kept blocks may take: the rest is for the model, for its
#: optimiser, for validation and for what the estimate does not see.
_SHARE = 0.8
_MIB = 1 << 20


@dataclass(frozen=True)
class BlockMemory:
    """An estimate.

    Attributes:
        rows: of the split; exact where it has fewer than are sampled.
        row_bytes: of one row, parsed.
        block_rows: rows of a block.
    """

    rows: int
    row_bytes: float
    block_rows: int

    @property
    def kept_bytes(self) -> int:
        """Of all rows."""
        return round(self.rows * self.row_bytes)

    def moving_bytes(self, kept: bool) -> int:
        """Of the blocks that are parsed, shuffled and cut into batches at one time."""
        blocks = PARALLEL_CALLS + 2 + (0 if kept else READ_BLOCKS_SHUFFLED)
        return round(min(self.rows, blocks * self.block_rows) * self.row_bytes)


@dataclass(frozen=True)
class CacheChoice:
    """Which splits are kept in memory.

    Attributes:
        kept: by split.
        notes: a sentence for each split that is not.
    """

    kept: dict[str, bool]
    notes: dict[str, str]


def estimate_block_memory(
    patterns: Sequence[str], feature_spec: dict[str, tf.io.FixedLenFeature], block_rows: int
) -> BlockMemory:
    """Estimates from the first rows and the size of the files.

    The first rows are parsed, and compressed as they are in the files: what they take there tells
    how many there are in all. No other row is read.

    Args:
        patterns: file patterns of gzip TFRecords.
        feature_spec: parsing spec of the examples.
        block_rows: rows of a block.

    Raises:
        FileNotFoundError: no file matches.
        ValueError: the files hold no example.
    """
    files = example_files(patterns)
    records = tf.data.TFRecordDataset(files, compression_type="GZIP")
    sample = next(iter(records.batch(_SAMPLE_ROWS)), None)
    if sample is None:
        raise ValueError(
            f"{', '.join(patterns)} hold no example: give the split more rows (data.split)"
        )
    rows = int(sample.shape[0])
    parsed = tf.io.parse_example(sample, feature_spec)
    row_bytes = sum(_bytes(values) for values in parsed.values()) / rows
    if rows == _SAMPLE_ROWS:
        size = sum(tf.io.gfile.stat(file).length for file in files)
        rows = max(rows, round(rows * size / _compressed_size(sample)))
    return BlockMemory(rows, row_bytes, block_rows)


def choose_cache(needed: Mapping[str, BlockMemory], available: int | None) -> CacheChoice:
    """Keeps what fits, the smaller splits first.

    Args:
        needed: by split.
        available: bytes that this process may still take; None where nobody knows, then all are
            kept.
    """
    kept = dict.fromkeys(needed, True)
    notes: dict[str, str] = {}
    if available is None:
        return CacheChoice(kept, notes)
    taken = max(memory.moving_bytes(kept=True) for memory in needed.values())
    for split, memory in sorted(needed.items(), key=lambda item: item[1].kept_bytes):
        if taken + memory.kept_bytes <= _SHARE * available:
            taken += memory.kept_bytes
            continue
        kept[split] = False
        notes[split] = (
            f"The {memory.rows:,} rows of split {split} would take about "
            f"{memory.kept_bytes / _MIB:,.1f} MiB of memory, of which {available / _MIB:,.1f} MiB "
            "are free: they are read anew in every epoch, as with training.cache none."
        )
        if memory.moving_bytes(kept=False) > _SHARE * available:
            notes[split] += (
                " Even the blocks that are shuffled at one time may not fit: lower "
                f"training.shuffle_rows ({memory.block_rows:,})."
            )
    return CacheChoice(kept, notes)


def _bytes(values: tf.Tensor) -> int:
    if values.dtype == tf.string:
        # Longer texts lie outside of the tensor's own 24 bytes.
        return 24 * int(tf.size(values)) + int(tf.reduce_sum(tf.strings.length(values)))
    return int(tf.size(values)) * values.dtype.size


def _compressed_size(records: tf.Tensor) -> int:
    """What serialized examples take in a file like those that they come from."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sample.gz")
        with tf.io.TFRecordWriter(path, "GZIP") as writer:
            for record in records.numpy():
                writer.write(record)
        return os.path.getsize(path)
