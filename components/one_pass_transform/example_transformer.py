"""Applies a transform graph to files of examples, whole batches at a time."""

import functools
import threading
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft

from mtlx.components.example_batches import serialized_batches
from mtlx.components.example_writer import ExampleWriter
from mtlx.components.one_pass_transform.row_use import RowUse
from mtlx.transform.analysis.transform_layer import transform_layer
from mtlx.transform.contract.counted_labels import (
    LEARNT_LABEL,
    UNKNOWN,
    UNKNOWN_LABEL,
    LeftOut,
)

#: Rows that are parsed, transformed and encoded together.
BATCH_ROWS = 8192

#: Files are transformed side by side; the first one's graph serves all.
_LOADING = threading.Lock()


def transform_file(
    paths: tuple[str, str],
    graph: str,
    unfinished: str,
    left_out: dict[str, dict[str, LeftOut]] | None = None,
    uses: dict[str, RowUse] | None = None,
) -> int:
    """Transforms one gzip TFRecord file into another, which appears only when it is whole.

    Args:
        paths: of the raw file and of the transformed one.
        graph: folder of the transform graph.
        unfinished: folder for files that are being written.
        left_out: by raw file and label column why its labels do not count, see
            `mtlx.transform.contract.counted_labels`; what is not named counts.
        uses: by raw file which of its rows are taken, and what they count for; all rows as they
            are where it is not named.

    Returns:
        The number of rows that were written.
    """
    source, target = paths
    marked = (left_out or {}).get(source, {})
    rows = 0
    with ExampleWriter(target, unfinished) as writer:
        for columns in _transformed(source, graph, (uses or {}).get(source)):
            batch = _record_batch({**columns, **_marked(columns, marked)})
            writer.write(batch)
            rows += batch.num_rows
    return rows


def _marked(
    columns: Mapping[str, np.ndarray], left_out: Mapping[str, LeftOut]
) -> dict[str, np.ndarray]:
    """The columns of labels that do not count."""
    return {name: _marked_column(columns[name], why) for name, why in left_out.items()}


def _marked_column(labels: np.ndarray, why: LeftOut) -> np.ndarray:
    if labels.dtype.kind == "f":
        # A number may be any; no other task asks what it is.
        return np.full_like(labels, np.nan)
    if why == UNKNOWN:
        return np.full_like(labels, UNKNOWN_LABEL)
    return labels + labels.dtype.type(LEARNT_LABEL)


def _transformed(source: str, graph: str, use: RowUse | None) -> Iterator[dict[str, np.ndarray]]:
    """Transformed columns, batch by batch."""
    with _LOADING:
        transform = _load(graph)
    draws = None if use is None else use.draws(source)
    for serialized in serialized_batches([source], BATCH_ROWS):
        factors: dict[str, np.ndarray] = {}
        if draws is not None:
            serialized, factors = draws.take(serialized)
        if draws is None or len(serialized):
            columns = {name: column.numpy() for name, column in transform(serialized).items()}
            yield {**columns, **{name: columns[name] * own for name, own in factors.items()}}


@functools.lru_cache(maxsize=1)
def _load(graph: str) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """What parses and transforms serialised examples; traced once per worker."""
    output = tft.TFTransformOutput(graph)
    transform, spec = transform_layer(output), output.raw_feature_spec()
    function = tf.function(
        lambda serialized: transform(tf.io.parse_example(serialized, spec)), autograph=False
    )
    return function.get_concrete_function(tf.TensorSpec([None], tf.string))


def _record_batch(columns: dict[str, np.ndarray]) -> pa.RecordBatch:
    """Dense columns ``(B,)`` or ``(B, L)`` as lists of 1 or L values."""
    names = sorted(columns)
    return pa.RecordBatch.from_arrays([_lists(columns[name]) for name in names], names)


def _lists(values: np.ndarray) -> pa.ListArray:
    length = values.shape[1] if values.ndim > 1 else 1
    offsets = np.arange(len(values) + 1, dtype=np.int32) * length
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.reshape(-1)))
