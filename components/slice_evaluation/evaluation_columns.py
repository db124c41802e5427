"""Columns that the evaluation itself reads; the models parse their own."""

import tensorflow as tf

from mtlx.components.example_batches import label_columns
from mtlx.components.slice_evaluation.slices import SliceCross
from mtlx.transform.contract.data_contract import DataContract


def evaluation_columns(
    contract: DataContract,
    crosses: list[SliceCross],
    user_key: str | None,
    groupings: list[str],
    request_key: str | None = None,
) -> dict[str, tf.DType]:
    """The features of slices, those that tell users and requests apart, labels and weights."""
    features = {feature for cross in crosses for feature in cross.features}
    keys = {key for key in (user_key, request_key) if key}
    texts = sorted(features | keys | set(groupings))
    columns = {name: tf.string for name in texts}
    return columns | label_columns(contract)
