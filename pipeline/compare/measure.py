"""What an evaluation says of a model, and of its difference to another."""

from mtlx.components.slice_evaluation.metrics.metric_names import applies_to, build_metric
from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from mtlx.components.slice_evaluation.statistics.slice_metrics import CANDIDATE, REFERENCE
from mtlx.pipeline.compare.comparison_record import Difference, Measured, Place

#: What tasks whose labels are numbers are compared by, the first that was measured.
_OF_NUMBERS = ("rmse", "xauc")


def metric_of(results: SliceResults, task: str) -> str | None:
    """The metric that a task is compared by: the AUC, of numbers an error; None for none."""
    whole = results.metric(CANDIDATE, task)
    if whole is None or not whole.of_numbers:
        return "auc"
    names = [*_OF_NUMBERS, *results.measured]
    usable = (name for name in names if name in results.measured and applies_to(name, True))
    return next((name for name in usable if build_metric(name).better != "one"), None)


def is_error(metric: str) -> bool:
    """Whether less of a metric is better."""
    return build_metric(metric).better == "lower"


def measured(results: SliceResults) -> dict[Place, Measured]:
    """The candidate's, in every task and slice."""
    found = {}
    for one in results.metrics:
        metric = metric_of(results, one.task)
        if one.model == CANDIDATE and metric is not None:
            found[one.task, one.slice] = _measured(results, one, metric)
    return found


def differences(results: SliceResults) -> dict[Place, Difference]:
    """The candidate's metric less the other model's, in every task and slice."""
    found = {}
    for one in results.comparisons:
        metric = metric_of(results, one.task)
        if one.baseline == REFERENCE and metric is not None:
            found[one.task, one.slice] = _difference(one, metric)
    return found


def turned(difference: Difference) -> Difference:
    """The other model's metric less this one's."""
    value, lower, upper = (
        None if number is None else -number
        for number in (difference.value, difference.upper, difference.lower)
    )
    return Difference(value, lower, upper, difference.p_value, difference.reason)


def _measured(results: SliceResults, one: SliceMetrics, metric: str) -> Measured:
    estimate = one.estimate(metric)
    by_seed = {
        own.seed: own.values[metric]
        for own in results.by_seed
        if (own.model, own.task, own.key) == (CANDIDATE, one.task, one.key) and metric in own.values
    }
    return Measured(
        estimate.value,
        estimate.lower,
        estimate.upper,
        by_seed,
        one.examples,
        one.positives,
        estimate.reason,
    )


def _difference(one: Comparison, metric: str) -> Difference:
    estimate = one.difference(metric)
    return Difference(
        estimate.value, estimate.lower, estimate.upper, _p_value(estimate), estimate.reason
    )


def _p_value(estimate: Estimate) -> float | None:
    """Two-sided, of the hypothesis that there is no difference; 1 where both are the same."""
    if estimate.curve is None or estimate.value is None:
        return None
    if estimate.value == 0:
        return 1.0
    if estimate.value > 0:
        one_sided = estimate.curve.p_value(0.0, "lower")
    else:
        one_sided = estimate.curve.p_value(0.0, "upper")
    return min(2 * one_sided, 1.0)
