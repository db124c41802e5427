"""Some evaluated rows with what the candidate predicted for them, kept for whoever serves it."""

import hashlib
import heapq
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma

#: Rows that an evaluation keeps.
SAMPLED_ROWS = 500
#: Key of the sample in extracts and in the evaluation.
SAMPLE_KEY = "sampled_predictions"
#: Beside TFMA's files: a `tf.Example` per row, with the evaluated example in it.
_FILE = "sampled_predictions.tfrecord.gz"
_EXAMPLE, _PREDICTION = "example", "prediction/"

#: Digest of an example, the serialised example, and a probability per task.
_Row: TypeAlias = tuple[bytes, bytes, tuple[float, ...]]


@dataclass(frozen=True)
class SampledPredictions:
    """Rows as they were evaluated.

    Attributes:
        examples: N serialised `tf.Example`s.
        predictions: of the candidate, by task ``(N,)`` float32; NaN where it gave no number.
    """

    examples: list[bytes]
    predictions: dict[str, np.ndarray]


def sample_batch(examples: list[bytes], predictions: Mapping[str, np.ndarray]) -> list[_Row]:
    """The rows that a batch offers for the sample: evenly spread, at most `SAMPLED_ROWS`.

    Args:
        examples: of the batch.
        predictions: of the candidate, by task.
    """
    if not examples:
        return []
    chosen = np.unique(np.linspace(0, len(examples) - 1, SAMPLED_ROWS).astype(np.int64))
    values = np.stack(list(predictions.values()), axis=1)[chosen].tolist()
    rows = [examples[index] for index in chosen]
    return [(_digest(row), row, tuple(found)) for row, found in zip(rows, values, strict=True)]


class SamplePredictions(beam.CombineFn):
    """Keeps the rows whose digests are the least: the same ones in every run."""

    def create_accumulator(self) -> list[_Row]:
        """See Beam."""
        return []

    def add_input(self, accumulator: list[_Row], rows: list[_Row]) -> list[_Row]:
        """See Beam."""
        return heapq.nsmallest(SAMPLED_ROWS, [*accumulator, *rows], key=lambda row: row[:2])

    def merge_accumulators(self, accumulators: Iterable[list[_Row]]) -> list[_Row]:
        """See Beam."""
        merged: list[_Row] = []
        for accumulator in accumulators:
            merged = self.add_input(merged, accumulator)
        return merged

    def extract_output(self, accumulator: list[_Row]) -> list[_Row]:
        """See Beam."""
        return accumulator


def sample_writer(uri: str, tasks: tuple[str, ...]) -> tfma.writers.Writer:
    """Returns a writer of the sample under `SAMPLE_KEY`.

    Args:
        uri: folder of the evaluation.
        tasks: names, in the order of the rows' probabilities.
    """
    return tfma.writers.Writer("WriteSampledPredictions", _WriteSample(uri, tasks))


class _WriteSample(beam.PTransform):
    """An evaluation's sample to its file."""

    def __init__(self, uri: str, tasks: tuple[str, ...]):
        super().__init__()
        self._uri, self._tasks = uri, tasks

    def expand(self, evaluation: tfma.evaluators.Evaluation) -> beam.PCollection:
        return evaluation[SAMPLE_KEY] | "ToFile" >> beam.Map(_write, self._uri, self._tasks)


def _write(rows: list[_Row], uri: str, tasks: tuple[str, ...]) -> None:
    tf.io.gfile.makedirs(uri)
    with tf.io.TFRecordWriter(os.path.join(uri, _FILE), "GZIP") as writer:
        for _, example, values in rows:
            record = tf.train.Example()
            record.features.feature[_EXAMPLE].bytes_list.value.append(example)
            for task, value in zip(tasks, values, strict=True):
                record.features.feature[_PREDICTION + task].float_list.value.append(value)
            writer.write(record.SerializeToString(deterministic=True))


def load_sampled_predictions(uri: str) -> SampledPredictions | None:
    """Reads the sample of an evaluation.

    Args:
        uri: of the ModelEvaluation artifact.

    Returns:
        None where the evaluation has none: it is older, or of another component.
    """
    path = os.path.join(uri, _FILE)
    if not tf.io.gfile.exists(path):
        return None
    examples: list[bytes] = []
    predictions: dict[str, list[float]] = {}
    for record in tf.data.TFRecordDataset(path, "GZIP").as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        examples.append(features[_EXAMPLE].bytes_list.value[0])
        for name, feature in features.items():
            if name.startswith(_PREDICTION):
                task = name.removeprefix(_PREDICTION)
                predictions.setdefault(task, []).append(feature.float_list.value[0])
    return SampledPredictions(
        examples, {task: np.array(values, np.float32) for task, values in predictions.items()}
    )


def _digest(example: bytes) -> bytes:
    return hashlib.blake2b(example, digest_size=8).digest()
