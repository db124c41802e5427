"""How many values of a request the model knows: a signature that counts, row by row."""

from collections.abc import Mapping

import tensorflow as tf

from mtlx.trainer.serving.training_ranges import Transform
from mtlx.transform.columns.domain_values import domain_text, is_listed
from mtlx.transform.columns.missing_values import as_numbers, as_texts
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import CategoricalFeature, NumericFeature, SequenceFeature
from mtlx.transform.contract.model_inputs import MISSING_ID, OUT_OF_VOCABULARY_ID, PADDING_ID


class ServedCounts:
    """Raw features to counts.

    Args:
        contract: the data contract.
        transform: the transform graph.
        ranges: of numeric features, see `mtlx.trainer.serving.training_ranges`.
    """

    def __init__(
        self,
        contract: DataContract,
        transform: Transform,
        ranges: Mapping[str, tuple[float, float]],
    ) -> None:
        self._contract, self._ranges = contract, dict(ranges)
        self._transform = transform

    def __call__(self, raw: Mapping[str, tf.Tensor | tf.SparseTensor]) -> dict[str, tf.Tensor]:
        """Counts.

        Args:
            raw: features as the transform graph takes them.

        Returns:
            ``present``, ``unknown`` and ``clipped``, ``(B, F)`` int64 with the features in the
            contract's order: values that are there (items of a sequence, of those that are
            kept), that the vocabulary does not hold, and that lie outside the training split's
            range; ``unlisted_domain`` ``(B,)`` int64, 1 where the row names none of the domains.
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
        if isinstance(feature, SequenceFeature):
            ids = transformed[name]  # (B, L)
            vocabulary = self._contract.categorical(feature.item).hash_buckets is None
            there = tf.reduce_sum(_int((ids != PADDING_ID) & (ids != MISSING_ID)), axis=1)
            unknown = tf.reduce_sum(_int(ids == OUT_OF_VOCABULARY_ID), axis=1)
            return there, unknown if vocabulary else tf.zeros_like(there), tf.zeros_like(there)
        if isinstance(feature, CategoricalFeature):
            if not feature.embed:
                there = _int(as_texts(domain_text(x), self._contract) != "")
                return there, tf.zeros_like(there), tf.zeros_like(there)
            ids = transformed[name]  # (B,)
            there = _int(ids != MISSING_ID)
            known = feature.hash_buckets is not None
            unknown = tf.zeros_like(there) if known else _int(ids == OUT_OF_VOCABULARY_ID)
            return there, unknown, tf.zeros_like(there)
        return self._of_number(name, feature, x)

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
