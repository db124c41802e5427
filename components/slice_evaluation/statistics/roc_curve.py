"""The candidate's ROC of each task over all rows, written beside TFMA's files."""

import json
import os
from dataclasses import asdict, dataclass

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.statistics.score_histogram import scores_of_keys
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals

#: File in the evaluation's folder.
ROC_FILE = "roc.json"
#: Under which the evaluator hands the curves to the writer.
ROC_KEY = "roc"
#: Points of one curve at most.
MAXIMUM_POINTS = 200


@dataclass(frozen=True)
class RocCurve:
    """A ROC, from (0, 0) to (1, 1).

    Attributes:
        false_positive_rate: ascending.
        recall: ascending, as many.
        thresholds: descending and finite; rows with a score of at least this are called positive.
        thinned: whether points between these were left out.
    """

    false_positive_rate: list[float]
    recall: list[float]
    thresholds: list[float]
    thinned: bool


def roc_curves(totals: SliceTotals, tasks: tuple[str, ...]) -> dict[str, RocCurve]:
    """Returns the candidate's curve of each task over all rows.

    Args:
        totals: of all rows, the candidate as the first model.
        tasks: names.

    Returns:
        By task; a task without one of the classes, whose labels are numbers, or with predictions
        that are no finite numbers has none.
    """
    histogram = totals.histogram
    histogram.compact()
    (overall,) = totals.ordinals(((),))
    groups, curves = histogram.groups(), {}
    for number, task in enumerate(tasks):
        if number in totals.regressions:  # Zero and above are no classes.
            continue
        positives, negatives = totals.positives[overall, number], totals.negatives[overall, number]
        if not positives or not negatives or totals.undefined[overall, 0, number]:
            continue
        group = totals.groups(overall, 0, number)
        first, last = np.searchsorted(groups, [group, group + 1])
        curves[task] = _curve(
            scores_of_keys(histogram.keys[first:last]),
            histogram.positives[first:last],
            histogram.negatives[first:last],
        )
    return curves


def _curve(scores: np.ndarray, positives: np.ndarray, negatives: np.ndarray) -> RocCurve:
    """The curve of distinct ascending scores ``(K,)`` with the rows of each class."""
    recall = np.r_[0, np.cumsum(positives[::-1])] / positives.sum()
    false_positive_rate = np.r_[0, np.cumsum(negatives[::-1])] / negatives.sum()
    # Nothing is at or above the first threshold, which should be a number as well.
    none = max(1.0, float(np.nextafter(scores[-1], np.float32(np.inf))))
    thresholds = np.r_[none, scores[::-1].astype(np.float64)]
    chosen = np.arange(len(recall))
    if len(recall) > MAXIMUM_POINTS:
        # At equal steps of both rates together: no piece that is left out is long in either.
        walked = recall + false_positive_rate
        wanted = np.linspace(0.0, walked[-1], MAXIMUM_POINTS)
        chosen = np.unique(np.r_[np.searchsorted(walked, wanted[:-1]), len(recall) - 1])
    return RocCurve(
        false_positive_rate[chosen].tolist(),
        recall[chosen].tolist(),
        thresholds[chosen].tolist(),
        thinned=len(chosen) < len(recall),
    )


def roc_writer(uri: str) -> tfma.writers.Writer:
    """Returns a writer of the curves under `ROC_KEY`.

    Args:
        uri: folder of the evaluation.
    """
    return tfma.writers.Writer("WriteRocCurves", _WriteCurves(uri))


class _WriteCurves(beam.PTransform):
    """An evaluation's curves to `ROC_FILE`."""

    def __init__(self, uri: str):
        super().__init__()
        self._uri = uri

    def expand(self, evaluation: tfma.evaluators.Evaluation) -> beam.PCollection:
        return evaluation[ROC_KEY] | "ToFile" >> beam.Map(_write, self._uri)


def _write(curves: dict[str, RocCurve], uri: str) -> None:
    tf.io.gfile.makedirs(uri)
    with tf.io.gfile.GFile(os.path.join(uri, ROC_FILE), "w") as file:
        file.write(json.dumps({task: asdict(curve) for task, curve in curves.items()}))


def load_roc_curves(uri: str) -> dict[str, RocCurve]:
    """Reads the curves of an evaluation, by task.

    Args:
        uri: of the ModelEvaluation artifact.

    Returns:
        Empty where the evaluation has none: it is older, or of another component.
    """
    path = os.path.join(uri, ROC_FILE)
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        return {task: RocCurve(**curve) for task, curve in json.load(file).items()}
