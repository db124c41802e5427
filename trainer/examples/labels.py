"""Labels and population masks of a batch, as the loss and the metrics take them."""

from collections.abc import Mapping

import tensorflow as tf

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
        task's population, the rows on which the task is defined.
    """
    columns = {task.name: tf.cast(batch[task.label], tf.float32) for task in tasks}
    masks = [
        tf.ones_like(columns[task.name]) if task.population is None else columns[task.population]
        for task in tasks
    ]
    return tf.stack(list(columns.values()), axis=1), tf.stack(masks, axis=1)
