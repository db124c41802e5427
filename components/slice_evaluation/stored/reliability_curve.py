"""The candidate's reliability curve of each task over all rows, written beside TFMA's files."""

import json
import os
from dataclasses import asdict

import apache_beam as beam
import tensorflow as tf
import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.metrics.ece import Ece
from mtlx.components.slice_evaluation.metrics.score_bins import ReliabilityCurve, ScoreBins
from mtlx.components.slice_evaluation.statistics.paired_pass import PairedPass

#: File in the evaluation's folder.
RELIABILITY_FILE = "reliability.json"
#: Under which the evaluator hands the curves to the writer.
RELIABILITY_KEY = "reliability"


def reliability_curves(paired: PairedPass, tasks: tuple[str, ...]) -> dict[str, ReliabilityCurve]:
    """Returns the candidate's curve of each task over all rows.

    Args:
        paired: with the bins of the ECE, where that is measured; else there is no curve.
        tasks: names.

    Returns:
        By task; a task without rows, whose labels are numbers, or with predictions that are no
        finite numbers has none.
    """
    totals = paired.totals
    named = (name for name, metric in paired.metrics.items() if isinstance(metric, Ece))
    name = next(named, None)
    if name is None:
        return {}
    bins: ScoreBins = paired.prepared[name]
    (overall,) = totals.ordinals(((),))
    curves = {}
    for number, task in enumerate(tasks):
        if not totals.examples[overall, number] or totals.undefined[overall, 0, number]:
            continue
        found = bins.reliability(int(totals.groups(overall, 0, number)))
        if found.weight:
            curves[task] = found
    return curves


def reliability_writer(uri: str) -> tfma.writers.Writer:
    """Returns a writer of the curves under `RELIABILITY_KEY`.

    Args:
        uri: folder of the evaluation.
    """
    return tfma.writers.Writer("WriteReliabilityCurves", _WriteCurves(uri))


class _WriteCurves(beam.PTransform):
    """An evaluation's curves to `RELIABILITY_FILE`."""

    def __init__(self, uri: str):
        super().__init__()
        self._uri = uri

    def expand(self, evaluation: tfma.evaluators.Evaluation) -> beam.PCollection:
        return evaluation[RELIABILITY_KEY] | "ToFile" >> beam.Map(_write, self._uri)


def _write(curves: dict[str, ReliabilityCurve], uri: str) -> None:
    tf.io.gfile.makedirs(uri)
    with tf.io.gfile.GFile(os.path.join(uri, RELIABILITY_FILE), "w") as file:
        file.write(json.dumps({task: asdict(curve) for task, curve in curves.items()}))


def load_reliability_curves(uri: str) -> dict[str, ReliabilityCurve]:
    """Reads the curves of an evaluation, by task.

    Args:
        uri: of the ModelEvaluation artifact.

    Returns:
        Empty where the evaluation has none: it is older, or measured no ECE.
    """
    path = os.path.join(uri, RELIABILITY_FILE)
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        return {task: ReliabilityCurve(**curve) for task, curve in json.load(file).items()}
