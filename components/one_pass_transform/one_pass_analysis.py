"""The whole analysis in one pass: every vocabulary, all moments and quantiles, one Beam combine.

TFT's own analyzers are correct and slow on one machine: each adds a dozen Beam stages, a stage
costs a fifth of a second before it has seen a row. Here all of it is one combine over
accumulators that are vectorised.
"""

import functools
import os
from collections.abc import Iterable
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl import sketches

from mtlx.components.one_pass_transform.base_vocabularies import (
    EMPTY_VOCABULARY,
    base_vocabularies,
    grown_vocabulary,
)
from mtlx.components.one_pass_transform.batch_counts import Batch, read_counts
from mtlx.components.side_by_side import CombineSideBySide
from mtlx.transform.analysis.analysis import (
    BucketRequest,
    VocabularyRequest,
    numeric_requests,
    vector_requests,
    vocabulary_name,
    vocabulary_requests,
)
from mtlx.transform.analysis.finished_analysis import write_numbers
from mtlx.transform.analysis.tft_analysis import QUANTILE_ERROR
from mtlx.transform.columns.distinct_values import DistinctValues
from mtlx.transform.columns.vector_totals import VectorTotals
from mtlx.transform.contract.data_contract import DataContract

#: Distinct values that are counted before the counts are merged into one table.
_COMPACTION_ROWS = 1 << 20


class AnalyzeFiles(beam.PTransform):
    """Paths of TFRecord files with raw examples → a folder with the analysis.

    The folder, which is the one element of the result, is what
    `mtlx.transform.analysis.finished_analysis.FinishedAnalysis` reads: a file per vocabulary (one
    value per line, the most frequent first, ties by falling value, as TFT has them), and the
    scalars.

    Args:
        contract: the data contract.
        schema: of the raw examples.
        folder: where to write.
        base: folder of a base model, whose vocabularies are kept and grow; None for new ones.
    """

    def __init__(
        self,
        contract: DataContract,
        schema: schema_pb2.Schema,
        folder: str,
        base: str | None = None,
    ) -> None:
        super().__init__()
        self._contract, self._folder, self._base = contract, folder, base
        self._schema = schema.SerializeToString()

    def expand(self, files: beam.PCollection) -> beam.PCollection:
        """One combine over all files, and one map that writes what it found."""
        contract = self._contract
        read = functools.partial(read_counts, contract=contract, schema=self._schema)
        write = beam.Map(_write, contract, self._folder, self._base)
        return (
            files
            | "OneKey" >> beam.WithKeys(None)
            | "AddUp" >> CombineSideBySide(read, _CombineColumns(contract))
            | "Found" >> beam.Values()
            | "WriteAnalysis" >> write
        )


def _write(parts: "_Parts", contract: DataContract, folder: str, base: str | None = None) -> str:
    tf.io.gfile.makedirs(folder)
    known = {} if base is None else base_vocabularies(base, contract)
    for name, request in vocabulary_requests(contract).items():
        counts = parts.counts[name]
        if name in known:
            lines = grown_vocabulary(known[name], *counts.found(), request)
        else:
            lines = counts.most_frequent(request)
        lines = lines or [EMPTY_VOCABULARY]
        with tf.io.gfile.GFile(os.path.join(folder, vocabulary_name(name)), "wb") as file:
            file.write(b"\n".join(lines) + b"\n")
    numbers = {name: parts.numbers[name].summary() for name in numeric_requests(contract)}
    moments = {name: parts.vectors[name].summary() for name in vector_requests(contract)}
    write_numbers(folder, {**numbers, **moments})
    return folder


class _Parts(NamedTuple):
    """What is known of all columns, each by its name."""

    counts: dict[str, "_Counts"]
    numbers: dict[str, "_Numbers"]
    vectors: dict[str, VectorTotals]


class _CombineColumns(beam.CombineFn):
    """A mergeable part per vocabulary and number; they grow with distinct values, not with rows."""

    def __init__(self, contract: DataContract) -> None:
        self._vocabularies = vocabulary_requests(contract)
        self._numbers = numeric_requests(contract)
        self._vectors = vector_requests(contract)

    def create_accumulator(self) -> _Parts:
        """See `beam.CombineFn`."""
        return _Parts(
            {name: _Counts() for name in self._vocabularies},
            {name: _Numbers(request) for name, request in self._numbers.items()},
            {name: VectorTotals.nothing(size) for name, size in self._vectors.items()},
        )

    def add_input(self, accumulator: _Parts, batch: Batch) -> _Parts:
        """Takes what `read_counts` makes of one batch of examples."""
        for name, columns in batch.items():
            if name in accumulator.counts:
                accumulator.counts[name].add(*columns)
            elif name in accumulator.vectors:
                accumulator.vectors[name].merge(VectorTotals.of(*columns))
            else:
                accumulator.numbers[name].add(*columns)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Parts]) -> _Parts:
        """See `beam.CombineFn`."""
        merged = self.create_accumulator()
        for accumulator in accumulators:
            for name, counts in merged.counts.items():
                counts.merge(accumulator.counts[name])
            for name, numbers in merged.numbers.items():
                numbers.merge(accumulator.numbers[name])
            for name, vectors in merged.vectors.items():
                vectors.merge(accumulator.vectors[name])
        return merged

    def extract_output(self, accumulator: _Parts) -> _Parts:
        """The parts themselves."""
        return accumulator


