"""Reads what ExampleValidator found."""

import os
from dataclasses import dataclass

import tensorflow as tf
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import types
from tfx.types import artifact_utils

#: File of ExampleValidator in each split's folder.
_ANOMALIES_FILE = "SchemaDiff.pb"


@dataclass(frozen=True)
class Anomaly:
    """One thing in which the data differs from its schema.

    Attributes:
        split: of the examples.
        feature: its path, or ``(data set)`` for what concerns no single feature.
        short_description: of ExampleValidator.
        description: the same in a sentence.
        severity: ``ERROR``, ``WARNING`` or ``UNKNOWN``.
    """

    split: str
    feature: str
    short_description: str
    description: str
    severity: str


def load_anomalies(artifact: types.Artifact) -> list[Anomaly]:
    """Returns the anomalies of all splits, by split and feature.

    Args:
        artifact: ExampleAnomalies, written by ExampleValidator.

    Raises:
        FileNotFoundError: a split that the artifact names has no result.
    """
    found: list[Anomaly] = []
    for split in artifact_utils.decode_split_names(artifact.split_names):
        path = os.path.join(artifact.uri, f"Split-{split}", _ANOMALIES_FILE)
        if not tf.io.gfile.exists(path):
            raise FileNotFoundError(
                f"{path} does not exist: ExampleValidator did not finish split {split!r}"
            )
        with tf.io.gfile.GFile(path, "rb") as file:
            found += _of_split(split, anomalies_pb2.Anomalies.FromString(file.read()))
    return found


def _of_split(split: str, result: anomalies_pb2.Anomalies) -> list[Anomaly]:
    infos = [(path, result.anomaly_info[path]) for path in sorted(result.anomaly_info)]
    if result.HasField("dataset_anomaly_info"):
        infos.append(("(data set)", result.dataset_anomaly_info))
    found = [
        Anomaly(
            split,
            path,
            info.short_description,
            info.description,
            anomalies_pb2.AnomalyInfo.Severity.Name(info.severity),
        )
        for path, info in infos
    ]
    if result.data_missing:
        text = "The split has no examples."
        found.append(Anomaly(split, "(data set)", "No examples", text, "ERROR"))
    return found
