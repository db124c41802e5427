"""An analysis that is done: read from its folder, constant in the transform graph."""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from mtlx.transform.analysis.analysis import NumericSummary, VectorMoments, vocabulary_name

#: File with the scalars, beside the vocabularies' files.
_NUMBERS_FILE = "numbers.json"
#: The same beside a transform graph, in which they are constants.
_KEPT_NUMBERS = f"numeric_analysis/{_NUMBERS_FILE}"


def write_numbers(folder: str, numbers: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes the scalars of an analysis, by feature, for `FinishedAnalysis` to read."""
    with tf.io.gfile.GFile(os.path.join(folder, _NUMBERS_FILE), "w") as file:
        file.write(json.dumps(numbers))


def read_numbers(folder: str) -> dict[str, dict[str, Any]]:
    """Inverse of `write_numbers`."""
    with tf.io.gfile.GFile(os.path.join(folder, _NUMBERS_FILE)) as file:
        numbers: dict[str, dict[str, Any]] = json.load(file)
    return numbers


def keep_numbers(folder: str, graph: str) -> None:
    """Copies the scalars of an analysis to its transform graph, for a later analysis to keep."""
    target = os.path.join(graph, _KEPT_NUMBERS)
    tf.io.gfile.makedirs(os.path.dirname(target))
    tf.io.gfile.copy(os.path.join(folder, _NUMBERS_FILE), target, overwrite=True)


def kept_numbers(graph: str) -> str | None:
    """Path of what `keep_numbers` wrote; None where it never did."""
    path = os.path.join(graph, _KEPT_NUMBERS)
    return path if tf.io.gfile.exists(path) else None


class FinishedAnalysis:
    """What `mtlx.components.one_pass_transform.one_pass_analysis` wrote; see
    `mtlx.transform.analysis.analysis.Analysis`.

    To be used inside a `preprocessing_fn`; the vocabularies become assets of its graph.

    Args:
        folder: of the analysis.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._numbers = read_numbers(folder)
        self._tables: dict[str, tf.lookup.StaticHashTable] = {}

    def lookup(self, feature: str, values: tf.Tensor) -> tf.Tensor:
        """See `mtlx.transform.analysis.analysis.Analysis`."""
        if feature not in self._tables:
            name = vocabulary_name(feature)
            path = os.path.join(self._folder, name)
            self._tables[feature] = tft.make_and_track_object(lambda: _table(path), name=name)
            tft.annotate_asset(name, name)
        return self._tables[feature].lookup(values)

    def summary(self, feature: str) -> NumericSummary:
        """See `mtlx.transform.analysis.analysis.Analysis`."""
        numbers = dict(self._numbers[feature])
        boundaries = numbers.pop("boundaries", None)
        if boundaries is not None:
            boundaries = np.asarray(boundaries, np.float32)
        return NumericSummary(**numbers, boundaries=boundaries)

    def moments(self, feature: str) -> VectorMoments:
        """See `mtlx.transform.analysis.analysis.Analysis`."""
        found = self._numbers[feature]
        mean, deviation = (np.asarray(found[key], np.float32) for key in ("mean", "deviation"))
        return VectorMoments(mean, deviation)


def _table(path: str) -> tf.lookup.StaticHashTable:
    """A vocabulary file's lines to their places."""
    lines = tf.lookup.TextFileInitializer(
        path,
        tf.string,
        tf.lookup.TextFileIndex.WHOLE_LINE,
        tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    return tf.lookup.StaticHashTable(lines, default_value=-1)
