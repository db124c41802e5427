"""How far a training is; with the weights and the history, all that a resumed training needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mtlx.trainer.validation.selection import Score
from mtlx.trainer.validation.validation import Validation


@dataclass
class TrainingProgress:
    """Counts of the epoch that is being trained, and what is known of those before.

    Attributes:
        epoch: its number.
        step: steps of all epochs.
        steps_in_epoch: steps of this one.
        loss_sums: by task, over its steps.
        examples: of its steps.
        epoch_seconds: wall time of its steps, input included.
        epoch_input_seconds: wall time of its input.
        best_score: the best value of `mtlx.trainer.validation.selection` so far; None before the
        first.
        epochs_without_gain: since then.
        stage: of a method of several stages.
        earlier_epochs: of the stages before.
        schedule_offset: steps that stages before did not take, by which the learning rate's
            schedule is ahead.
        rate_factor: what the learning rate is reduced to because of the validation split.
        earlier_steps: that the optimiser had taken before this training began.
    """

    epoch: int = 1
    step: int = 0
    steps_in_epoch: int = 0
    loss_sums: list[float] = field(default_factory=list)
    examples: int = 0
    epoch_seconds: float = 0.0
    epoch_input_seconds: float = 0.0
    best_score: float | None = None
    epochs_without_gain: int = 0
    stage: int = 1
    earlier_epochs: int = 0
    schedule_offset: int = 0
    rate_factor: float = 1.0
    earlier_steps: int = 0

    def record(
        self,
        tasks: Sequence[str],
        task_weights: Mapping[str, float],
        validation: Validation,
        score: Score,
    ) -> dict[str, Any]:
        """What the history keeps of this epoch, see `mtlx.trainer.validation.history.History`."""
        means = [total / self.steps_in_epoch for total in self.loss_sums]
        weights = [task_weights.get(task, 1.0) for task in tasks]
        # Without a step there is no loss, and the epoch none of those that are trained.
        return {
            "epoch": self.epoch if means else 0,
            "loss": float(np.dot(means, weights)) if means else None,
            "task_loss": dict(zip(tasks, means, strict=True)) if means else {},
            "validation_auc": validation.auc,
            "validation_loss": validation.loss,
            "selection": score.value,
            "task_selection": score.tasks,
            "seconds": self.epoch_seconds,
            "input_seconds": self.epoch_input_seconds,
            "examples": self.examples,
            "examples_per_second": self.examples / max(self.epoch_seconds, 1e-9),
        }

    def next_epoch(self) -> "TrainingProgress":
        """At the start of the epoch after this one."""
        return TrainingProgress(
            epoch=self.epoch + 1,
            step=self.step,
            best_score=self.best_score,
            epochs_without_gain=self.epochs_without_gain,
            stage=self.stage,
            earlier_epochs=self.earlier_epochs,
            schedule_offset=self.schedule_offset,
            rate_factor=self.rate_factor,
            earlier_steps=self.earlier_steps,
        )

    def next_stage(self) -> "TrainingProgress":
        """At the start of the stage after this one, between two epochs."""
        return replace(
            self,
            stage=self.stage + 1,
            earlier_epochs=self.epoch - 1,
            epochs_without_gain=0,
        )
