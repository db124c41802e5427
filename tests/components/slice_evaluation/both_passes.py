"""Both passes over batches, as the evaluator runs them, without Beam and without TFMA."""

import pickle

from mtlx.components.slice_evaluation.metrics.chosen_metrics import ChosenMetrics
from mtlx.components.slice_evaluation.statistics.cluster_sums import ClusterSums
from mtlx.components.slice_evaluation.statistics.slice_metrics import SliceMetricsBuilder
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from mtlx.components.slice_evaluation.units.row_block import RowBlock
from mtlx.components.slice_evaluation.units.second_pass import (
    SecondPass,
    add_moments,
    add_unit_totals,
)

ALL_METRICS = (
    *("log_loss", "calibration", "normalised_entropy", "ece", "rmse", "xauc", "gauc"),
    *("gauc_equal", "ndcg", "ndcg@3", "mrr", "mrr@2", "recall@3"),
)


def measure(batches, chosen=ALL_METRICS, regressions=(), user_key="user", partitions=None):
    """Returns the second pass, the AUCs' spread and what was measured, by metric."""
    chosen = ChosenMetrics(chosen)
    first = batches[0]
    models, tasks = first.scores.shape[:2]
    totals = SliceTotals(models, tasks, 100_000, frozenset(regressions))
    for batch in batches:
        part = SliceTotals(models, tasks, 100_000, frozenset(regressions))
        part.add(batch)
        totals.merge(pickle.loads(pickle.dumps(part)))
    totals.histogram.compact()
    second = SecondPass(totals, chosen)
    if partitions:
        second.units.partitions = partitions
    moments, by_user = {}, {}
    for batch in batches:
        if batch.users is None:
            add_moments(moments, second.paired.all_moments(batch))
            continue
        for number, part in second.paired.cluster_sums(batch).split(3):
            empty = ClusterSums(models, len(second.paired.metrics))
            by_user.setdefault(number, empty).merge(part)
    for sums in by_user.values():
        add_moments(moments, second.paired.all_moments_of_clusters(sums))
    blocks, terms, units = {}, [], {}
    if second.units.metrics:
        for batch in batches:
            for number, block in RowBlock.of_batch(batch, totals).split(second.units.partitions):
                blocks.setdefault(number, []).append(block)
    for block in blocks.values():
        terms.append(second.units.terms(RowBlock.joined(block)))
        add_unit_totals(units, second.units.totals(terms[-1]))
    for own in terms:
        add_moments(moments, second.units.moments(own, units))
    user = user_key if first.users is not None else None
    return (second, *second.measured(moments, units, user))


def finished(batches, chosen=ALL_METRICS, confidence=0.95, regressions=(), **options):
    """Values by slice, then by (metric, model, task), of the models candidate, baseline, ..."""
    models = ("candidate", "baseline", "reference")[: len(batches[0].scores)]
    tasks = ("ctr", "cvr", "ctcvr")[: batches[0].scores.shape[1]]
    second, spread, measured = measure(batches, chosen, regressions, **options)
    builder = SliceMetricsBuilder(models, tasks, confidence, ChosenMetrics(chosen))
    return dict(builder.build(second.paired, spread, measured))
