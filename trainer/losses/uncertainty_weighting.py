"""Task losses weighted by learnt uncertainties."""

from collections.abc import Mapping
from typing import Annotated, Any

import keras
from keras import ops
from pydantic import AfterValidator

from mtlx.trainer.losses import LOSSES
from mtlx.trainer.losses.loss import COUNTED_LABELS, Loss
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec


def _known(name: str) -> str:
    """Refuses the name of no loss when the options are checked, and not only in training."""
    LOSSES.get(name)
    return name


class UncertaintyWeighting(Loss):
    """Σ_t (L_t / (2 σ_t²) + log σ_t), Kendall et al. 2018 as the MAN paper takes it (Eq. 3).

    log σ_t is what is trained; it starts at 0. A task whose population is empty adds nothing,
    so that its σ_t does not fall for want of rows. The term of a task can be negative.

    Shown to learn:
        σ_t² settles within a tenth of the task's held-out loss (0.54 and 0.34 on planted rows) in
        240 steps at a learning rate of 0.01. A step moves log σ by about the learning rate, so that
        0.001 needs ten times as many.

    Args:
        tasks: the tasks.
        loss: name of the loss that gives the L_t.
        loss_options: its options by name.

    Raises:
        SettingsError: wrong options of the loss.
    """

    beside_regressions = False
    corrected_by_constant = True

    def __init__(
        self,
        tasks: tuple[TaskSpec, ...],
        *,
        loss: Annotated[str, AfterValidator(_known)] = "binary_cross_entropy",
        loss_options: dict[str, Any] | None = None,
    ):
        super().__init__()
        try:
            self.task_loss: Loss = LOSSES.build(loss, loss_options or {}, tasks)
        except SettingsError as error:
            raise SettingsError(
                [(("loss_options", *path), text) for path, text in error.problems]
            ) from None
        self.over_all_rows = self.task_loss.over_all_rows
        self.reads_labels = self.task_loss.reads_labels
        self.corrected_by_constant = self.task_loss.corrected_by_constant
        self.log_sigma = self.add_weight(shape=(len(tasks),), initializer="zeros", name="log_sigma")

    def call(
        self,
        labels: keras.KerasTensor,
        outputs: Mapping[str, keras.KerasTensor],
        mask: keras.KerasTensor,
    ) -> keras.KerasTensor:
        """Weighted loss of each task; 0 where its population is empty.

        Args:
            labels: ``(B, T)`` float, 0 or 1.
            outputs: of the model, as the loss reads them.
            mask: ``(B, T)`` float, what the row counts for; 0 outside of the task's population.

        Returns:
            ``(T,)`` float32.
        """
        losses = self.task_loss(labels, outputs, mask)
        weighted = 0.5 * ops.exp(-2.0 * self.log_sigma) * losses + self.log_sigma
        if self.over_all_rows:
            if COUNTED_LABELS not in outputs or not self.reads_labels:
                return weighted
            mask = outputs[COUNTED_LABELS]
        present = ops.sum(ops.cast(mask, "float32"), axis=0) > 0
        return ops.where(present, weighted, 0.0)
