"""Labels of a batch and what they count for, as the loss and the metrics take them."""

from collections.abc import Mapping

import tensorflow as tf

from mtlx.transform.contract.counted_labels import LEARNT_LABEL
from mtlx.transform.contract.model_inputs import TaskSpec
from mtlx.transform.contract.rows.weight import DRAWN_WEIGHT, ROW_WEIGHT


def labels_and_mask(
    batch: Mapping[str, tf.Tensor], tasks: tuple[TaskSpec, ...]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Stacks the labels of all tasks.

    Args:
        batch: holds every task's label column, ``(B,)``, and the columns of weights.
        tasks: in the model's order.

    Returns:
        Labels ``(B, T)`` float32, and the mask ``(B, T)`` float32: what the row counts for in the
        task, 1 where nothing weighs rows; 0 where it does not belong to the task's population, the
        rows on which the task is defined, or where its label does not count.
    """
    counted = counted_labels(batch, tasks)
    columns = {task.name: tf.cast(batch[task.label], tf.float32) for task in tasks}
    columns |= {
        task.name: _label(columns[task.name], task)
        for task in tasks
        if counted is not None or task.is_regression
    }
    masks = [
        tf.ones_like(columns[task.name]) if task.population is None else columns[task.population]
        for task in tasks
    ]
    labels, mask = tf.stack(list(columns.values()), axis=1), tf.stack(masks, axis=1)
    return labels, mask if counted is None else mask * counted


def counted_labels(batch: Mapping[str, tf.Tensor], tasks: tuple[TaskSpec, ...]) -> tf.Tensor | None:
    """What labels count for, whatever the population: 0 where they are not known, or learnt before.

    Args:
        batch: see `labels_and_mask`.
        tasks: in the model's order.

    Returns:
        ``(B, T)`` float32; None where all count 1, since every task's labels are known at once, and
        nothing weighs rows.
    """
    if not are_weighed(batch, tasks) and not any(task.matures_after for task in tasks):
        return None
    rows = row_weights(batch)
    parts = [_known(tf.cast(batch[task.label], tf.float32), task) for task in tasks]
    for place, task in enumerate(tasks):
        if task.weight is not None:
            parts[place] = parts[place] * batch[task.weight]
    counted = tf.stack(parts, axis=1)
    if rows is None:
        return counted
    of_tasks = [batch[ROW_WEIGHT] if task.kept_negatives < 1.0 else rows for task in tasks]
    return counted * tf.stack(of_tasks, axis=1)


def row_weights(batch: Mapping[str, tf.Tensor]) -> tf.Tensor | None:
    """What rows count for in all tasks ``(B,)`` float32; None where nothing weighs them.

    Of drawn negatives of a task whose logit is corrected: in all tasks but that one, which takes
    them as they are.
    """
    rows, drawn = batch.get(ROW_WEIGHT), batch.get(DRAWN_WEIGHT)
    return rows if drawn is None or rows is None else rows * drawn


def are_weighed(batch: Mapping[str, tf.Tensor], tasks: tuple[TaskSpec, ...]) -> bool:
    """Whether rows may count for more or less than 1."""
    return row_weights(batch) is not None or any(task.weight for task in tasks)


def _known(column: tf.Tensor, task: TaskSpec) -> tf.Tensor:
    """1 where a label is known and not learnt before, else 0."""
    if task.is_regression:
        return tf.cast(tf.math.is_finite(column), tf.float32)
    return tf.cast((column >= 0.0) & (column < LEARNT_LABEL), tf.float32)


def _label(column: tf.Tensor, task: TaskSpec) -> tf.Tensor:
    """The label itself, 0 where it is not known, or a number outside of the population."""
    if task.is_regression:
        return tf.where(tf.math.is_finite(column), column, 0.0)
    return tf.maximum(tf.where(column < LEARNT_LABEL, column, column - LEARNT_LABEL), 0.0)
