"""The loss of the tasks whose labels are numbers, and which others may stand beside it."""

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from mtlx.trainer.losses import LOSSES
from mtlx.trainer.losses.loss import Loss
from mtlx.trainer.losses.parts import population_mean
from mtlx.trainer.model.scores import LOG_DEVIATIONS
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec


class RegressionLoss(Loss):
    """L_t = mean over t's population of (u − z)² / 2, or of (u − z)² / (2σ²) + ln σ.

    z is the task's logit and u its label in standard deviations of the training from their mean:
    (y − shift) / scale, or (ln y − shift) / scale of ``loss: log_normal``, whose σ the model
    learns; there the sum is the negative log likelihood of ln y up to a constant. It is there
    beside the losses that an experiment names, which are of labels 0 and 1, and is 0 for those.

    Shown to learn:
        Numbers around a planted line with deviation 10: error 10.02 and 10.05 (two seeds), beside
        a click and a number whose logarithm is normal, of which the mean prediction is 1.002 and
        1.006 of the mean (`test_rows_learn`).

    Args:
        tasks: the tasks.
    """

    corrected_by_constant = True
    of_regressions = True

    def __init__(self, tasks: tuple[TaskSpec, ...]):
        super().__init__()
        self.shift = np.array([task.shift for task in tasks], "float32")
        self.scale = np.array([task.scale for task in tasks], "float32")
        self.numbers = np.array([task.is_regression for task in tasks])
        self.log_normal = np.array(
            [task.is_regression and task.loss != "squared" for task in tasks]
        )

    def call(
        self,
        labels: keras.KerasTensor,
        outputs: Mapping[str, keras.KerasTensor],
        mask: keras.KerasTensor,
    ) -> keras.KerasTensor:
        """Mean loss of each task over its population; 0 for labels 0 and 1.

        Args:
            labels: ``(B, T)`` float.
            outputs: of the model: "logits" ``(B, T)``, and `LOG_DEVIATIONS` ``(B, T)`` where a
                task is ``log_normal``.
            mask: ``(B, T)`` float, what the row counts for in the task.

        Returns:
            ``(T,)`` float32.
        """
        mask = ops.cast(mask, "float32") * self.numbers.astype("float32")
        labels = ops.cast(labels, "float32")
        if self.log_normal.any():
            # Labels that do not count may be 0, and have no logarithm.
            logarithms = ops.log(ops.where(ops.logical_and(self.log_normal, mask > 0), labels, 1.0))
            labels = ops.where(self.log_normal, logarithms, labels)
        squares = ops.square(
            (labels - self.shift) / self.scale - ops.cast(outputs["logits"], "float32")
        )
        losses = 0.5 * squares
        if self.log_normal.any():
            deviations = ops.cast(outputs[LOG_DEVIATIONS], "float32")
            likelihood = losses * ops.exp(-2.0 * deviations) + deviations
            losses = ops.where(self.log_normal, likelihood, losses)
        return population_mean(losses, mask)


def build_losses(
    terms: Iterable[tuple[str, Mapping[str, Any]]], tasks: tuple[TaskSpec, ...]
) -> list[Loss]:
    """The losses of a training: those that it names, and that of the regressions where there are.

    Args:
        terms: names and options.
        tasks: the tasks.

    Raises:
        SettingsError: an unknown name, wrong options, a loss that knows labels 0 and 1 alone where
            a task is a regression, or one that no constant corrects where negatives were drawn.
    """
    terms, losses = list(terms), []
    for name, options in terms:
        loss: Loss = LOSSES.build(name, dict(options), tasks)
        losses.append(loss)
        drawn = [task.name for task in tasks if task.kept_negatives < 1.0]
        if drawn and not loss.corrected_by_constant:
            raise SettingsError([(("loss",), not_corrected(name, drawn[0]))])
        numbers = [task.name for task in tasks if task.is_regression]
        if numbers and not loss.beside_regressions:
            raise SettingsError(
                [
                    (
                        ("loss",),
                        f"{name!r} knows labels 0 and 1 alone, and task {numbers[0]!r} is a "
                        "regression: take 'binary_cross_entropy' for the other tasks; that of the "
                        "regression is added by itself",
                    )
                ]
            )
    return [*losses, *([RegressionLoss(tasks)] if any(t.is_regression for t in tasks) else [])]


def not_corrected(name: str, task: str) -> str:
    """Why a loss can't stand beside drawn negatives of a task whose logit is to be corrected."""
    return (
        f"{name!r} has no constant that corrects the logit of {task!r}, whose negatives are drawn: "
        "set sampling.correction: weights, or train it with 'binary_cross_entropy' without "
        "label_smoothing"
    )
