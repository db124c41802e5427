"""What is known only when training, as a served model takes it: the same in every row.

The export, the crosses that have such a feature and the validation split go by this alone.
"""

from collections.abc import Mapping

import tensorflow as tf

from mtlx.transform.contract.data_contract import DataContract


def served_alike(
    contract: DataContract,
    specs: Mapping[str, tf.io.FixedLenFeature | tf.io.VarLenFeature],
    rows: tf.Tensor,
) -> dict[str, tf.Tensor | tf.SparseTensor]:
    """Raw features that the contract knows only when training, with what `serve_as` says, or none.

    Args:
        contract: the data contract.
        specs: parsing specs of these features at least, by name.
        rows: how many, an int64 scalar.

    Returns:
        By feature what parsing so many rows would have given.
    """
    return {
        name: _column(specs[name], getattr(contract.features[name], "serve_as", None), rows)
        for name in contract.training_only
    }


def spec_of(x: tf.Tensor | tf.SparseTensor) -> tf.io.FixedLenFeature | tf.io.VarLenFeature:
    """How a raw feature was parsed."""
    if isinstance(x, tf.SparseTensor):
        return tf.io.VarLenFeature(x.dtype)
    return tf.io.FixedLenFeature(x.shape[1:], x.dtype)


def rows_of(x: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """Number of rows, an int64 scalar."""
    rows = x.dense_shape[0] if isinstance(x, tf.SparseTensor) else tf.shape(x)[0]
    return tf.cast(rows, tf.int64)


def typed(values: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Values of a column in the schema's type.

    Other readers than ours make integers of what the contract calls text. A text that is no
    integer becomes one that no log holds: it is unknown, and no reason to fail.
    """
    if values.dtype == dtype:
        return values
    if values.dtype != tf.string:
        return tf.cast(values, dtype)
    if dtype == tf.int64:
        whole = tf.strings.regex_full_match(values, "[+-]?[0-9]{1,18}")
        values = tf.where(whole, values, str(tf.int64.min))
    return tf.strings.to_number(values, dtype)


def _column(
    spec: tf.io.FixedLenFeature | tf.io.VarLenFeature, value: str | float | None, rows: tf.Tensor
) -> tf.Tensor | tf.SparseTensor:
    """A feature of so many rows that has the same value in each, or none."""
    if isinstance(spec, tf.io.FixedLenFeature):
        missing = {tf.string: "", tf.float32: float("nan")}.get(spec.dtype, tf.int64.min)
        given = tf.constant(missing, spec.dtype)
        if value is not None:
            given = typed(tf.constant(value), spec.dtype)
        return tf.fill(tf.concat([[rows], spec.shape], axis=0), given)
    width = tf.cast(value is not None, tf.int64)
    given = tf.zeros([0], spec.dtype)
    if value is not None:
        given = tf.fill([rows], typed(tf.constant(value), spec.dtype))
    places = tf.stack([tf.range(rows), tf.zeros([rows], tf.int64)], axis=1)
    return tf.SparseTensor(places[: rows * width], given, [rows, width])
