"""All vocabularies in one Beam combine, all moments and quantiles in another.

TFT's own analyzers are correct and slow on one machine: each adds a dozen Beam stages, and a
stage costs a fifth of a second before it has seen a row. Here two combines with vectorised
accumulators compute what all of them would; the results enter the transform graph through
TFT's extension point for this, so that serving is not concerned.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.beam import experimental as tft_beam_experimental
from tfx_bsl import sketches

#: What an empty vocabulary's file holds, since a lookup table needs a line; no value equals it.
EMPTY_VOCABULARY = b"\x01empty"

#: Distinct values that are counted before the counts are merged into one table.
_COMPACTION_ROWS = 1 << 20

#: Mean, deviation, minimum and maximum.
_SCALARS = 4


@dataclass(frozen=True)
class VocabularyRequest:
    """Values to count: ``(n,)`` strings, and which of them get an id."""

    values: tf.Tensor
    top_k: int | None
    min_count: int


@dataclass(frozen=True)
class NumericRequest:
    """Values to describe: ``(n,)`` float32; `buckets` asks for quantile boundaries as well."""

    values: tf.Tensor
    buckets: int | None = None


@dataclass(frozen=True)
class NumericSummary:
    """Scalars of one feature, float32, inside the transform graph.

    Attributes:
        mean: of the present values; 0 where there are none.
        deviation: their standard deviation (of the population); 0 where there are none.
        minimum, maximum: 0 where there are none.
        boundaries: ``(buckets - 1,)`` inner quantile boundaries, or None where not asked for.
    """

    mean: tf.Tensor
    deviation: tf.Tensor
    minimum: tf.Tensor
    maximum: tf.Tensor
    boundaries: tf.Tensor | None


def analyze(
    vocabularies: Mapping[str, VocabularyRequest], numerics: Mapping[str, NumericRequest]
) -> tuple[dict[str, tf.Tensor], dict[str, NumericSummary]]:
    """Analyses the whole data set; to be called inside a TFT ``preprocessing_fn``.

    Args:
        vocabularies: by name; the name becomes the asset's.
        numerics: by name.

    Returns:
        The vocabulary files' paths (scalar string tensors; one value per line, the most frequent
        first, ties by value) and the summaries, by name.
    """
    return _vocabulary_files(vocabularies), _numeric_summaries(numerics)


def _vocabulary_files(requests: Mapping[str, VocabularyRequest]) -> dict[str, tf.Tensor]:
    """One combine for all vocabularies."""
    if not requests:
        return {}
    outputs = tft.experimental.ptransform_analyzer(
        inputs=[request.values for request in requests.values()],
        ptransform=_CountValues({name: (r.top_k, r.min_count) for name, r in requests.items()}),
        output_dtypes=[tf.string] * len(requests),
        output_shapes=[[]] * len(requests),
        output_asset_default_values=[EMPTY_VOCABULARY] * len(requests),
        name="vocabularies",
    )
    for name in requests:
        tft.annotate_asset(name, name)
    return dict(zip(requests, outputs, strict=True))


def _numeric_summaries(requests: Mapping[str, NumericRequest]) -> dict[str, NumericSummary]:
    """One combine for all numbers, which travel as one vector."""
    if not requests:
        return {}
    buckets = [request.buckets for request in requests.values()]
    (vector,) = tft.experimental.ptransform_analyzer(
        inputs=[request.values for request in requests.values()],
        ptransform=_DescribeNumbers(buckets),
        output_dtypes=[tf.float32],
        output_shapes=[[sum(_SCALARS + (number - 1 if number else 0) for number in buckets)]],
        name="numbers",
    )
    summaries, start = {}, 0
    for name, number in zip(requests, buckets, strict=True):
        end = start + _SCALARS + (number - 1 if number else 0)
        boundaries = vector[start + _SCALARS : end] if number else None
        scalars = [vector[start + i] for i in range(_SCALARS)]
        summaries[name] = NumericSummary(*scalars, boundaries)
        start = end
    return summaries


class _CountValues(tft_beam_experimental.PTransformAnalyzer):
    """Batches of string arrays → the path of one vocabulary file per array."""

    def __init__(self, limits: dict[str, tuple[int | None, int]]) -> None:
        super().__init__()
        self._limits = limits

    def expand(self, batches: beam.PCollection) -> tuple[beam.PCollection, ...]:
        """One global combine, then one small map that writes the files."""
        tags = [f"vocabulary_{i}" for i in range(len(self._limits))]
        paths = (
            batches
            | "Count"
            >> beam.CombineGlobally(_CombineParts([_Counts] * len(tags), [()] * len(tags)))
            | "Write"
            >> beam.FlatMap(_write_vocabularies, self._limits, self.base_temp_dir).with_outputs(
                *tags
            )
        )
        return tuple(paths[tag] for tag in tags)


def _write_vocabularies(
    parts: list["_Counts"], limits: dict[str, tuple[int | None, int]], folder: str
) -> list[beam.pvalue.TaggedOutput]:
    """Writes the vocabulary files and tags every path for its output."""
    outputs = []
    for index, (counts, (name, limit)) in enumerate(zip(parts, limits.items(), strict=True)):
        path = os.path.join(folder, "vocabularies", name)
        tf.io.gfile.makedirs(os.path.dirname(path))
        lines = counts.most_frequent(*limit) or [EMPTY_VOCABULARY]
        with tf.io.gfile.GFile(path, "wb") as file:
            file.write(b"\n".join(lines) + b"\n")
        outputs.append(beam.pvalue.TaggedOutput(f"vocabulary_{index}", np.array(path.encode())))
    return outputs


class _DescribeNumbers(beam.PTransform):
    """Batches of float arrays → one vector with all summaries."""

    def __init__(self, buckets: list[int | None]) -> None:
        super().__init__()
        self._buckets = buckets

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """One global combine and a concatenation."""
        arguments = [(number,) for number in self._buckets]
        return (
            batches
            | "Describe"
            >> beam.CombineGlobally(_CombineParts([_Numbers] * len(arguments), arguments))
            | "Concatenate"
            >> beam.Map(
                lambda parts: np.array([x for part in parts for x in part.summary()], np.float32)
            )
        )


class _CombineParts(beam.CombineFn):
    """A mergeable part per array of the batch; parts grow with distinct values, not with rows."""

    def __init__(self, types: list[type], arguments: list[tuple]) -> None:
        self._parts = list(zip(types, arguments, strict=True))

    def create_accumulator(self) -> list:
        """See `beam.CombineFn`."""
        return [part(*arguments) for part, arguments in self._parts]

    def add_input(self, accumulator: list, batch: tuple[np.ndarray, ...]) -> list:
        """Takes one batch: a ``(n,)`` array per part."""
        for part, values in zip(accumulator, batch, strict=True):
            part.add(values)
        return accumulator

    def merge_accumulators(self, accumulators: list[list]) -> list:
        """See `beam.CombineFn`."""
        merged = self.create_accumulator()
        for accumulator in accumulators:
            for part, other in zip(merged, accumulator, strict=True):
                part.merge(other)
        return merged

    def extract_output(self, accumulator: list) -> list:
        """The parts themselves."""
        return accumulator


class _Counts:
    """How often each value occurs."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []
        self._rows = 0

    def add(self, values: np.ndarray) -> None:
        counted = pa.array(values, pa.binary()).value_counts()
        self._append(pa.table({"value": counted.field("values"), "n": counted.field("counts")}))

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

    def most_frequent(self, top_k: int | None, min_count: int) -> list[bytes]:
        """Values by falling count, then by value; without those that a text file can't hold."""
        if not self._tables:
            return []
        self._compact()
        values = self._tables[0].column("value").to_numpy()
        counts = self._tables[0].column("n").to_numpy()
        kept = counts >= min_count
        kept &= np.array([bool(v) and b"\n" not in v and b"\r" not in v for v in values], bool)
        values, counts = values[kept], counts[kept]
        order = np.lexsort((values, -counts))[:top_k]
        return list(values[order])


