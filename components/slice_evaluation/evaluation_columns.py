"""Columns that the evaluation itself reads; the models parse their own."""

import tensorflow as tf

from mtlx.components.slice_evaluation.slices import SliceCross
from mtlx.transform.contract.data_contract import DataContract


def evaluation_columns(
    contract: DataContract,
    crosses: list[SliceCross],
    user_key: str | None,
    groupings: list[str],
    request_key: str | None = None,
) -> dict[str, tf.DType]:
    """The features that slices are made of, that tell users and requests apart, and the labels."""
    features = {feature for cross in crosses for feature in cross.features}
    keys = {key for key in (user_key, request_key) if key}
    texts = sorted(features | keys | set(groupings))
    columns = {name: tf.string for name in texts}
    return columns | {task.label: tf.int64 for task in contract.task_specs}
