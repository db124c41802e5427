"""Several embeddings of a row as one."""

from collections.abc import Mapping
from typing import Literal

import keras
from keras import ops

from mtlx.transform.contract.model_inputs import PADDING_ID, MultipleInput


def pooled_values(
    values: keras.KerasTensor,
    weights: keras.KerasTensor,
    pooling: Literal["sum", "mean", "sqrt_n"],
) -> keras.KerasTensor:
    """The sum Σ w_i e_i; for ``mean`` over Σ w_i, for ``sqrt_n`` over the root of Σ w_i².

    As `tf.nn.embedding_lookup_sparse` has them.

    Args:
        values: ``(B, L, k)``.
        weights: ``(B, L)``, not negative, 0 at padding; one of each row above 0.
        pooling: which.

    Returns:
        ``(B, k)``.
    """
    total = ops.einsum("bl,blk->bk", weights, values)
    if pooling == "sum":
        return total
    if pooling == "mean":
        size = ops.sum(weights, axis=1, keepdims=True)
    else:
        size = ops.sqrt(ops.sum(ops.square(weights), axis=1, keepdims=True))
    # Rows of zeros alone are those that a model is built on.
    return total / ops.where(size > 0, size, 1.0)


def pooled_fields(
    multiple: tuple[MultipleInput, ...],
    features: Mapping[str, keras.KerasTensor],
    embedded: keras.KerasTensor,
    ids: keras.KerasTensor,
) -> list[keras.KerasTensor]:
    """The fields of several values.

    Args:
        multiple: the fields.
        features: with their weights ``(B, L)``, by name.
        embedded: ``(B, columns, k)``; the fields' values are the last columns.
        ids: ``(B, columns)`` int64, likewise.

    Returns:
        ``(B, 1, k)`` each.
    """
    fields: list[keras.KerasTensor] = []
    start = ids.shape[1] - sum(field.max_values for field in multiple)
    for field in multiple:
        end = start + field.max_values
        weights = ops.cast(ids[:, start:end] != PADDING_ID, embedded.dtype)
        if field.weights is not None:
            weights = weights * ops.cast(features[field.weights], embedded.dtype)
        fields.append(pooled_values(embedded[:, start:end], weights, field.pooling)[:, None])
        start = end
    return fields