class _Numbers:
    """Moments and range of numbers, and a quantile sketch where buckets are asked for."""

    def __init__(self, buckets: int | None) -> None:
        self._buckets = buckets
        self._count, self._mean, self._squares = 0, 0.0, 0.0
        self._range = (np.inf, -np.inf)
        # The error that TFT's bucketize asks for.
        self._sketch = sketches.QuantilesSketch(0.01 / buckets, 1 << 32, 1) if buckets else None

    def add(self, values: np.ndarray) -> None:
        values = values[np.isfinite(values)]
        if values.size == 0:
            return
        wide = values.astype(np.float64)
        mean = wide.mean()
        self._combine(wide.size, mean, np.square(wide - mean).sum(), (wide.min(), wide.max()))
        if self._sketch is not None:
            self._sketch.AddValues(pa.array(values, pa.float32()))

    def merge(self, other: "_Numbers") -> None:
        if other._count == 0:
            return
        self._combine(other._count, other._mean, other._squares, other._range)
        if self._sketch is not None:
            self._sketch.Merge(other._sketch)

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

    def summary(self) -> list[float]:
        """Mean, deviation, minimum, maximum, inner boundaries; zeros where nothing was seen."""
        inner = self._buckets - 1 if self._buckets else 0
        if self._count == 0:
            return [0.0] * (4 + inner)
        deviation = float(np.sqrt(self._squares / self._count))
        boundaries: list[float] = []
        if self._sketch is not None:
            quantiles = self._sketch.GetQuantiles(self._buckets).to_pylist()[0]
            boundaries = quantiles[1:-1]
        return [self._mean, deviation, *self._range, *boundaries]
