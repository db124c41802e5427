"""Training input: transformed examples as batches, parsed in blocks, shuffled reproducibly."""

import copy
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

#: Blocks whose order is shuffled together where they are kept in memory anyway.
_CACHED_BLOCKS_SHUFFLED = 1024
#: The same where they are not: so many blocks are held while they are shuffled.
READ_BLOCKS_SHUFFLED = 8

#: Blocks that are parsed, or shuffled, at one time.
PARALLEL_CALLS = os.cpu_count() or 1
#: Batches that are ready before the training asks for them.
_PREFETCHED = 4

#: Transformed columns ``(B, ...)`` by name.
Rows = Mapping[str, tf.Tensor]


def _options() -> tf.data.Options:
    """Without autotuning, whose thread may hold up the end of an epoch for seconds, and without a
    look for a better graph, which finds none here and is taken anew in every epoch.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return options


def example_files(patterns: Sequence[str]) -> list[str]:
    """All files of a split, in the order in which they are read.

    Raises:
        FileNotFoundError: no file matches.
    """
    files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
    if not files:
        raise FileNotFoundError(f"no examples match {', '.join(patterns)}")
    return files


@dataclass(frozen=True)
class _Part:
    """Which rows of a split a set holds: those that were held out, or the others.

    Attributes:
        share: of the rows of every block that is held out.
        seed: of the draw.
        held_out: which of the two.
    """

    share: float
    seed: int
    held_out: bool

    def rows(self, index: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """Which of so many rows of the block of that number are this part's, ``(rows,)`` bool.

        The number that is held out is the share of the rows, rounded up or down at random, so
        that blocks of few rows lose neither none nor all.
        """
        seed = tf.stack([tf.constant(self.seed, tf.int64), index])
        chance = tf.random.stateless_uniform((), seed, dtype=tf.float64)
        held_out = tf.floor(self.share * tf.cast(rows, tf.float64) + chance)
        order = tf.random.experimental.stateless_shuffle(tf.range(rows), seed)
        return (order < tf.cast(held_out, tf.int32)) == self.held_out


class ExampleSet:
    """The transformed examples of one split.

    Parsing costs more than a training step of a small model, and costs less per row in large
    blocks. So rows are parsed in blocks, the blocks are kept in memory where the settings say
    so, and every epoch shuffles the order of the blocks and the rows within each. The order
    follows from the seed, the epoch's number and TensorFlow's global seed, which tf.data mixes into
    every shuffle: where a training sets it, a resumed one sees the same batches as an
    uninterrupted one. Blocks that are not kept come in the order of kept ones as long as there
    are at most eight; of more, they are shuffled within a moving window of eight.

    Args:
        patterns: file patterns of gzip TFRecords.
        feature_spec: parsing spec of the transformed examples.
        block_rows: rows that are parsed and shuffled together.
        in_memory: keep parsed blocks after the first pass.
        as_served: makes of parsed rows what a served model would be given of them; None for the
            rows as they are. It is asked once for what is kept in memory.

    Raises:
        FileNotFoundError: no file matches.
        ValueError: the files hold no example.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        feature_spec: dict[str, tf.io.FixedLenFeature],
        block_rows: int,
        in_memory: bool,
        as_served: Callable[[Rows], Rows] | None = None,
    ) -> None:
        files = example_files(patterns)
        self._block_rows = block_rows
        records = tf.data.TFRecordDataset(files, compression_type="GZIP")
        if not any(True for _ in records.take(1)):
            raise ValueError(
                f"{', '.join(patterns)} hold no example: give the split more rows (data.split)"
            )
        self._spec, self._as_served = feature_spec, as_served
        blocks = records.batch(block_rows, num_parallel_calls=PARALLEL_CALLS)
        blocks = blocks.map(self._parse, num_parallel_calls=PARALLEL_CALLS, deterministic=True)
        self._blocks = blocks.cache() if in_memory else blocks
        self._records, self._in_memory = records, in_memory
        self._blocks_shuffled = _CACHED_BLOCKS_SHUFFLED if in_memory else READ_BLOCKS_SHUFFLED
        self._part: _Part | None = None
        self._ordered: dict[int, tf.data.Dataset] = {}
        # Traced once, not in every epoch.
        self._shuffle_rows = tf.function(self._shuffled_rows, autograph=False)

    def hold_out(self, share: float, seed: int) -> tuple["ExampleSet", "ExampleSet"]:
        """Divides the rows in two: those that are left, and a share that is held out.

        Which rows these are follows from the seed and from the rows' places in the files, and is
        the same in every epoch and after an interruption. Both parts read the same blocks: kept
        ones are kept once, others are read by each part anew.

        Args:
            share: of the rows, between 0 and 1.
            seed: of the draw.
        """
        parts = copy.copy(self), copy.copy(self)
        for part, held_out in zip(parts, (False, True), strict=True):
            part.__dict__.pop("rows", None)  # the whole split's, where it was counted
            part._part = _Part(share, seed, held_out)
            part._ordered = {}
            part._shuffle_rows = tf.function(part._shuffled_rows, autograph=False)
        return parts

    @tf.autograph.experimental.do_not_convert
    def _parse(self, serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        rows: dict[str, tf.Tensor] = tf.io.parse_example(serialized, self._spec)
        return rows if self._as_served is None else dict(self._as_served(rows))

    @property
    def is_empty(self) -> bool:
        """Whether it holds no row, which only a part of a tiny split may do."""
        return not any(True for _ in self.in_order(1).take(1))

    @property
    def first_row(self) -> dict[str, tf.Tensor]:
        """The first row in file order, ``(1, ...)``; of a whole split no other one is parsed."""
        if self._part is not None:
            return next(iter(self.in_order(1)))
        return self._parse(next(iter(self._records.batch(1))))

    @functools.cached_property
    def rows(self) -> int:
        """Their number. The files are read once for it; what is kept in memory stays there."""
        if self._part is not None:
            batches = self.in_order(8192)
            return sum(int(tf.shape(next(iter(batch.values())))[0]) for batch in batches)
        if self._in_memory:
            return sum(int(tf.shape(next(iter(one.values())))[0]) for one in self._blocks)
        return int(self._records.reduce(np.int64(0), lambda count, _: count + 1))

    def epoch(self, batch_size: int, seed: int, epoch: int, skip: int = 0) -> tf.data.Dataset:
        """Shuffled batches of one epoch.

        Args:
            batch_size: rows per batch; the last one may be smaller.
            seed: of the training.
            epoch: its number.
            skip: batches to leave out at the start, by a training that is resumed.

        Returns:
            Dicts of tensors ``(batch_size, ...)`` by feature name.
        """
        blocks = self._blocks.enumerate().shuffle(
            self._blocks_shuffled,
            seed=hash((seed, epoch)) % (1 << 31),
            reshuffle_each_iteration=False,
        )
        first = tf.constant([seed, epoch * (1 << 20)], tf.int64)

        @tf.autograph.experimental.do_not_convert
        def shuffle_rows(index: tf.Tensor, block: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            rows: dict[str, tf.Tensor] = self._shuffle_rows(first, index, block)
            return rows

        shuffled = blocks.map(shuffle_rows, num_parallel_calls=PARALLEL_CALLS, deterministic=True)
        return (
            shuffled.rebatch(batch_size).skip(skip).prefetch(_PREFETCHED).with_options(_options())
        )

    def _shuffled_rows(
        self, first: tf.Tensor, index: tf.Tensor, block: dict[str, tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """The part's rows of a block in the order of an epoch, by the seed of its first block."""
        rows = tf.shape(next(iter(block.values())))[0]
        seed = first + tf.stack([tf.constant(0, tf.int64), index])
        order = tf.random.experimental.stateless_shuffle(tf.range(rows), seed)
        if self._part is not None:
            order = tf.boolean_mask(order, tf.gather(self._part.rows(index, rows), order))
        return {name: tf.gather(values, order) for name, values in block.items()}

    def in_order(self, batch_size: int) -> tf.data.Dataset:
        """All rows in file order, in batches."""
        if batch_size not in self._ordered:
            self._ordered[batch_size] = self._in_order(batch_size)
        return self._ordered[batch_size]

    def _in_order(self, batch_size: int) -> tf.data.Dataset:
        blocks = self._blocks
        if self._part is not None:
            blocks = blocks.enumerate().map(
                self._own_rows, num_parallel_calls=PARALLEL_CALLS, deterministic=True
            )
        return blocks.rebatch(batch_size).prefetch(_PREFETCHED).with_options(_options())

    @tf.autograph.experimental.do_not_convert
    def _own_rows(self, index: tf.Tensor, block: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The part's rows of a block, or all."""
        if self._part is None:
            return block
        own = self._part.rows(index, tf.shape(next(iter(block.values())))[0])
        return {name: tf.boolean_mask(values, own) for name, values in block.items()}
