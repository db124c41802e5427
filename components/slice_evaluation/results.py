"""Reads a slice evaluation: the one way in for gate, report and terminal."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf
import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.intervals.confidence_curve import ConfidenceCurve
from mtlx.components.slice_evaluation.metrics.metric_names import ALWAYS, RELATIVE_TO_CHANCE
from mtlx.components.slice_evaluation.models.model_seeds import ModelSeeds, seed_name
from mtlx.components.slice_evaluation.slices import SliceKey
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from mtlx.components.slice_evaluation.statistics.shared_rows import load_shared_rows
from mtlx.components.slice_evaluation.statistics.slice_metrics import (
    ANCHOR,
    AUC,
    AUC_DIFFERENCE,
    BASELINE,
    CALIBRATION,
    CANDIDATE,
    CURVE,
    DIFFERENCE,
    EXAMPLES,
    LEFT_OUT,
    LOG_LOSS,
    POSITIVES,
    REASON,
    REFERENCE,
    RELAIMP,
    RELATIVE,
    UNDEFINED_PREDICTIONS,
    comparison_name,
    stored_name,
)
from mtlx.components.slice_evaluation.stored.found_metrics import Comparison, SliceMetrics
from mtlx.components.slice_evaluation.stored.found_seeds import (
    SeedMetrics,
    TrainedSeeds,
    seeds_words,
)
from mtlx.components.slice_evaluation.stored.slice_order import SliceOrder

__all__ = ["Comparison", "SeedMetrics", "SliceMetrics", "TrainedSeeds"]

#: Beside TFMA's files: what was asked for, and in which order it is shown.
DESCRIPTION_FILE = "slice_evaluation.json"

#: A value and its interval.
_Interval = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class _Values:
    """What a record holds of a model and task, by metric."""

    numbers: dict[str, tuple[float, float | None, float | None]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def interval(self, metric: str) -> _Interval:
        return self.numbers.get(metric, (None, None, None))

    def value(self, metric: str) -> float | None:
        return self.interval(metric)[0]

    def curve(self, metric: str) -> ConfidenceCurve | None:
        text = self.texts.get(metric + CURVE)
        return None if text is None else ConfidenceCurve.from_text(text)

    def count(self, metric: str) -> int:
        return round(self.numbers[metric][0])

    def estimate(self, metric: str) -> Estimate:
        reason = self.texts.get(metric + REASON)
        return Estimate(*self.interval(metric), reason, self.curve(metric))


class EvaluationResultError(ValueError):
    """There is no complete slice evaluation where one was expected."""


@dataclass(frozen=True)
class SliceResults:
    """A whole slice evaluation.

    Attributes:
        models: names, the candidate first.
        tasks: names, in the data contract's order.
        confidence: of all intervals.
        user_key: the feature whose rows were taken as clusters, or None.
        metrics: overall first, then as configured; within a slice by task and model.
        comparisons: in the same order; one per baseline, task and slice.
        incomparable: by model and task why a model that the run has is not compared: the end of
            a sentence about the model. One that is compared in no task is not in `models`.
        notices: sentences on what the intervals do not know, and on which spans a task was judged.
        measured: names of the measured metrics, in the order of `evaluation.metrics`.
        seeds: of models that were trained from several: then `metrics` and `comparisons` are of
            means over them, with intervals over rows (users) and seeds.
        by_seed: values of each seed of these, in the order of `metrics`.
    """

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    confidence: float
    user_key: str | None
    metrics: list[SliceMetrics]
    comparisons: list[Comparison]
    incomparable: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    measured: tuple[str, ...] = ALWAYS
    seeds: Mapping[str, TrainedSeeds] = field(default_factory=dict)
    by_seed: Sequence[SeedMetrics] = ()

    @property
    def seeds_words(self) -> str:
        """On how many trainings all rests, in a sentence; empty where the candidate has one."""
        return seeds_words(self.models, self.seeds, self.user_key)

    @property
    def slices(self) -> tuple[SliceKey, ...]:
        """The slices that occur, overall first."""
        return tuple(dict.fromkeys(entry.key for entry in self.metrics))

    def metric(self, model: str, task: str, key: SliceKey = ()) -> SliceMetrics | None:
        """Returns the metrics of a model, task and slice, or None if it was not measured."""
        wanted = (model, task, key)
        return next((m for m in self.metrics if (m.model, m.task, m.key) == wanted), None)

    def comparison(self, baseline: str, task: str, key: SliceKey = ()) -> Comparison | None:
        """Returns the comparison with a baseline, or None if there is none."""
        wanted = (baseline, task, key)
        return next((c for c in self.comparisons if (c.baseline, c.task, c.key) == wanted), None)


def write_description(
    uri: str,
    models: tuple[str, ...],
    tasks: tuple[str, ...],
    crosses: list[tuple[str, ...]],
    first_values: dict[str, list[str]],
    confidence: float,
    user_key: str | None,
    incomparable: Mapping[str, Mapping[str, str]] | None = None,
    notices: tuple[str, ...] = (),
    metrics: Sequence[str] = ALWAYS,
    seeds: ModelSeeds | None = None,
) -> None:
    """Writes what TFMA's files do not say.

    Args:
        uri: folder of the evaluation.
        models: names, the candidate first.
        tasks: names.
        crosses: shown keys of each configured cross.
        first_values: per shown key the order of its values, where the data contract has one.
        confidence: of the intervals.
        user_key: the clusters' feature, or None.
        incomparable: as in `SliceResults`.
        notices: what a person has to know of the rows that were judged.
        metrics: as in `evaluation.metrics`.
        seeds: which models were trained from several seeds; None for none.
    """
    repeated = seeds.by_model if seeds else {}
    description = {
        "models": models,
        "tasks": tasks,
        "crosses": crosses,
        "order": first_values,
        "confidence": confidence,
        "user_key": user_key,
        "incomparable": incomparable or {},
        "notices": notices,
        "metrics": tuple(dict.fromkeys((*metrics, *ALWAYS))),
        "seeds": {
            name: {"seeds": tuple(own), "exported": seeds and seeds.exported(name)}
            for name, own in repeated.items()
        },
    }
    with tf.io.gfile.GFile(os.path.join(uri, DESCRIPTION_FILE), "w") as file:
        file.write(json.dumps(description, indent=2))


def load_results(uri: str) -> SliceResults:
    """Reads the evaluation that the component `SliceEvaluation` wrote.

    Args:
        uri: of the ModelEvaluation artifact.

    Raises:
        EvaluationResultError: files are missing, or hold nothing on the candidate.
    """
    description = _read_description(uri)
    order = SliceOrder(description["crosses"], description["order"])
    by_slice: dict[SliceKey, dict[tuple[str, str], _Values]] = {}
    for record in tfma.load_metrics(uri):
        key = tuple(_slice_pair(single) for single in record.slice_key.single_slice_keys)
        by_slice[key] = _values_by_model_and_task(record)
    models, tasks = tuple(description["models"]), tuple(description["tasks"])
    incomparable = description.get("incomparable", {})
    measured = tuple(description.get("metrics", ALWAYS))
    trained = {
        name: TrainedSeeds(tuple(own["seeds"]), own["exported"])
        for name, own in description.get("seeds", {}).items()
    }
    metrics, comparisons, by_seed = [], [], []
    for key in sorted(by_slice, key=order):
        values = by_slice[key]
        for task in tasks:
            for model in models:
                if (model, task) in values and task not in incomparable.get(model, {}):
                    own = values[model, task]
                    metrics.append(_slice_metrics(model, task, key, own, measured))
                    if model in trained:
                        seeds = trained[model].seeds
                        by_seed += _of_seeds(values, model, seeds, task, key, measured)
            if (CANDIDATE, task) not in values:
                continue
            for baseline in (BASELINE, REFERENCE, ANCHOR):
                if baseline in models and task not in incomparable.get(baseline, {}):
                    compared = values.get((comparison_name(baseline), task), _Values())
                    comparisons.append(_comparison(baseline, task, key, compared, measured))
    if not metrics:
        raise EvaluationResultError(f"the evaluation in {uri} holds no metrics; run it again")
    return SliceResults(
        models,
        tasks,
        description["confidence"],
        description["user_key"],
        metrics,
        comparisons,
        incomparable,
        notices=(
            *description.get("notices", ()),
            *(shared.notice for shared in load_shared_rows(uri)[:1]),
        ),
        measured=measured,
        seeds=trained,
        by_seed=by_seed,
    )


def _of_seeds(
    values: Mapping[tuple[str, str], _Values],
    model: str,
    seeds: tuple[int, ...],
    task: str,
    key: SliceKey,
    measured: tuple[str, ...],
) -> list[SeedMetrics]:
    found = []
    for seed in seeds:
        numbers = values.get((seed_name(model, seed), task), _Values()).numbers
        own = {name: numbers[s][0] for name in measured if (s := stored_name(name)) in numbers}
        found.append(SeedMetrics(model, seed, task, key, own))
    return found


def _read_description(uri: str) -> dict[str, Any]:
    path = os.path.join(uri, DESCRIPTION_FILE)
    if not tf.io.gfile.exists(path):
        raise EvaluationResultError(
            f"{path} does not exist: {uri} is no finished evaluation of the SliceEvaluation "
            "component; run that node again"
        )
    with tf.io.gfile.GFile(path) as file:
        return json.load(file)


def _slice_pair(single: tfma.proto.metrics_for_slice_pb2.SingleSliceKey) -> tuple[str, str]:
    return single.column, single.bytes_value.decode("utf-8")


def _values_by_model_and_task(
    record: tfma.proto.metrics_for_slice_pb2.MetricsForSlice,
) -> dict[tuple[str, str], _Values]:
    values: dict[tuple[str, str], _Values] = {}
    for entry in record.metric_keys_and_values:
        lower = upper = None
        if entry.HasField("confidence_interval"):
            lower = entry.confidence_interval.lower_bound.double_value.value
            upper = entry.confidence_interval.upper_bound.double_value.value
        place = values.setdefault((entry.key.model_name, entry.key.output_name), _Values())
        if entry.value.WhichOneof("type") == "bytes_value":
            place.texts[entry.key.name] = entry.value.bytes_value.decode("utf-8")
        else:
            place.numbers[entry.key.name] = (entry.value.double_value.value, lower, upper)
    return values


def _slice_metrics(
    model: str, task: str, key: SliceKey, values: _Values, measured: tuple[str, ...]
) -> SliceMetrics:
    left_out = {name: stored_name(name) + LEFT_OUT for name in measured}
    return SliceMetrics(
        model,
        task,
        key,
        *values.interval(AUC),
        log_loss=values.value(LOG_LOSS),
        calibration=values.value(CALIBRATION),
        positives=values.count(POSITIVES),
        examples=values.count(EXAMPLES),
        undefined_predictions=values.count(UNDEFINED_PREDICTIONS),
        auc_reason=values.texts.get(AUC + REASON),
        auc_curve=values.curve(AUC),
        values={name: values.estimate(stored_name(name)) for name in measured},
        left_out={
            name: values.count(stored)
            for name, stored in left_out.items()
            if stored in values.numbers
        },
    )


def _comparison(
    baseline: str, task: str, key: SliceKey, values: _Values, measured: tuple[str, ...]
) -> Comparison:
    relative = [name for name in measured if name in RELATIVE_TO_CHANCE and name != AUC]
    return Comparison(
        baseline,
        task,
        key,
        *values.interval(RELAIMP),
        *values.interval(AUC_DIFFERENCE),
        relaimp_reason=values.texts.get(RELAIMP + REASON),
        auc_difference_reason=values.texts.get(AUC_DIFFERENCE + REASON),
        relaimp_curve=values.curve(RELAIMP),
        auc_difference_curve=values.curve(AUC_DIFFERENCE),
        differences={name: values.estimate(stored_name(name) + DIFFERENCE) for name in measured},
        relative={name: values.estimate(stored_name(name) + RELATIVE) for name in relative},
    )
