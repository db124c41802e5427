"""Beam's sums of what both passes count, each mergeable in any order."""

from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.statistics.cluster_sums import ClusterSums
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals


class SumTotals(beam.CombineFn):
    """Sums batches to `SliceTotals`."""

    def __init__(self, models: int, tasks: int, maximum_slices: int, regressions: frozenset[int]):
        self._size = (models, tasks, maximum_slices, regressions)

    def create_accumulator(self) -> SliceTotals:
        """See Beam."""
        return SliceTotals(*self._size)

    def add_input(self, accumulator: SliceTotals, batch: EvaluationBatch) -> SliceTotals:
        """See Beam."""
        accumulator.add(batch)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[SliceTotals]) -> SliceTotals:
        """See Beam."""
        merged = self.create_accumulator()
        for accumulator in accumulators:
            merged.merge(accumulator)
        return merged

    def extract_output(self, accumulator: SliceTotals) -> SliceTotals:
        """See Beam."""
        if not accumulator.keys:
            raise ValueError("the evaluated split holds no examples: nothing can be measured")
        accumulator.histogram.compact()
        return accumulator


class MergeClusters(beam.CombineFn):
    """Joins the sums of the same users."""

    def __init__(self, models: int, metrics: int = 0):
        self._size = (models, metrics)

    def create_accumulator(self) -> ClusterSums:
        """See Beam."""
        return ClusterSums(*self._size)

    def add_input(self, accumulator: ClusterSums, sums: ClusterSums) -> ClusterSums:
        """See Beam."""
        accumulator.merge(sums)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[ClusterSums]) -> ClusterSums:
        """See Beam."""
        merged = self.create_accumulator()
        for accumulator in accumulators:
            merged.merge(accumulator)
        return merged

    def extract_output(self, accumulator: ClusterSums) -> ClusterSums:
        """See Beam."""
        return accumulator


class SumByMetric(beam.CombineFn):
    """Adds what there is of each metric, of disjoint clusters or units.

    Args:
        add: adds the second mapping to the first one and returns it, say `add_moments`.
    """

    def __init__(self, add: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]):
        self._add = add

    def create_accumulator(self) -> dict[str, Any]:
        """See Beam."""
        return {}

    def add_input(self, accumulator: dict[str, Any], sums: dict[str, Any]) -> dict[str, Any]:
        """See Beam."""
        return self._add(accumulator, sums)

    def merge_accumulators(self, accumulators: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """See Beam."""
        merged: dict[str, Any] = {}
        for accumulator in accumulators:
            merged = self._add(merged, accumulator)
        return merged

    def extract_output(self, accumulator: dict[str, Any]) -> dict[str, Any]:
        """See Beam."""
        return accumulator
