"""Counts of values and labels as a Beam combine, beside TFDV's statistics."""

from collections.abc import Iterable

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.batch_statistics_gen.split_counts import SplitCounts
from mtlx.components.batch_statistics_gen.value_counts import NumberCounts, TextCounts
from mtlx.transform.columns.vector_totals import VectorTotals
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import VectorFeature

#: Batches whose counts are added up at once.
_TOGETHER = 16


class CountColumns(beam.CombineFn):
    """Record batches → `SplitCounts`.

    TFDV keeps the most frequent thousand values of a text, and ten buckets of a number between
    its extremes; neither tells which share of another day's values are new, nor can buckets of
    several days be added up. Of labels by domain it has nothing. This counts them in the same
    pass.

    Args:
        contract: whose columns are counted. A feature that no prediction depends on (a
            user's id for grouping, say) is not.
    """

    def __init__(self, contract: DataContract):
        self._contract = contract
        self._features = [name for name in contract.features if contract.is_asked_for(name)]

    def create_accumulator(self) -> list[SplitCounts]:
        """Nothing yet."""
        return []

    def add_input(self, accumulator: list[SplitCounts], batch: pa.RecordBatch) -> list[SplitCounts]:
        """Takes one batch of list columns."""
        accumulator.append(self._counted(batch))
        return self.compact(accumulator) if len(accumulator) >= _TOGETHER else accumulator

    def merge_accumulators(self, accumulators: Iterable[list[SplitCounts]]) -> list[SplitCounts]:
        """See `beam.CombineFn`."""
        return self.compact([part for parts in accumulators for part in parts])

    def compact(self, accumulator: list[SplitCounts]) -> list[SplitCounts]:
        """See `beam.CombineFn`."""
        return [SplitCounts.merged(accumulator)] if accumulator else []

    def extract_output(self, accumulator: list[SplitCounts]) -> SplitCounts:
        """The counts of one split."""
        return SplitCounts.merged(accumulator)

    def _counted(self, batch: pa.RecordBatch) -> SplitCounts:
        present, texts, numbers, vectors = {}, {}, {}, {}
        for name in self._features:
            column = batch.column(name)
            present[name] = len(column) - column.null_count
            values = column.flatten()
            feature = self._contract.features[name]
            if isinstance(feature, VectorFeature):
                found = values.to_numpy(zero_copy_only=False).reshape(-1, feature.size)
                vectors[name] = VectorTotals.of(found)
            elif feature.holds == "number":
                numbers[name] = NumberCounts.of(values.to_numpy(zero_copy_only=False))
            else:
                texts[name] = TextCounts.of(values)
        labels = self._labels(batch)
        return SplitCounts(batch.num_rows, present, texts, numbers, labels, vectors)

    def _labels(self, batch: pa.RecordBatch) -> dict[str, dict[str, tuple[int, int]]]:
        domains, names = self._domains(batch)
        first = {
            name: _first(batch.column(task.label_key), -1)
            for name, task in self._contract.tasks.items()
            if not task.is_regression
        }
        found = {}
        for name, task in self._contract.tasks.items():
            if task.is_regression:
                continue  # Numbers have no rate.
            counted = first[name] >= 0
            if task.population is not None:
                counted &= first[task.population] == 1
            rows = np.bincount(domains[counted], minlength=len(names))
            positives = np.bincount(domains[counted & (first[name] == 1)], minlength=len(names))
            found[name] = {
                domain: (int(rows[place]), int(positives[place]))
                for place, domain in enumerate(names)
                if rows[place]
            }
        return found

    def _domains(self, batch: pa.RecordBatch) -> tuple[np.ndarray, list[str]]:
        """Of every row the place of its domain's value among the values; the first is none."""
        if self._contract.domain is None:
            return np.zeros(batch.num_rows, np.int64), [""]
        column = pc.list_element(batch.column(self._contract.domain.feature), 0)
        encoded = column.dictionary_encode()
        places = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False) + 1
        names = [value.decode("utf-8", "replace") for value in encoded.dictionary.to_pylist()]
        return places, ["", *names]


def _first(column: pa.Array, absent: int) -> np.ndarray:
    """The first value of each row's list."""
    return pc.fill_null(pc.list_element(column, 0), absent).to_numpy(zero_copy_only=False)
