"""Labels and population masks of a batch, as the loss and the metrics take them."""

from collections.abc import Mapping

import tensorflow as tf

from mtlx.transform.contract.counted_labels import LEARNT_LABEL
from mtlx.transform.contract.model_inputs import TaskSpec


def labels_and_mask(
    batch: Mapping[str, tf.Tensor], tasks: tuple[TaskSpec, ...]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Stacks the labels of all tasks.

    Args:
        batch: holds every task's label column, ``(B,)``.
        tasks: in the model's order.

    Returns:
        Labels ``(B, T)`` float32, and the mask ``(B, T)`` float32: 1 where the row belongs to the
        task's population, the rows on which the task is defined, and its label counts.
    """
    columns = {task.name: tf.cast(batch[task.label], tf.float32) for task in tasks}
    counted = counted_labels(batch, tasks)
    if counted is not None:
        columns = {name: _label(column) for name, column in columns.items()}
    masks = [
        tf.ones_like(columns[task.name]) if task.population is None else columns[task.population]
        for task in tasks
    ]
    labels, mask = tf.stack(list(columns.values()), axis=1), tf.stack(masks, axis=1)
    return labels, mask if counted is None else mask * counted


def counted_labels(batch: Mapping[str, tf.Tensor], tasks: tuple[TaskSpec, ...]) -> tf.Tensor | None:
    """Which labels count, whatever the population: they are known, and not learnt before.

    Args:
        batch: see `labels_and_mask`.
        tasks: in the model's order.

    Returns:
        ``(B, T)`` float32; None where all do, since every task's labels are known at once.
    """
    if not any(task.matures_after for task in tasks):
        return None
    columns = [tf.cast(batch[task.label], tf.float32) for task in tasks]
    counted = [(column >= 0.0) & (column < LEARNT_LABEL) for column in columns]
    return tf.cast(tf.stack(counted, axis=1), tf.float32)


def _label(column: tf.Tensor) -> tf.Tensor:
    """The label itself, 0 where it is not known."""
    return tf.maximum(tf.where(column < LEARNT_LABEL, column, column - LEARNT_LABEL), 0.0)
