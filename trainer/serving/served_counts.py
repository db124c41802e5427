"""How many values of a request the model knows: a signature that counts, row by row."""

from collections.abc import Mapping

import tensorflow as tf

from mtlx.trainer.serving.request_checks import row_lengths
from mtlx.trainer.serving.training_ranges import Transform
from mtlx.transform.columns.domain_values import domain_text, is_listed
from mtlx.transform.columns.missing_values import as_numbers, as_texts
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import Feature, NumericFeature, VectorFeature
from mtlx.transform.contract.kinds.vector import MOST_DEVIATIONS
from mtlx.transform.contract.model_inputs import MISSING_ID, OUT_OF_VOCABULARY_ID, PADDING_ID
from mtlx.transform.fields.vector import dense_vectors


class ServedCounts:
    """Raw features to counts.

    Args:
        contract: the data contract.
        transform: the transform graph.
        ranges: of numeric features, see `mtlx.trainer.serving.training_ranges`.
        largest: of weights, likewise.
    """

    def __init__(
        self,
        contract: DataContract,
        transform: Transform,
        ranges: Mapping[str, tuple[float, float]],
        largest: Mapping[str, float],
    ) -> None:
        self._contract, self._ranges, self._largest = contract, dict(ranges), dict(largest)
        self._transform = transform

    def __call__(self, raw: Mapping[str, tf.Tensor | tf.SparseTensor]) -> dict[str, tf.Tensor]:
        """Counts.

        Args:
            raw: features as the transform graph takes them.

        Returns:
            ``present``, ``unknown`` and ``clipped``, ``(B, F)`` int64 with the features in the
            contract's order: values that are there (items of a sequence, of those that are
            kept), that the vocabulary does not hold, and that lie outside the training split's
            range (vectors or weights, of which one does); ``unlisted_domain`` ``(B,)`` int64, 1
            where the row names none of the domains.
        """
        transformed = self._transform(raw)
        parts = [self._of_feature(name, raw[name], transformed) for name in self._contract.features]
        present, unknown, clipped = (
            tf.stack(columns, axis=1) for columns in zip(*parts, strict=True)
        )
        return {
            "present": present,
            "unknown": unknown,
            "clipped": clipped,
            "unlisted_domain": self._unlisted(raw, present),
        }

    def _of_feature(
        self,
        name: str,
        x: tf.Tensor | tf.SparseTensor,
        transformed: Mapping[str, tf.Tensor],
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Present, unknown and clipped values of one feature, ``(B,)`` int64 each."""
        feature = self._contract.features[name]
        if isinstance(feature, NumericFeature):
            return self._of_number(name, feature, x)
        of = feature.vocabulary_of(name)
        if of is None:  # A vector, or weights.
            there = _int(_list_lengths(x) > 0)
            outside = self._outside(name, feature, x, transformed)
            return there, tf.zeros_like(there), _int(outside)
        if not feature.is_read:
            there = _int(as_texts(domain_text(x), self._contract) != "")
            return there, tf.zeros_like(there), tf.zeros_like(there)
        ids = transformed[name]
        ids = ids[:, tf.newaxis] if feature.takes_one else ids  # (B, L)
        there = tf.reduce_sum(_int((ids != PADDING_ID) & (ids != MISSING_ID)), axis=1)
        unknown = tf.reduce_sum(_int(ids == OUT_OF_VOCABULARY_ID), axis=1)
        vocabulary = self._contract.ids(of).hash_buckets is None
        return there, unknown if vocabulary else tf.zeros_like(there), tf.zeros_like(there)

    def _outside(
        self,
        name: str,
        feature: Feature,
        x: tf.Tensor | tf.SparseTensor,
        transformed: Mapping[str, tf.Tensor],
    ) -> tf.Tensor:
        """Which rows have a vector, or weights, of which one lies outside, ``(B,)`` bool."""
        if not isinstance(feature, VectorFeature):
            weights = tf.sparse.to_dense(x) if isinstance(x, tf.SparseTensor) else x
            return tf.reduce_any(weights > self._largest.get(name, float("inf")), axis=1)
        if feature.standardise:
            return tf.reduce_any(tf.abs(transformed[name]) >= MOST_DEVIATIONS, axis=1)
        values = dense_vectors(x, feature.size)
        moved = tf.math.is_finite(values) & (values != transformed[name])
        return tf.reduce_any(moved, axis=1)

    def _of_number(
        self, name: str, feature: NumericFeature, x: tf.Tensor | tf.SparseTensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        number = as_numbers(_numbers(x), self._contract)
        there = tf.math.is_finite(number)
        least, largest = self._ranges.get(name, (-float("inf"), float("inf")))
        outside = there & ((number < least) | (number > largest))
        return _int(there), tf.zeros_like(_int(there)), _int(outside)

    def _unlisted(
        self, raw: Mapping[str, tf.Tensor | tf.SparseTensor], present: tf.Tensor
    ) -> tf.Tensor:
        domain = self._contract.domain
        if domain is None:
            return tf.zeros_like(present[:, 0])
        return _int(~is_listed(domain_text(raw[domain.feature]), domain))


def _list_lengths(x: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """Finite numbers of each row, ``(B,)`` int64."""
    if isinstance(x, tf.SparseTensor):
        return row_lengths(x)
    return tf.reduce_sum(_int(tf.math.is_finite(x)), axis=1)


def _int(condition: tf.Tensor) -> tf.Tensor:
    return tf.cast(condition, tf.int64)


def _numbers(x: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """One number a row, ``(B,)`` float32, NaN where there is none."""
    if isinstance(x, tf.SparseTensor):
        one_column = tf.SparseTensor(
            x.indices, tf.cast(x.values, tf.float32), [x.dense_shape[0], 1]
        )
        x = tf.sparse.to_dense(one_column, default_value=float("nan"))
    return tf.reshape(tf.cast(x, tf.float32), [-1])
