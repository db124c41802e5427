"""The finished numbers of one slice, as TFMA stores them."""

from typing import TypeAlias

import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2
from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from mtlx.components.slice_evaluation.slices import SliceKey
from mtlx.components.slice_evaluation.statistics.paired_auc import (
    Estimate,
    auc_difference,
    auc_estimate,
    relaimp,
)
from mtlx.components.slice_evaluation.statistics.paired_pass import PairedPass
from mtlx.components.slice_evaluation.statistics.spread import Spread

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
#: Behind a metric's name: a text, why it or its interval is undefined.
REASON = "_reason"
#: Behind a metric's name: a text, its bounds at every level (`ConfidenceCurve`).
CURVE = "_confidence_curve"

MetricValue: TypeAlias = float | str | metrics_for_slice_pb2.BoundedValue
Metrics = dict[tfma.metrics.MetricKey, MetricValue]


def comparison_name(baseline: str) -> str:
    """TFMA's model name of what compares the candidate with a baseline."""
    return f"{CANDIDATE} vs {baseline}"


class SliceMetricsBuilder:
    """Turns the sums of both passes into metrics; what is undefined is left out, with a reason.

    Args:
        models: names, the candidate first.
        tasks: names.
        confidence: of the intervals.
    """

    def __init__(self, models: tuple[str, ...], tasks: tuple[str, ...], confidence: float):
        self.models, self.tasks, self.confidence = models, tasks, confidence

    def build(self, paired: PairedPass, spread: Spread) -> list[tuple[SliceKey, Metrics]]:
        """Returns the metrics of every slice.

        Args:
            paired: totals and AUCs.
            spread: of the models' AUCs, leading shape ``(S, T)``.
        """
        return [
            (key, self._slice(paired, spread, number))
            for number, key in enumerate(paired.totals.keys)
        ]

    def _slice(self, paired: PairedPass, spread: Spread, number: int) -> Metrics:
        metrics: Metrics = {}
        for task, task_name in enumerate(self.tasks):
            if not paired.totals.examples[number, task]:
                continue
            own, causes = spread[number, task], self._causes(paired, number, task)
            for model, model_name in enumerate(self.models):
                values = self._model(paired, number, model, task)
                auc = paired.auc[number, model, task]
                estimate = auc_estimate(auc, own, model, self.confidence)
                for name, value in values + _named(AUC, estimate, causes[model]):
                    metrics[_key(name, model_name, task_name)] = value
            for model, model_name in enumerate(self.models[1:], start=1):
                aucs = paired.auc[number, [0, model], task]
                cause = self._cause_of_pair(causes, model)
                for name, estimate in (
                    (RELAIMP, relaimp(aucs, own, model, self.confidence)),
                    (AUC_DIFFERENCE, auc_difference(aucs, own, model, self.confidence)),
                ):
                    for part, value in _named(name, estimate, cause):
                        metrics[_key(part, comparison_name(model_name), task_name)] = value
        return metrics

    def _model(
        self, paired: PairedPass, number: int, model: int, task: int
    ) -> list[tuple[str, float]]:
        totals = paired.totals
        examples = int(totals.examples[number, task])
        positives = int(totals.positives[number, task])
        undefined = int(totals.undefined[number, model, task])
        metrics: list[tuple[str, float]] = [
            (EXAMPLES, examples),
            (POSITIVES, positives),
            (UNDEFINED_PREDICTIONS, undefined),
        ]
        if undefined:
            return metrics
        metrics.append((LOG_LOSS, totals.log_loss[number, model, task] / examples))
        if positives:
            metrics.append((CALIBRATION, totals.predictions[number, model, task] / positives))
        return metrics

    def _causes(self, paired: PairedPass, number: int, task: int) -> list[str | None]:
        """Per model, why its AUC is undefined, or None."""
        totals = paired.totals
        examples, positives = totals.examples[number, task], totals.positives[number, task]
        one_class = positives in (0, examples)
        return [
            f"{undefined} of {examples} predictions are no finite numbers" if undefined
            else f"{positives} positives of {examples}" if one_class
            else None
            for undefined in totals.undefined[number, :, task]
        ]  # fmt: skip

    def _cause_of_pair(self, causes: list[str | None], model: int) -> str | None:
        """Why nothing can be said of a pair of models, or None."""
        for place in (0, model):
            if cause := causes[place]:
                return f"the {self.models[place]} has no AUC here: {cause}"
        return None


def _named(name: str, estimate: Estimate, cause: str | None) -> list[tuple[str, MetricValue]]:
    """A metric where it is defined, and the reason where it or its interval is not."""
    values: list[tuple[str, MetricValue]] = []
    if estimate.value is not None:
        values.append((name, _bounded(estimate)))
    if not cause and estimate.curve is not None:
        values.append((name + CURVE, estimate.curve.to_text()))
    if reason := cause or estimate.reason:
        values.append((name + REASON, reason))
    return values


def _key(name: str, model: str, task: str) -> tfma.metrics.MetricKey:
    return tfma.metrics.MetricKey(name=name, model_name=model, output_name=task)


def _bounded(estimate: Estimate) -> float | metrics_for_slice_pb2.BoundedValue:
    """TFMA writes a bounded value with its interval, a number without one."""
    if estimate.value is not None and estimate.lower is None:
        return float(estimate.value)
    value, lower, upper = (wrappers_pb2.DoubleValue(value=number) for number in estimate[:3])
    return metrics_for_slice_pb2.BoundedValue(value=value, lower_bound=lower, upper_bound=upper)