class _Counts:
    """How often each value occurs."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []
        self._rows = 0

    def add(self, values: np.ndarray, counts: np.ndarray) -> None:
        self._append(pa.table({"value": pa.array(values, pa.binary()), "n": pa.array(counts)}))

    def merge(self, other: "_Counts") -> None:
        for table in other._tables:
            self._append(table)

    def _append(self, table: pa.Table) -> None:
        self._tables.append(table)
        self._rows += table.num_rows
        if self._rows > _COMPACTION_ROWS:
            self._compact()

    def _compact(self) -> None:
        table = pa.concat_tables(self._tables)
        summed = table.group_by("value").aggregate([("n", "sum")])
        self._tables = [summed.select(["value", "n_sum"]).rename_columns(["value", "n"])]
        # Counted from zero, so that a table above the limit is not compacted at every batch.
        self._rows = 0

    def most_frequent(self, request: VocabularyRequest) -> list[bytes]:
        """Values by falling count, then by falling value; none that a text file can't hold."""
        values, counts = self.found()
        frequent = counts >= request.min_count
        return list(values[frequent][: request.top_k])

    def found(self) -> tuple[np.ndarray, np.ndarray]:
        """Values ``(n,)`` and counts ``(n,)``, in the same order, none that a file can't hold."""
        if not self._tables:
            return np.array([], object), np.array([], np.int64)
        self._compact()
        values = self._tables[0].column("value").to_numpy()
        counts = self._tables[0].column("n").to_numpy()
        kept = np.array([bool(v) and b"\n" not in v and b"\r" not in v for v in values], bool)
        values, counts = values[kept], counts[kept]
        order = np.lexsort((values, counts))[::-1]
        return values[order], counts[order]


class _Numbers:
    """Moments and range of numbers; where buckets are asked for, what their quantiles are of."""

    def __init__(self, request: BucketRequest | None) -> None:
        self._request = request
        self._count, self._mean, self._squares = 0, 0.0, 0.0
        self._range = (np.inf, -np.inf)
        self._sketch: sketches.QuantilesSketch | None = None
        self._distinct: DistinctValues | None = None
        if request and request.of == "rows":
            self._sketch = sketches.QuantilesSketch(QUANTILE_ERROR / request.buckets, 1 << 32, 1)
        elif request:
            self._distinct = DistinctValues()

    def add(self, values: np.ndarray) -> None:
        values = values[np.isfinite(values)]
        if values.size == 0:
            return
        wide = values.astype(np.float64)
        mean = wide.mean()
        self._combine(wide.size, mean, np.square(wide - mean).sum(), (wide.min(), wide.max()))
        if self._sketch is not None:
            self._sketch.AddValues(pa.array(values, pa.float32()))
        if self._distinct is not None:
            self._distinct.add(values)

    def merge(self, other: "_Numbers") -> None:
        if other._count == 0:
            return
        self._combine(other._count, other._mean, other._squares, other._range)
        if self._sketch is not None:
            self._sketch.Merge(other._sketch)
        if self._distinct is not None and other._distinct is not None:
            self._distinct.merge(other._distinct)

    def _combine(
        self, count: int, mean: float, squares: float, value_range: tuple[float, float]
    ) -> None:
        """Chan's parallel update of mean and sum of squared deviations."""
        total = self._count + count
        difference = mean - self._mean
        self._squares += squares + difference**2 * self._count * count / total
        self._mean += difference * count / total
        self._count = total
        self._range = (min(self._range[0], value_range[0]), max(self._range[1], value_range[1]))

    def summary(self) -> dict[str, float | list[float]]:
        """What a `NumericSummary` of `mtlx.transform.analysis.analysis` holds; zeros if empty."""
        empty = self._count == 0
        low, high = (0.0, 0.0) if empty else self._range
        summary: dict[str, float | list[float]] = {
            "mean": float(self._mean),
            "deviation": 0.0 if empty else float(np.sqrt(self._squares / self._count)),
            "minimum": float(low),
            "maximum": float(high),
        }
        if self._request:
            summary["boundaries"] = self._boundaries(self._request.buckets)
        return summary

    def _boundaries(self, buckets: int) -> list[float]:
        if self._count == 0:
            return [0.0] * (buckets - 1)
        if self._distinct is not None:
            return self._distinct.boundaries(buckets).tolist()
        if self._sketch is not None:
            return self._sketch.GetQuantiles(buckets).to_pylist()[0][1:-1]
        raise ValueError("nothing was kept to cut buckets by")
