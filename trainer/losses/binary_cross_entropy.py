"""Binary cross-entropy per task, over the task's population."""

from collections.abc import Mapping

import keras
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
from mtlx.transform.contract.model_inputs import TaskSpec


class BinaryCrossEntropy(Loss):
    """L_t = (1/n_t) Σ_i m_it · w(y_it) · BCE(y_it, p_it), with n_t = Σ_i m_it.

    m is 1 for rows of the task's population, w(1) the positive and w(0) the negative weight. The
    mean is over rows, not over weights, so that class weights change the size of the loss.
    Computed from logits in float32; from probabilities if the outputs hold no logits.

    Shown to learn:
        The labels' probabilities: on planted rows of which 0.302 are clicked the mean prediction is
        0.305 and the AUC 0.750 of the possible 0.751; a positive weight of 4 multiplies the odds by
        4 (0.582, where 0.578 is exact) and changes no order (`test_losses_learn`).

    Args:
        tasks: the tasks.
        positive_weight: w(1), one number or a number per task (1 for tasks not named).
        negative_weight: w(0), likewise; both weigh a smoothed label's two parts.
        label_smoothing: s of labels (1 − s) y + s q. It changes what the probabilities are, see
            `mtlx.trainer.losses.parts.smoothed`.
        smooth_towards: q: ``half`` for 1/2, or ``base_rate``, which keeps the mean prediction.

    Raises:
        SettingsError: a weight names an unknown task or is negative.
    """

    corrected_by_constant = True

    def __init__(
        self,
        tasks: tuple[TaskSpec, ...],
        *,
        positive_weight: float | dict[str, float] = 1.0,
        negative_weight: float | dict[str, float] = 1.0,
        label_smoothing: Smoothing = 0.0,
        smooth_towards: Towards = "half",
    ):
        super().__init__()
        self.smoothing, self.towards = label_smoothing, smooth_towards
        self.corrected_by_constant = not label_smoothing
        names = [task.name for task in tasks]
        self.positive_weights = per_task("positive_weight", positive_weight, names)
        self.negative_weights = per_task("negative_weight", negative_weight, names)

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
        # softplus(-z) = -log p and softplus(z) = -log(1 - p), without overflow.
        losses = self.positive_weights * labels * ops.softplus(-logits)
        losses = losses + self.negative_weights * (1.0 - labels) * ops.softplus(logits)
        return population_mean(losses, mask)
