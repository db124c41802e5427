"""Missing values in raw features: the contract's markers, in TensorFlow's graphs."""

import tensorflow as tf

from mtlx.transform.contract.data_contract import DataContract


def is_missing(texts: tf.Tensor, contract: DataContract) -> tf.Tensor:
    """Which texts, of any shape, are a marker of a missing value, blanks at their ends left out."""
    bare = tf.strings.strip(texts)
    found = tf.zeros_like(bare, tf.bool)
    for marker in contract.missing:
        found = tf.logical_or(found, tf.equal(bare, marker))
    return found


def as_texts(values: tf.Tensor, contract: DataContract) -> tf.Tensor:
    """Values of a categorical feature or a sequence as texts, ``""`` where they are missing.

    Args:
        values: of any shape; other readers than ours may have made numbers of them.
        contract: the data contract.
    """
    texts = plain_texts(values)
    return tf.where(is_missing(texts, contract), "", texts)


def plain_texts(values: tf.Tensor) -> tf.Tensor:
    """Values of any shape as texts, whether or not these stand for a missing value.

    Whole numbers are written as integers, as our readers do; NaN as ``""``.
    """
    if values.dtype == tf.string:
        return values
    if values.dtype.is_integer:
        return tf.strings.as_string(values)
    whole = tf.equal(tf.floor(values), values) & (tf.abs(values) < 2.0**63)
    integers = tf.strings.as_string(tf.cast(tf.where(whole, values, 0.0), tf.int64))
    texts = tf.where(whole, integers, tf.strings.as_string(values, shortest=True))
    return tf.where(tf.math.is_nan(values), "", texts)


def as_numbers(values: tf.Tensor, contract: DataContract) -> tf.Tensor:
    """Values of a numeric feature as float32, NaN where they are missing.

    Args:
        values: of any shape; other readers than ours leave texts where one value is no number.
        contract: the data contract.
    """
    if values.dtype == tf.string:
        values = tf.where(is_missing(values, contract), "nan", tf.strings.strip(values))
        values = tf.strings.to_number(values)
    numbers = tf.cast(values, tf.float32)
    for marker in contract.missing_numbers:
        numbers = tf.where(tf.equal(numbers, marker), float("nan"), numbers)
    return numbers


def plain_numbers(values: tf.Tensor) -> tf.Tensor:
    """Values of any shape as float32, whether or not they stand for a missing value."""
    if values.dtype == tf.string:
        values = tf.strings.to_number(tf.strings.strip(values))
    return tf.cast(values, tf.float32)
