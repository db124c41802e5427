"""An evaluation as one flat list of numbers, which the page compares across runs."""

import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.metrics.metric_names import ALWAYS
from mtlx.components.slice_evaluation.results import SliceResults, load_results
from mtlx.components.slice_evaluation.slices import SliceKey, slice_text
from mtlx.components.slice_evaluation.statistics.slice_metrics import CANDIDATE

#: Most numbers of one artifact: a record of ML-Metadata has to hold them.
MAXIMUM_METRICS = 3000
#: How many slices were left out for that; the report and TFMA's files have all.
LEFT_OUT = "slices_left_out"


def evaluation_metrics(uri: str) -> dict[str, float | None]:
    """Returns the metrics of a slice evaluation, None where undefined.

    Keys, as people read them (`metric_names` makes names to record of them):
    ``auc/<task>/<slice>``, ``calibration/…``, ``log_loss/…`` and the other metrics of
    `evaluation.metrics` of the candidate;
    ``baseline_auc/…``, ``reference_auc/…`` and ``anchor_auc/…`` of the others;
    ``relaimp_over_baseline/…`` and so on (percent); ``rows/…`` of the task's population.

    Args:
        uri: of the evaluation, by `SliceEvaluation`.

    Raises:
        EvaluationResultError: there is no complete evaluation.
    """
    by_slice = _by_slice(load_results(uri))
    metrics: dict[str, float | None] = {}
    for number, values in enumerate(by_slice.values()):
        if metrics and len(metrics) + len(values) > MAXIMUM_METRICS:
            metrics[LEFT_OUT] = len(by_slice) - number
            break
        metrics |= values
    return metrics


def _by_slice(results: SliceResults) -> dict[SliceKey, dict[str, float | None]]:
    """The metrics of each slice, overall first."""
    found: dict[SliceKey, dict[str, float | None]] = {key: {} for key in results.slices}
    for metric in results.metrics:
        place, name = found[metric.key], f"{metric.task}/{metric.slice}"
        if metric.model != CANDIDATE:
            place[f"{metric.model}_auc/{name}"] = metric.auc
            continue
        place[f"auc/{name}"] = metric.auc
        place[f"log_loss/{name}"] = metric.log_loss
        place[f"calibration/{name}"] = metric.calibration
        place[f"rows/{name}"] = metric.examples
        for measured in results.measured:
            if measured not in ALWAYS and not metric.key:
                place[f"{measured}/{name}"] = metric.estimate(measured).value
    for pair in results.comparisons:
        name = f"relaimp_over_{pair.baseline}/{pair.task}/{pair.slice}"
        found[pair.key][name] = pair.relaimp
    return found


def stock_metrics(uri: str) -> dict[str, float | None]:
    """Returns the metrics of TFX's Evaluator, None where it wrote no number.

    Keys: ``<metric>/<task>/<slice>``, with the model's name before it where it has one, and
    ``difference_`` before what compares the candidate with the baseline.

    Args:
        uri: of the evaluation, by Evaluator.
    """
    metrics: dict[str, float | None] = {}
    slices = 0
    for record in tfma.load_metrics(uri):
        if len(metrics) + len(record.metric_keys_and_values) > MAXIMUM_METRICS and metrics:
            slices += 1
            continue
        pairs = tuple(
            (single.column, _slice_value(single)) for single in record.slice_key.single_slice_keys
        )
        for entry in record.metric_keys_and_values:
            value = entry.value
            if value.WhichOneof("type") not in ("double_value", "bounded_value"):
                continue
            wrapped = getattr(value, value.WhichOneof("type"))
            model = f"{entry.key.model_name}_" if entry.key.model_name else ""
            difference = "difference_" if entry.key.is_diff else ""
            task = f"{entry.key.output_name}/" if entry.key.output_name else ""
            key = f"{model}{difference}{entry.key.name}/{task}{slice_text(pairs)}"
            number = wrapped.value
            metrics[key] = getattr(number, "value", number)
    return metrics | ({LEFT_OUT: slices} if slices else {})


def _slice_value(single: tfma.proto.metrics_for_slice_pb2.SingleSliceKey) -> str:
    kind = single.WhichOneof("kind")
    value = getattr(single, kind) if kind else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
