"""The transform graph of a run, loaded once per process."""

import os
import threading
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

_lock = threading.Lock()
_loaded: dict[tuple[str, int], Any] = {}


def transform_layer(transformed: tft.TFTransformOutput) -> Any:
    """The layer of a transform graph; the one that was asked for last is kept.

    To load a graph takes Python half a second whatever its size, and TensorFlow as long again to
    prepare its first call outside of another graph. A run's Transform, its trainings, exports and
    what looks into the model all ask for the same one.

    Args:
        transformed: what Transform wrote.

    Returns:
        What `tft.TFTransformOutput.transform_features_layer` gives: raw features to transformed
        ones, both by name.
    """
    folder = transformed.transform_savedmodel_dir
    written = tf.io.gfile.stat(os.path.join(folder, "saved_model.pb")).mtime_nsec
    with _lock:
        if (folder, written) not in _loaded:
            _loaded.clear()
            _loaded[folder, written] = transformed.transform_features_layer()
        return _loaded[folder, written]
