import os
import shutil

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from mtlx.transform.analysis.transform_layer import transform_layer


def test_a_graph_is_loaded_once_and_anew_where_it_was_written_anew(transformed, tmp_path):
    folder = str(tmp_path / "graph")
    shutil.copytree(os.path.dirname(transformed.graph.transform_savedmodel_dir), folder)
    layer = transform_layer(tft.TFTransformOutput(folder))
    assert transform_layer(tft.TFTransformOutput(folder)) is layer
    os.utime(os.path.join(folder, "transform_fn", "saved_model.pb"), (1, 1))
    again = transform_layer(tft.TFTransformOutput(folder))
    assert again is not layer
    raw = {"count": tf.ragged.constant([[3.0], []], dtype=tf.float32).to_sparse()}
    expected = transformed.graph.transform_features_layer()(raw)["count"]
    np.testing.assert_array_equal(again(raw)["count"], expected)
