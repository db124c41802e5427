"""What several losses compute alike: logits, means over a population, options per task."""

from collections.abc import Mapping
from typing import Annotated, Literal

import keras
import numpy as np
from keras import ops
from pydantic import Field

from mtlx.trainer.model.scores import clipped
from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec

#: Option `label_smoothing`: s of `smoothed`.
Smoothing = Annotated[float, Field(ge=0.0, lt=1.0)]
#: Option `smooth_towards`: q of `smoothed`.
Towards = Literal["half", "base_rate"]


def logits_of(outputs: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
    """Logits ``(B, T)`` in float32; those of the probabilities if the outputs hold no logits."""
    if "logits" in outputs:
        return ops.cast(outputs["logits"], "float32")
    probabilities = clipped(outputs["probabilities"])
    return ops.log(probabilities) - ops.log1p(-probabilities)


#: Below any sum of weights that counts: 0 divided by it is 0.
SMALLEST_WEIGHT = 1e-30


def population_mean(losses: keras.KerasTensor, mask: keras.KerasTensor) -> keras.KerasTensor:
    """Mean over each task's population by its weights, 0 where that is empty: both ``(B, T)`` to
    ``(T,)``.
    """
    mask = ops.cast(mask, "float32")
    # Not a product: a row outside of the population must not add 0 · inf.
    sums = ops.sum(ops.where(mask > 0, mask * losses, 0.0), axis=0)
    return sums / ops.maximum(ops.sum(mask, axis=0), SMALLEST_WEIGHT)


def row_mean(
    losses: keras.KerasTensor, weights: keras.KerasTensor | None = None
) -> keras.KerasTensor:
    """Mean over all rows, 0 where there are none (on one of several devices).

    Args:
        losses: ``(B,)`` or ``(B, T)``.
        weights: what rows count for, ``(B,)``; None for 1.
    """
    if weights is not None:
        weights = ops.cast(weights, "float32")
        total = ops.maximum(ops.sum(weights), SMALLEST_WEIGHT)
        return ops.einsum("b,b...->...", weights, losses) / total
    rows = ops.cast(ops.shape(losses)[0], "float32")
    return ops.sum(losses, axis=0) / ops.maximum(rows, 1.0)


def smoothed(
    labels: keras.KerasTensor,
    weights: keras.KerasTensor,
    smoothing: float,
    towards: Towards,
) -> keras.KerasTensor:
    """Labels y as (1 − s) y + s q; all ``(B, T)`` float32.

    ``half``: q = 1/2, as in the paper of label smoothing (Szegedy et al. 2016) for two classes
    and in Keras. What a model then learns best is (1 − s) p + s / 2: it ranks as p does, and is
    no probability. Of a task whose rate is 2 %, s = 0.02 predicts 2.96 % on the mean.
    ``base_rate``: q is the mean label of the task's rows in the batch, on one device; the mean
    prediction stays the rate, and each one lies nearer to it.

    Args:
        labels: y, 0 or 1.
        weights: what rows count for in the mean, 0 for those that it is not over.
        smoothing: s.
        towards: what q is.
    """
    if not smoothing:
        return labels
    target: keras.KerasTensor | float = 0.5
    if towards == "base_rate":
        target = population_mean(labels, weights)
    return (1.0 - smoothing) * labels + smoothing * target


def per_task(option: str, value: float | Mapping[str, float], names: list[str]) -> np.ndarray:
    """One number per task, ``(T,)`` float32, from one for all or one for each (1 if not named).

    Raises:
        SettingsError: a number names an unknown task or is negative.
    """
    values = value if isinstance(value, Mapping) else dict.fromkeys(names, value)
    problems = []
    for task, number in values.items():
        if task not in names:
            problems.append(((option, task), f"unknown task {task!r}, {suggest(task, names)}"))
        elif number < 0:
            problems.append(((option, task), f"must not be negative. Received: {number!r}"))
    if problems:
        raise SettingsError(problems)
    return np.asarray([values.get(name, 1.0) for name in names], dtype="float32")


def task_position(option: str, name: str, tasks: tuple[TaskSpec, ...]) -> int:
    """Position of a task that an option names.

    Raises:
        SettingsError: no such task.
    """
    names = [task.name for task in tasks]
    if name not in names:
        raise SettingsError([((option,), f"unknown task {name!r}, {suggest(name, names)}")])
    if tasks[names.index(name)].is_regression:
        raise SettingsError([((option,), f"task {name!r} is a regression, without positives")])
    return names.index(name)
