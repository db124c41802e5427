"""Finished numbers as TFMA stores them."""

from typing import TypeAlias

import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2
from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from mtlx.components.slice_evaluation.slices import SliceKey
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from mtlx.components.slice_evaluation.statistics.slice_metrics import Place, Value

MetricValue: TypeAlias = float | str | metrics_for_slice_pb2.BoundedValue
Metrics = dict[tfma.metrics.MetricKey, MetricValue]


def stored_metrics(
    slices: list[tuple[SliceKey, dict[Place, Value]]],
) -> list[tuple[SliceKey, Metrics]]:
    """Returns what TFMA's writer takes.

    Args:
        slices: of `SliceMetricsBuilder`.
    """
    return [
        (key, {_key(place): _stored(value) for place, value in values.items()})
        for key, values in slices
    ]


def _key(place: Place) -> tfma.metrics.MetricKey:
    return tfma.metrics.MetricKey(name=place.name, model_name=place.model, output_name=place.task)


def _stored(value: Value) -> MetricValue:
    """TFMA writes a bounded value with its interval, a number without one."""
    if not isinstance(value, Estimate):
        return value
    if value.value is not None and value.lower is None:
        return float(value.value)
    found, lower, upper = (wrappers_pb2.DoubleValue(value=number) for number in value[:3])
    return metrics_for_slice_pb2.BoundedValue(value=found, lower_bound=lower, upper_bound=upper)
