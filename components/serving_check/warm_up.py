"""Requests that TensorFlow Serving replays when it loads a model, so that no caller waits first."""

import os
from collections.abc import Collection

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from mtlx.trainer.serving.signatures import (
    COLUMNS_SIGNATURE,
    EXAMPLES_SIGNATURE,
    REQUEST_SIGNATURE,
)

#: Where TensorFlow Serving looks for them.
WARM_UP_FILE = "assets.extra/tf_serving_warmup_requests"


def write_warm_up(
    folder: str,
    examples: list[bytes],
    columns: dict[str, np.ndarray],
    request: Collection[str] = (),
) -> int:
    """Writes requests into a SavedModel: one row and all rows, for each signature.

    The same rows give the same bytes, so that the model keeps its digest.

    Args:
        folder: of the SavedModel.
        examples: N serialised `tf.Example`s without labels.
        columns: the same rows, see `columns_of`.
        request: names of the columns that a request has once; without any there is no signature
            that takes them so.

    Returns:
        How many requests were written.
    """
    requests = []
    for rows in sorted({1, len(examples)}):
        batch = {"examples": np.array(examples[:rows], object)}
        requests.append(_request(EXAMPLES_SIGNATURE, batch))
        few = {name: values[:rows] for name, values in columns.items()}
        requests.append(_request(COLUMNS_SIGNATURE, few))
        if request:
            once = {name: values[:1] for name, values in few.items() if name in request}
            requests.append(_request(REQUEST_SIGNATURE, {**few, **once}))
    path = os.path.join(folder, WARM_UP_FILE)
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.TFRecordWriter(path) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictLog(request=request)
            record = prediction_log_pb2.PredictionLog(predict_log=log)
            writer.write(record.SerializeToString(deterministic=True))
    return len(requests)


def _request(signature: str, inputs: dict[str, np.ndarray]) -> predict_pb2.PredictRequest:
    """No model's name: the server knows which one it loads."""
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = signature
    for name, values in inputs.items():
        dtype = tf.string if values.dtype == object else values.dtype
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values, dtype))
    return request
