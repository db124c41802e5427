"""A worker's rows of a table that is drawn at random, without the table."""

from collections.abc import Iterator

import keras
import tensorflow as tf

from mtlx.trainer.distribution.share import Share

#: Of the table, what is drawn at a time.
BLOCK_BYTES = 2**25
#: Numbers that one step of the generator's counter gives.
_PER_STEP = 4


def drawn_rows(
    initializer: keras.initializers.RandomNormal, shape: tuple[int, int], share: Share
) -> Iterator[tuple[int, tf.Tensor]]:
    """The rows of a share, as the initialiser draws them with the whole table.

    Keras draws a table by TensorFlow's counter-based generator (Philox; Salmon et al. 2011), of
    which the n-th four numbers follow from key and counter + n alone. So a block of rows is
    drawn by itself, and the rows of others are dropped.

    Args:
        initializer: as yet uncalled or not: it draws the same every time.
        shape: ``(rows, k)`` of the table.
        share: whose rows.

    Yields:
        Number of the first one among the share's rows, and rows ``(n, k)`` float32 behind each
        other.
    """
    rows, size = shape
    seed = tf.constant([initializer.seed, 0], tf.int32)
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
    algorithm = tf.raw_ops.StatelessRandomGetAlg()
    # A multiple of the counter's step, and of the share's.
    block = max(1, BLOCK_BYTES // (4 * size * _PER_STEP * share.count)) * _PER_STEP * share.count
    for start in range(0, rows, block):
        skipped = tf.constant([start * size // _PER_STEP, 0], tf.uint64)
        drawn = tf.raw_ops.StatelessRandomNormalV2(
            shape=(min(block, rows - start), size),
            key=key,
            counter=counter + skipped,
            alg=algorithm,
        )
        own = drawn[share.index :: share.count] * initializer.stddev + initializer.mean
        yield start // share.count, own
