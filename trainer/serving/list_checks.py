"""What a served graph refuses of features with lists: weights and vectors.

As in `mtlx.trainer.serving.request_checks`, all checks are operations of the graph, and a text
names position and feature.
"""

import functools
from collections.abc import Collection, Mapping

import tensorflow as tf

from mtlx.trainer.serving.request_checks import FROM, row_lengths, text, unless
from mtlx.transform.fields.raw import padded, widened
from mtlx.transform.fields.vector import dense_vectors

Parsed = dict[str, tf.Tensor | tf.SparseTensor]


def sound_weights(parsed: Parsed, weighted: list[tuple[str, str]]) -> Parsed:
    """Refuses values without a weight, and weights below 0.

    Args:
        parsed: raw features; a place that holds nothing is one where the value is missing.
        weighted: names of the features with weights, and of their weights.

    Returns:
        `parsed`.
    """
    for name, named in weighted:
        values, weights = parsed[name], parsed[named]
        none = tf.constant(float("nan"))
        nothing = tf.constant("" if values.dtype == tf.string else values.dtype.min, values.dtype)
        texts, numbers = widened([padded(values, nothing), padded(weights, none)], [nothing, none])
        lacking = tf.not_equal(texts, nothing) & ~tf.math.is_finite(numbers)
        wrong = tf.reduce_any(lacking | (numbers < 0), axis=1)
        told = tf.cond(
            tf.reduce_any(wrong),
            functools.partial(_wrong_weight, name, named, wrong),
            lambda: tf.constant(""),
        )
        parsed = unless(told, parsed)
    return parsed


def _wrong_weight(name: str, named: str, wrong: tf.Tensor) -> tf.Tensor:
    """Names the first row that has one."""
    row = tf.argmax(tf.cast(wrong, tf.int64))
    remedy = ": give every value one, a number that is 0 or above"
    return text(
        "Feature ",
        named,
        " lacks a weight of ",
        name,
        " or has one below 0 at position ",
        row,
        FROM,
        remedy,
    )


def whole_vectors(parsed: Parsed, sizes: Mapping[str, int], dense: Collection[str]) -> Parsed:
    """Refuses vectors of another length, or with what is no finite number.

    Args:
        parsed: raw features, vectors sparse.
        sizes: how many numbers the vectors have, by feature.
        dense: names of the vectors that the transform graph takes dense.

    Returns:
        `parsed`; a row without a vector has no value there, or NaN where it is dense.
    """
    for name, size in sizes.items():
        finite = tf.sparse.retain(parsed[name], tf.math.is_finite(parsed[name].values))
        lengths = row_lengths(finite)
        wrong = (lengths > 0) & (lengths != size)
        told = tf.cond(
            tf.reduce_any(wrong),
            functools.partial(_wrong_length, name, size, lengths, wrong),
            lambda: tf.constant(""),
        )
        parsed = unless(told, {**parsed, name: finite})
        if name in dense:
            parsed[name] = dense_vectors(parsed[name], size)
    return parsed


def _wrong_length(name: str, size: int, lengths: tf.Tensor, wrong: tf.Tensor) -> tf.Tensor:
    """Names the first row that has one."""
    row = tf.argmax(tf.cast(wrong, tf.int64))
    remedy = ", and has to have ", size, ": give all of them, or none where there is no vector"
    return text(
        "Feature ",
        name,
        " has ",
        lengths[row],
        " finite numbers at position ",
        row,
        FROM,
        *(str(part) for part in remedy),
    )
