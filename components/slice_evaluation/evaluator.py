"""TFMA evaluator that computes all slices, models and tasks at once, in two passes."""

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.metrics.chosen_metrics import ChosenMetrics
from mtlx.components.slice_evaluation.metrics.score_bins import ReliabilityCurve
from mtlx.components.slice_evaluation.models.model_seeds import ModelSeeds
from mtlx.components.slice_evaluation.models.sampled_predictions import (
    SAMPLE_KEY,
    SamplePredictions,
)
from mtlx.components.slice_evaluation.slices import SliceKey
from mtlx.components.slice_evaluation.statistics.cluster_sums import ClusterSums
from mtlx.components.slice_evaluation.statistics.roc_curve import ROC_KEY, RocCurve, roc_curves
from mtlx.components.slice_evaluation.statistics.shared_rows import (
    SHARED_ROWS_KEY,
    GroupedPlacements,
    SharedRows,
    find_shared_rows,
)
from mtlx.components.slice_evaluation.statistics.slice_metrics import SliceMetricsBuilder
from mtlx.components.slice_evaluation.stored.reliability_curve import (
    RELIABILITY_KEY,
    reliability_curves,
)
from mtlx.components.slice_evaluation.stored.stored_metrics import Metrics, stored_metrics
from mtlx.components.slice_evaluation.units.cluster_terms import ClusterTerms, UnitTotals
from mtlx.components.slice_evaluation.units.combined_sums import (
    MergeClusters,
    SumByMetric,
    SumTotals,
)
from mtlx.components.slice_evaluation.units.row_block import RowBlock
from mtlx.components.slice_evaluation.units.second_pass import (
    Moments,
    SecondPass,
    add_moments,
    add_unit_totals,
)
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
    chosen: ChosenMetrics | None = None,
    regressions: frozenset[str] = frozenset(),
    seeds: ModelSeeds | None = None,
) -> tfma.evaluators.Evaluator:
    """Returns the evaluator.

    The first pass sums counts, losses and score histograms; the second looks up every row's
    placement values for all models and sums their products, from which DeLong's (1988) or, with
    users, Obuchowski's (1997) covariances follow, and likewise what every row adds to the other
    metrics. For metrics of users and requests the second pass also brings their rows together.

    Args:
        models: names of those that are scored, the candidate first.
        tasks: names.
        confidence: of the intervals.
        maximum_slices: more are refused.
        user_key: the feature whose values the extracts hold as users, with correlated rows; None
            where rows are independent.
        groupings: see `EvaluationBatch.groupings`.
        contract: of the run.
        chosen: the metrics beside the AUC; None for log loss and calibration.
        regressions: tasks whose labels are numbers.
        seeds: which of the models are the same training from other seeds; None for none.
    """
    return tfma.evaluators.Evaluator(
        stage_name="EvaluateSlices",
        run_after="ExtractServedPredictions",
        ptransform=_EvaluateSlices(
            models,
            tasks,
            confidence,
            maximum_slices,
            user_key,
            groupings,
            contract,
            chosen or ChosenMetrics(),
            regressions,
            seeds,
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
        chosen: ChosenMetrics,
        regressions: frozenset[str],
        seeds: ModelSeeds | None,
    ):
        super().__init__()
        self._groupings, self._contract = groupings, contract
        self._models, self._tasks, self._chosen = models, tasks, chosen
        self._maximum_slices, self._user_key = maximum_slices, user_key
        self._regressions = regressions
        self._builder = SliceMetricsBuilder(models, tasks, confidence, chosen, seeds)

    def expand(self, extracts: beam.PCollection) -> tfma.evaluators.Evaluation:
        # The reshuffle stores the predictions, so that the second pass does not predict again.
        batches = (
            extracts
            | "ToArrays"
            >> beam.Map(EvaluationBatch.from_extracts, self._models, self._tasks, self._regressions)
            | "Store" >> beam.Reshuffle()
        )
        paired = (
            batches
            | "Totals" >> beam.CombineGlobally(
                SumTotals(
                    len(self._models),
                    len(self._tasks),
                    self._maximum_slices,
                    frozenset(self._tasks.index(task) for task in self._regressions),
                )
            )
            | "Rank" >> beam.Map(SecondPass, self._chosen)
        )  # fmt: skip
        moments, units = self._moments(batches, paired)
        metrics = paired | "Metrics" >> beam.FlatMap(
            _metrics,
            self._builder,
            self._user_key,
            beam.pvalue.AsIter(moments),
            beam.pvalue.AsSingleton(units),
        ).with_output_types(Any)  # TFMA's writer takes bounded values, but its hints omit them.
        curves = paired | "RocCurves" >> beam.Map(_roc_curves, self._tasks)
        reliability = paired | "Reliability" >> beam.Map(_reliability_curves, self._tasks)
        sample = (
            extracts
            | "SampleOfBatch" >> beam.Map(lambda extract: extract.get(SAMPLE_KEY, []))
            | "Sample" >> beam.CombineGlobally(SamplePredictions())
        )
        return {
            tfma.METRICS_KEY: metrics,
            ROC_KEY: curves,
            RELIABILITY_KEY: reliability,
            SHARED_ROWS_KEY: self._shared_rows(batches, paired),
            SAMPLE_KEY: sample,
        }

    def _shared_rows(self, batches: beam.PCollection, paired: beam.PCollection) -> beam.PCollection:
        features, single = self._groupings, beam.pvalue.AsSingleton(paired)
        grouped = GroupedPlacements(tuple(features), len(self._tasks))
        sums = (
            batches
            | "GroupRows" >> beam.Map(_grouped_sums, grouped, single)
            | "JoinGroups" >> beam.CombineGlobally(MergeClusters(2))
        )
        return paired | "SharedRows" >> beam.Map(
            _shared_rows, beam.pvalue.AsSingleton(sums), features, self._tasks, self._contract
        )

    def _moments(
        self, batches: beam.PCollection, paired: beam.PCollection
    ) -> tuple[beam.PCollection, beam.PCollection]:
        """The moments of all metrics, and the totals of those of units."""
        single = beam.pvalue.AsSingleton(paired)
        if self._user_key is None:
            moments = batches | "Pair" >> beam.Map(_row_moments, single)
        else:
            metrics = len(self._chosen.of_rows)
            moments = (
                batches
                | "SumUsers" >> beam.FlatMap(_cluster_sums, single)
                | "JoinUsers" >> beam.CombinePerKey(MergeClusters(len(self._models), metrics))
                | "Users" >> beam.Values()
                | "PairUsers" >> beam.Map(_cluster_moments, single)
            )
        if self._chosen.of_units(bool(self._regressions)):
            units, of_units = self._units(batches, single)
            moments = (moments, of_units) | "AllMoments" >> beam.Flatten()
        else:
            units = paired | "NoUnits" >> beam.Map(_no_units)
        return moments | "SumMoments" >> beam.CombineGlobally(SumByMetric(add_moments)), units

    def _units(
        self, batches: beam.PCollection, single: beam.pvalue.AsSingleton
    ) -> tuple[beam.PCollection, beam.PCollection]:
        """The totals of the metrics of units, and their moments."""
        terms = (
            batches
            | "Units" >> beam.FlatMap(_unit_rows, single)
            | "JoinUnits" >> beam.GroupByKey()
            | "MeasureUnits" >> beam.Map(_unit_terms, single)
        )
        units = (
            terms
            | "UnitTotals" >> beam.Map(_unit_totals, single)
            | "SumUnits" >> beam.CombineGlobally(SumByMetric(add_unit_totals))
        )
        of_units = terms | "PairUnits" >> beam.Map(
            _unit_moments, single, beam.pvalue.AsSingleton(units)
        )
        return units, of_units


def _roc_curves(second: SecondPass, tasks: tuple[str, ...]) -> dict[str, RocCurve]:
    return roc_curves(second.paired.totals, tasks)


def _reliability_curves(second: SecondPass, tasks: tuple[str, ...]) -> dict[str, ReliabilityCurve]:
    return reliability_curves(second.paired, tasks)


def _row_moments(batch: EvaluationBatch, second: SecondPass) -> Moments:
    return second.paired.all_moments(batch)


def _grouped_sums(
    batch: EvaluationBatch, grouped: GroupedPlacements, second: SecondPass
) -> ClusterSums:
    return grouped.sums(batch, second.paired)


def _shared_rows(
    second: SecondPass,
    sums: ClusterSums,
    features: list[str],
    tasks: tuple[str, ...],
    contract: DataContract,
) -> list[SharedRows]:
    return find_shared_rows(sums, second.paired, features, tasks, contract)


def _cluster_sums(batch: EvaluationBatch, second: SecondPass) -> list[tuple[int, ClusterSums]]:
    return second.paired.cluster_sums(batch).split(_USER_PARTITIONS)


def _cluster_moments(sums: ClusterSums, second: SecondPass) -> Moments:
    return second.paired.all_moments_of_clusters(sums)


def _no_units(second: SecondPass) -> dict[str, UnitTotals]:
    return {}


def _unit_rows(batch: EvaluationBatch, second: SecondPass) -> list[tuple[int, RowBlock]]:
    block = RowBlock.of_batch(batch, second.paired.totals)
    return block.split(second.units.partitions)


def _unit_terms(
    partition: tuple[int, Iterable[RowBlock]], second: SecondPass
) -> dict[str, ClusterTerms]:
    return second.units.terms(RowBlock.joined(list(partition[1])))


def _unit_totals(terms: dict[str, ClusterTerms], second: SecondPass) -> dict[str, UnitTotals]:
    return second.units.totals(terms)


def _unit_moments(
    terms: dict[str, ClusterTerms], second: SecondPass, totals: dict[str, UnitTotals]
) -> Moments:
    return second.units.moments(terms, totals)


def _metrics(
    second: SecondPass,
    builder: SliceMetricsBuilder,
    user_key: str | None,
    moments: Iterable[Moments],
    units: dict[str, UnitTotals],
) -> list[tuple[SliceKey, Metrics]]:
    """Without moments no slice has both classes, and every spread is unknown."""
    total: Moments = {}
    for part in moments:
        total = add_moments(total, part)
    spread, measured = second.measured(total, units, user_key)
    return stored_metrics(builder.build(second.paired, spread, measured))
