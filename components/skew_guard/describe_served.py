"""Serving logs as a Beam combine: TFDV's statistics, counts of values, and one draw of rows."""

import json
import os
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.statistics_gen import executor as stock

from mtlx.components.batch_statistics_gen.count_columns import CountColumns
from mtlx.components.batch_statistics_gen.describe_columns import DescribeColumns
from mtlx.components.skew_guard.served_rows import PRIORITY, ServedCounts, ServedRows, lowest
from mtlx.transform.contract.data_contract import DataContract

_COUNTS, _DRAW = "counts.json", "draw.parquet"


class DescribeServed(beam.CombineFn):
    """`ServedRows` → statistics, `SplitCounts`, draw and account, as StatisticsGen makes them.

    Args:
        contract: of the features that the serving logs hold; without tasks.
        sample_rows: rows of the draw at most.
    """

    def __init__(self, contract: DataContract, sample_rows: int):
        self._parts: tuple[beam.CombineFn, ...] = (DescribeColumns(), CountColumns(contract))
        self._sample_rows = sample_rows

    def setup(self, *unused: object) -> None:
        """See `beam.CombineFn`."""
        for part in self._parts:
            part.setup()

    def create_accumulator(self) -> list[Any]:
        """Of the parts, the draw and the account."""
        return [*(part.create_accumulator() for part in self._parts), None, ServedCounts()]

    def add_input(self, accumulator: list[Any], rows: ServedRows) -> list[Any]:
        """Takes one batch."""
        *parts, draw, counts = accumulator
        if rows.batch is not None and rows.batch.num_rows:
            pairs = zip(self._parts, parts, strict=True)
            parts = [part.add_input(found, rows.batch) for part, found in pairs]
        counts.add(rows.counts)
        return [*parts, self._drawn([draw, rows.draw]), counts]

    def merge_accumulators(self, accumulators: Iterable[list[Any]]) -> list[Any]:
        """See `beam.CombineFn`."""
        *parts, draws, counts = zip(*accumulators, strict=True)
        pairs = zip(self._parts, parts, strict=True)
        total = ServedCounts()
        for one in counts:
            total.add(one)
        merged = [part.merge_accumulators(found) for part, found in pairs]
        return [*merged, self._drawn(list(draws)), total]

    def compact(self, accumulator: list[Any]) -> list[Any]:
        """See `beam.CombineFn`."""
        *parts, draw, counts = accumulator
        pairs = zip(self._parts, parts, strict=True)
        return [*(part.compact(found) for part, found in pairs), draw, counts]

    def extract_output(self, accumulator: list[Any]) -> tuple[Any, ...]:
        """All of them; no statistics where there are no rows."""
        *parts, draw, counts = accumulator
        if not counts.rows:
            return None, None, None, counts
        pairs = zip(self._parts, parts, strict=True)
        return *(part.extract_output(found) for part, found in pairs), draw, counts

    def _drawn(self, draws: list[pa.Table | None]) -> pa.Table | None:
        there = [draw for draw in draws if draw is not None]
        if len(there) < 2:
            return there[0] if there else None
        table = pa.concat_tables(there)
        kept = lowest(table[PRIORITY].to_numpy(), self._sample_rows)
        return table if len(kept) == table.num_rows else table.take(pa.array(kept))


def write_described(described: tuple[Any, ...], folder: str) -> None:
    """Writes what the combine gives into a folder, statistics as StatisticsGen does."""
    statistics, values, draw, counts = described
    tf.io.gfile.makedirs(folder)
    if statistics is not None:
        with tf.io.gfile.GFile(os.path.join(folder, stock.DEFAULT_FILE_NAME), "wb") as file:
            file.write(_bytes(statistics))
        values.save(folder)
        sink = pa.BufferOutputStream()
        pq.write_table(draw, sink)
        with tf.io.gfile.GFile(os.path.join(folder, _DRAW), "wb") as file:
            file.write(sink.getvalue().to_pybytes())
    with tf.io.gfile.GFile(os.path.join(folder, _COUNTS), "w") as file:
        file.write(json.dumps(vars(counts)))


def read_counts(folder: str) -> ServedCounts:
    """The account of the rows."""
    with tf.io.gfile.GFile(os.path.join(folder, _COUNTS)) as file:
        values = json.load(file)
    counts = ServedCounts(rows=values["rows"], quoted=values["quoted"], refused=values["refused"])
    for name in ("malformed", "missing", "not_numbers", "outside"):
        getattr(counts, name).update(values[name])
    return counts


def take_draw(folder: str) -> pa.Table:
    """The drawn rows in the order of their draw; the file, with values of users, is removed."""
    path = os.path.join(folder, _DRAW)
    with tf.io.gfile.GFile(path, "rb") as file:
        table = pq.read_table(pa.BufferReader(file.read()))
    tf.io.gfile.remove(path)
    return table.sort_by(PRIORITY)


def _bytes(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> bytes:
    return bytes(statistics.SerializeToString())
