"""TFMA evaluator that computes all slices, models and tasks at once, in two passes."""

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.models.sampled_predictions import (
    SAMPLE_KEY,
    SamplePredictions,
)
from mtlx.components.slice_evaluation.slices import SliceKey
from mtlx.components.slice_evaluation.statistics.cluster_sums import ClusterSums
from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments
from mtlx.components.slice_evaluation.statistics.paired_pass import PairedPass
from mtlx.components.slice_evaluation.statistics.roc_curve import ROC_KEY, RocCurve, roc_curves
from mtlx.components.slice_evaluation.statistics.shared_rows import (
    SHARED_ROWS_KEY,
    GroupedPlacements,
    SharedRows,
    find_shared_rows,
)
from mtlx.components.slice_evaluation.statistics.slice_metrics import Metrics, SliceMetricsBuilder
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from mtlx.transform.contract.data_contract import DataContract

#: Users are summed in so many partitions, which bounds the memory of one worker.
_USER_PARTITIONS = 32


def slice_evaluator(
    models: tuple[str, ...],
    tasks: tuple[str, ...],
    confidence: float,
    maximum_slices: int,
    user_key: str | None,
    groupings: list[str],
    contract: DataContract,
) -> tfma.evaluators.Evaluator:
    """Returns the evaluator.

    The first pass sums counts, losses and score histograms; the second looks up every row's
    placement values for all models and sums their products, from which DeLong's (1988) or, with
    users, Obuchowski's (1997) covariances follow.

    Args:
        models: names, the candidate first.
        tasks: names.
        confidence: of the intervals.
        maximum_slices: more are refused.
        user_key: the feature whose values the extracts hold as users, with correlated rows; None
            where rows are independent.
        groupings: see `EvaluationBatch.groupings`.
        contract: of the run.
    """
    return tfma.evaluators.Evaluator(
        stage_name="EvaluateSlices",
        run_after="ExtractServedPredictions",
        ptransform=_EvaluateSlices(
            models, tasks, confidence, maximum_slices, user_key, groupings, contract
        ),
    )


class _EvaluateSlices(beam.PTransform):
    """Batched extracts to TFMA's evaluation: metrics of every slice, and the candidate's ROCs."""

    def __init__(
        self,
        models: tuple[str, ...],
        tasks: tuple[str, ...],
        confidence: float,
        maximum_slices: int,
        user_key: str | None,
        groupings: list[str],
        contract: DataContract,
    ):
        super().__init__()
        self._groupings, self._contract = groupings, contract
        self._models, self._tasks = models, tasks
        self._maximum_slices, self._user_key = maximum_slices, user_key
        self._builder = SliceMetricsBuilder(models, tasks, confidence)

    def expand(self, extracts: beam.PCollection) -> tfma.evaluators.Evaluation:
        # The reshuffle stores the predictions, so that the second pass does not predict again.
        batches = (
            extracts
            | "ToArrays" >> beam.Map(EvaluationBatch.from_extracts, self._models, self._tasks)
            | "Store" >> beam.Reshuffle()
        )
        paired = (
            batches
            | "Totals" >> beam.CombineGlobally(
                _SumTotals(len(self._models), len(self._tasks), self._maximum_slices)
            )
            | "Rank" >> beam.Map(PairedPass)
        )  # fmt: skip
        moments = self._moments(batches, beam.pvalue.AsSingleton(paired))
        metrics = paired | "Metrics" >> beam.FlatMap(
            _metrics, self._builder, self._user_key, beam.pvalue.AsIter(moments)
        ).with_output_types(Any)  # TFMA's writer takes bounded values, but its hints omit them.
        curves = paired | "RocCurves" >> beam.Map(_roc_curves, self._tasks)
        sample = (
            extracts
            | "SampleOfBatch" >> beam.Map(lambda extract: extract.get(SAMPLE_KEY, []))
            | "Sample" >> beam.CombineGlobally(SamplePredictions())
        )
        return {
            tfma.METRICS_KEY: metrics,
            ROC_KEY: curves,
            SHARED_ROWS_KEY: self._shared_rows(batches, paired),
            SAMPLE_KEY: sample,
        }

    def _shared_rows(self, batches: beam.PCollection, paired: beam.PCollection) -> beam.PCollection:
        features, single = self._groupings, beam.pvalue.AsSingleton(paired)
        grouped = GroupedPlacements(tuple(features), len(self._tasks))
        sums = (
            batches
            | "GroupRows" >> beam.Map(_grouped_sums, grouped, single)
            | "JoinGroups" >> beam.CombineGlobally(_MergeClusters(2))
        )
        return paired | "SharedRows" >> beam.Map(
            _shared_rows, beam.pvalue.AsSingleton(sums), features, self._tasks, self._contract
        )

    def _moments(
        self, batches: beam.PCollection, paired: beam.pvalue.AsSingleton
    ) -> beam.PCollection:
        if self._user_key is None:
            moments = batches | "Pair" >> beam.Map(_row_moments, paired)
        else:
            moments = (
                batches
                | "SumUsers" >> beam.FlatMap(_cluster_sums, paired)
                | "JoinUsers" >> beam.CombinePerKey(_MergeClusters(len(self._models)))
                | "Users" >> beam.Values()
                | "PairUsers" >> beam.Map(_cluster_moments, paired)
            )
        return moments | "SumMoments" >> beam.CombineGlobally(_SumMoments()).without_defaults()


