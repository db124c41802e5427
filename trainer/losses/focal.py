"""Focal loss per task, over the task's population."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from mtlx.trainer.losses.loss import Loss
from mtlx.trainer.losses.parts import (
    Smoothing,
    Towards,
    logits_of,
    per_task,
    population_mean,
    smoothed,
)
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec


class Focal(Loss):
    """L_t = −(1/n_t) Σ_i m_it a(y) (1 − q)^γ log q (Lin et al. 2017), q = p if y = 1, else 1 − p.

    m is 1 for the n_t rows of the task's population; a(1) = α and a(0) = 1 − α. γ = 0 and
    α = null are the binary cross-entropy. In float32.

    Shown to learn:
        To rank as well as the cross-entropy, AUC 0.748 and 0.750 on planted rows, with
        probabilities drawn to a half: at γ = 2 and without α the logits' spread is 0.37, and 0.96
        with the cross-entropy, so that they are not the labels' probabilities
        (`test_losses_learn`).

    Args:
        tasks: the tasks.
        gamma: γ, one number or a number for each task.
        alpha: α, likewise, or null for no weights. The default is the paper's; it gives
            positives less weight, because γ takes weight from the many easy negatives already.
        label_smoothing: s of labels (1 − s) y + s q. It changes what the probabilities are, see
            `mtlx.trainer.losses.parts.smoothed`.
        smooth_towards: q: ``half`` for 1/2, or ``base_rate``, which keeps the mean prediction.

    Raises:
        SettingsError: an option names an unknown task or not all tasks, γ is negative or α not
            within 0 and 1.
    """

    def __init__(
        self,
        tasks: tuple[TaskSpec, ...],
        *,
        gamma: float | dict[str, float] = 2.0,
        alpha: float | dict[str, float] | None = 0.25,
        label_smoothing: Smoothing = 0.0,
        smooth_towards: Towards = "half",
    ):
        super().__init__()
        self.smoothing, self.towards = label_smoothing, smooth_towards
        names = [task.name for task in tasks]
        self.gamma = _of_each_task("gamma", gamma, names)
        if alpha is None:
            self.positive_weights = self.negative_weights = np.ones(len(names), "float32")
            return
        self.positive_weights = _of_each_task("alpha", alpha, names)
        self.negative_weights = 1.0 - self.positive_weights
        if (self.negative_weights < 0).any():
            raise SettingsError([(("alpha",), f"must not be above 1. Received: {alpha!r}")])

    def call(
        self,
        labels: keras.KerasTensor,
        outputs: Mapping[str, keras.KerasTensor],
        mask: keras.KerasTensor,
    ) -> keras.KerasTensor:
        """Mean loss of each task over its population; 0 where that is empty.

        Args:
            labels: ``(B, T)`` float, 0 or 1.
            outputs: of the model: "logits" ``(B, T)``, else "probabilities" ``(B, T)``.
            mask: ``(B, T)`` float, what the row counts for; 0 outside of the task's population.

        Returns:
            ``(T,)`` float32.
        """
        labels = smoothed(ops.cast(labels, "float32"), mask, self.smoothing, self.towards)
        logits = logits_of(outputs)
        # -log p and -log(1 - p); powers of 1 - q as exponentials have no infinite slope at 0.
        positive, negative = ops.softplus(-logits), ops.softplus(logits)
        losses = self.positive_weights * labels * ops.exp(-self.gamma * negative) * positive
        losses = losses + self.negative_weights * (1.0 - labels) * (
            ops.exp(-self.gamma * positive) * negative
        )
        return population_mean(losses, mask)


def _of_each_task(option: str, value: float | Mapping[str, float], names: list[str]) -> np.ndarray:
    """As `per_task`, without a number for tasks that are not named: 1 would mean nothing here."""
    missing = [name for name in names if isinstance(value, Mapping) and name not in value]
    if missing:
        raise SettingsError([((option,), f"gives no number for the tasks {missing}")])
    return per_task(option, value, names)
