"""Counts slices before any model is asked: too many are refused at once."""

import numpy as np
import tensorflow as tf

from mtlx.components.example_batches import read_batches
from mtlx.components.slice_evaluation.slices import SliceCross, SliceKey, slice_columns
from mtlx.components.slice_evaluation.statistics.slice_totals import TooManySlicesError

#: Rows that are counted at most. What shows only behind them is refused by the evaluation itself.
COUNTED_ROWS = 500_000


def check_slice_count(
    files: list[str], crosses: list[SliceCross], maximum: int, batch_size: int
) -> None:
    """Refuses crosses with more slices than memory is meant for.

    Args:
        files: of the evaluated split.
        crosses: the configured ones.
        maximum: slices in all, `EvaluationSettings.maximum_slices`.
        batch_size: rows that are read at once.

    Raises:
        TooManySlicesError: names each cross with its slices, the largest first.
    """
    if not crosses:
        return
    columns = {feature: tf.string.name for cross in crosses for feature in cross.features}
    seen: list[set[SliceKey]] = [set() for _ in crosses]
    rows = 0
    for batch in read_batches(files, columns, batch_size):
        # The overall slice comes first, and counts as one.
        for found, column in zip(seen, slice_columns(batch, crosses)[1:], strict=True):
            found.update(column.keys)
        rows += batch.num_rows
        if rows >= COUNTED_ROWS:
            break
    if 1 + sum(map(len, seen)) > maximum:
        raise TooManySlicesError(_message(crosses, [len(found) for found in seen], rows, maximum))


def _message(crosses: list[SliceCross], sizes: list[int], rows: int, maximum: int) -> str:
    order = np.argsort(sizes)[::-1]
    counts = ", ".join(f"[{', '.join(crosses[i].keys)}] has {sizes[i]:,}" for i in order[:3])
    largest = f"[{', '.join(crosses[order[0]].keys)}]"
    return (
        f"evaluation.slices: more than {maximum} slices in the first {rows:,} rows of the split: "
        f"{counts}. Take {largest} out of evaluation.slices (a feature with a value per user is "
        "an evaluation.user_key), or raise evaluation.maximum_slices"
    )
