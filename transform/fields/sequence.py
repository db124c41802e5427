"""Behaviour sequences."""

import tensorflow as tf

from mtlx.transform.analysis.analysis import Analysis
from mtlx.transform.analysis.tft_analysis import Inputs
from mtlx.transform.contract import model_inputs
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.fields.ids import ids_of
from mtlx.transform.fields.raw import padded, values_of, widened, with_values


def sequence(
    inputs: Inputs, name: str, contract: DataContract, analysis: Analysis
) -> dict[str, tf.Tensor]:
    """Ids ``(B, max_length)``: the most recent behaviours, oldest first, padded right.

    A sequence with several values per behaviour gives as many outputs, aligned; a value that is
    missing among others of its behaviour has the id of a missing value.
    """
    if contract.sequence(name).beside is not None:
        return {}  # It comes with the sequence that it stands beside.
    parts, outputs, ids = contract.parts(name), {}, []
    for part in parts:
        item = contract.sequence(part).item
        ids.append(
            with_values(inputs[part], ids_of(values_of(inputs[part]), item, contract, analysis))
        )
    items = [_items(ids[0])] if len(parts) == 1 else _aligned_items(ids)
    for part, ragged in zip(parts, items, strict=True):
        length = contract.sequence(part).max_length
        padded = ragged[:, -length:].to_tensor(
            default_value=model_inputs.PADDING_ID, shape=[None, length]
        )
        outputs[part] = tf.ensure_shape(padded, [None, length])
    return outputs


def _items(ids: tf.Tensor | tf.SparseTensor) -> tf.RaggedTensor:
    """The items of a sequence; those without a value tell nothing, but would take places."""
    kept = tf.not_equal(values_of(ids), model_inputs.MISSING_ID)
    if isinstance(ids, tf.SparseTensor):
        rows, count = tf.boolean_mask(ids.indices[:, 0], kept), ids.dense_shape[0]
    else:
        rows, count = tf.where(kept)[:, 0], tf.shape(ids, tf.int64)[0]
    # A sparse tensor's rows are in order; to check it made a third of the traced graph.
    return tf.RaggedTensor.from_value_rowids(
        tf.boolean_mask(values_of(ids), kept), rows, nrows=count, validate=False
    )


def _aligned_items(parts: list[tf.Tensor | tf.SparseTensor]) -> list[tf.RaggedTensor]:
    """The values of behaviours, beside each other; a behaviour without any is left out."""
    nothing = tf.constant(model_inputs.MISSING_ID, tf.int64)
    dense = widened([padded(ids, nothing) for ids in parts], [nothing] * len(parts))
    there = tf.reduce_any(tf.not_equal(tf.stack(dense), nothing), axis=0)  # (B, L)
    places = tf.where(there)
    return [
        tf.RaggedTensor.from_value_rowids(
            tf.gather_nd(values, places),
            places[:, 0],
            nrows=tf.shape(values, tf.int64)[0],
            validate=False,
        )
        for values in dense
    ]
