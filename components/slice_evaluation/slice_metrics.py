"""The finished numbers of one slice, as TFMA stores them."""

import numpy as np
import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2
from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from components.slice_evaluation.paired_auc import (
    Estimate,
    auc_difference,
    auc_estimate,
    relaimp,
)
from components.slice_evaluation.paired_pass import PairedPass
from components.slice_evaluation.slices import SliceKey

CANDIDATE = "candidate"
BASELINE = "baseline"
REFERENCE = "reference"
ANCHOR = "anchor"

#: Names under which TFMA stores the metrics; TFMA's own where it has one.
AUC = "auc"
LOG_LOSS = "binary_crossentropy"
CALIBRATION = "calibration"
POSITIVES = "positives"
EXAMPLES = "example_count"
UNDEFINED_PREDICTIONS = "undefined_predictions"
RELAIMP = "relaimp"
AUC_DIFFERENCE = "auc_difference"

Metrics = dict[tfma.metrics.MetricKey, float | metrics_for_slice_pb2.BoundedValue]


def comparison_name(baseline: str) -> str:
    """TFMA's model name of what compares the candidate with a baseline."""
    return f"{CANDIDATE} vs {baseline}"


class SliceMetricsBuilder:
    """Turns the sums of both passes into metrics; what is undefined is left out.

    Args:
        models: names, the candidate first.
        tasks: names.
        confidence: of the intervals.
    """

    def __init__(self, models: tuple[str, ...], tasks: tuple[str, ...], confidence: float):
        self.models, self.tasks, self.confidence = models, tasks, confidence

    def build(self, passed: PairedPass, covariance: np.ndarray) -> list[tuple[SliceKey, Metrics]]:
        """Returns the metrics of every slice.

        Args:
            passed: totals and AUCs.
            covariance: ``(S, T, M, M)`` of the models' AUCs.
        """
        return [
            (key, self._slice(passed, covariance[number], number))
            for number, key in enumerate(passed.totals.keys)
        ]

    def _slice(self, passed: PairedPass, covariance: np.ndarray, number: int) -> Metrics:
        metrics: Metrics = {}
        for task, task_name in enumerate(self.tasks):
            if not passed.totals.examples[number, task]:
                continue
            for model, model_name in enumerate(self.models):
                for name, value in self._model(passed, covariance[task], number, model, task):
                    metrics[_key(name, model_name, task_name)] = value
            for model, model_name in enumerate(self.models[1:], start=1):
                aucs = passed.auc[number, [0, model], task]
                pair = covariance[task][np.ix_([0, model], [0, model])]
                for name, estimate in (
                    (RELAIMP, relaimp(aucs, pair, self.confidence)),
                    (AUC_DIFFERENCE, auc_difference(aucs, pair, self.confidence)),
                ):
                    if estimate.value is not None:
                        key = _key(name, comparison_name(model_name), task_name)
                        metrics[key] = _bounded(estimate)
        return metrics

    def _model(
        self, passed: PairedPass, covariance: np.ndarray, number: int, model: int, task: int
    ) -> list[tuple[str, float | metrics_for_slice_pb2.BoundedValue]]:
        totals = passed.totals
        examples = int(totals.examples[number, task])
        positives = int(totals.positives[number, task])
        undefined = int(totals.undefined[number, model, task])
        metrics = [(EXAMPLES, examples), (POSITIVES, positives), (UNDEFINED_PREDICTIONS, undefined)]
        if undefined:
            return metrics
        metrics.append((LOG_LOSS, totals.log_loss[number, model, task] / examples))
        if positives:
            metrics.append((CALIBRATION, totals.predictions[number, model, task] / positives))
        auc = auc_estimate(
            passed.auc[number, model, task], covariance[model, model], self.confidence
        )
        if auc.value is not None:
            metrics.append((AUC, _bounded(auc)))
        return metrics


def _key(name: str, model: str, task: str) -> tfma.metrics.MetricKey:
    return tfma.metrics.MetricKey(name=name, model_name=model, output_name=task)


def _bounded(estimate: Estimate) -> float | metrics_for_slice_pb2.BoundedValue:
    """TFMA writes a bounded value with its interval, a number without one."""
    if estimate.lower is None:
        return float(estimate.value)
    value, lower, upper = (wrappers_pb2.DoubleValue(value=number) for number in estimate)
    return metrics_for_slice_pb2.BoundedValue(value=value, lower_bound=lower, upper_bound=upper)