class _SumTotals(beam.CombineFn):
    """Sums batches to `SliceTotals`."""

    def __init__(self, models: int, tasks: int, maximum_slices: int):
        self._size = (models, tasks, maximum_slices)

    def create_accumulator(self) -> SliceTotals:
        return SliceTotals(*self._size)

    def add_input(self, accumulator: SliceTotals, batch: EvaluationBatch) -> SliceTotals:
        accumulator.add(batch)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[SliceTotals]) -> SliceTotals:
        merged = self.create_accumulator()
        for accumulator in accumulators:
            merged.merge(accumulator)
        return merged

    def extract_output(self, accumulator: SliceTotals) -> SliceTotals:
        if not accumulator.keys:
            raise ValueError("the evaluated split holds no examples: nothing can be measured")
        accumulator.histogram.compact()
        return accumulator


class _MergeClusters(beam.CombineFn):
    """Joins the sums of the same users."""

    def __init__(self, models: int):
        self._models = models

    def create_accumulator(self) -> ClusterSums:
        return ClusterSums(self._models)

    def add_input(self, accumulator: ClusterSums, sums: ClusterSums) -> ClusterSums:
        accumulator.merge(sums)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[ClusterSums]) -> ClusterSums:
        merged = self.create_accumulator()
        for accumulator in accumulators:
            merged.merge(accumulator)
        return merged

    def extract_output(self, accumulator: ClusterSums) -> ClusterSums:
        return accumulator


class _SumMoments(beam.CombineFn):
    """Sums moments of disjoint clusters."""

    def create_accumulator(self) -> PairedMoments | None:
        return None

    def add_input(self, accumulator: PairedMoments | None, moments: PairedMoments) -> PairedMoments:
        if accumulator is None:
            shape, models = moments.clusters.shape, moments.products.shape[-1]
            accumulator = PairedMoments.zeros(shape, models)
        accumulator.add(moments)
        return accumulator

    def merge_accumulators(
        self, accumulators: Iterable[PairedMoments | None]
    ) -> PairedMoments | None:
        merged = None
        for accumulator in accumulators:
            if accumulator is not None:
                merged = self.add_input(merged, accumulator)
        return merged

    def extract_output(self, accumulator: PairedMoments | None) -> PairedMoments | None:
        return accumulator


def _roc_curves(paired: PairedPass, tasks: tuple[str, ...]) -> dict[str, RocCurve]:
    return roc_curves(paired.totals, tasks)


def _row_moments(batch: EvaluationBatch, paired: PairedPass) -> PairedMoments:
    return paired.moments(batch)


def _grouped_sums(
    batch: EvaluationBatch, grouped: GroupedPlacements, paired: PairedPass
) -> ClusterSums:
    return grouped.sums(batch, paired)


def _shared_rows(
    paired: PairedPass,
    sums: ClusterSums,
    features: list[str],
    tasks: tuple[str, ...],
    contract: DataContract,
) -> list[SharedRows]:
    return find_shared_rows(sums, paired, features, tasks, contract)


def _cluster_sums(batch: EvaluationBatch, paired: PairedPass) -> list[tuple[int, ClusterSums]]:
    return paired.cluster_sums(batch).split(_USER_PARTITIONS)


def _cluster_moments(sums: ClusterSums, paired: PairedPass) -> PairedMoments:
    return paired.moments_of_clusters(sums)


def _metrics(
    paired: PairedPass,
    builder: SliceMetricsBuilder,
    user_key: str | None,
    moments: Iterable[PairedMoments],
) -> list[tuple[SliceKey, Metrics]]:
    """Without moments no slice has both classes, and every spread is unknown."""
    total = PairedMoments.zeros(np.shape(paired.totals.examples), paired.totals.models)
    for part in moments:
        total.add(part)
    return builder.build(paired, paired.spread(total, user_key))
