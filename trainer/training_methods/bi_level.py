"""Bi-level training: fusion weights are updated apart from all other weights."""

from typing import Literal

import keras
import tensorflow as tf
from absl import logging
from pydantic import PositiveFloat, PositiveInt

from trainer.settings import EmbeddingTraining, ScheduleSettings
from trainer.train_step import TrainStep
from trainer.training_job import TrainingJob, TrainingResult
from trainer.training_methods.standard import Standard
from transform.settings import SettingsError


class BiLevel(Standard):
    """Standard training of all weights but the fusion weights, with steps on those between.

    M3oE 2.6: the model is trained for an epoch, then one batch updates the fusion weights
    (`model.fusion_variables`) alone, by an optimiser of their own. They weigh parts of the model
    against each other: on rows that the model was trained on they would favour the part that has
    learnt those by heart. So the batches come from the validation split by default.

    Selection is then optimistic: the best epoch is chosen by rows that the fusion weights have
    seen. These are a few numbers, updated once an epoch, so that little can be learnt of the
    rows; still only the test split, which no training sees, tells what the model is worth. With
    `batch_from` ``train`` the validation rows stay unseen, as in the paper's text ("a mini-batch
    of training data") and its released code.

    The released code passes the fusion weights to the main optimiser too; that is
    `main_trains_fusion`. Regularisation, clipping and the schedule of the learning rate do not
    apply to the steps on them; an average of the weights (`training.average`) holds them too.

    Args:
        job: what is trained on what.
        every_steps: steps between two updates of the fusion weights; None for one after each
            epoch.
        learning_rate: of the fusion weights.
        batch_from: the split that their batches are drawn from, of the usual size.
        main_trains_fusion: the main optimiser trains the fusion weights as well.

    Raises:
        SettingsError: the model has no fusion weights.
    """

    def __init__(
        self,
        job: TrainingJob,
        *,
        every_steps: PositiveInt | None = None,
        learning_rate: PositiveFloat = 1e-3,
        batch_from: Literal["validation", "train"] = "validation",
        main_trains_fusion: bool = False,
    ) -> None:
        self._every_steps, self._main_trains_fusion = every_steps, main_trains_fusion
        super().__init__(job)
        if not self._fusion_variables():
            text = (
                "'bi_level' updates the weights by which a model fuses its parts, and this model "
                "has none: choose 'standard'"
            )
            raise SettingsError([(("method",), text)])
        self._rows = job.validation if batch_from == "validation" else job.train
        settings = job.settings.model_copy(
            update={
                "learning_rate": learning_rate,
                "weight_decay": 0.0,
                "l2": 0.0,
                "clip_norm": None,
                "schedule": ScheduleSettings(),
                "embeddings": EmbeddingTraining(),
                "average": None,
            }
        )
        self._fusion_step = TrainStep(
            self._model,
            self._tasks,
            settings,
            job.strategy,
            trained=lambda variables: self._split(variables, fusion=True),
            loss_layers=self._step.loss_layers,
        )

    def train(self) -> TrainingResult:
        """See Standard; the history's notes hold the fusion weights that were kept."""
        result = super().train()
        values = {
            id(variable): value
            for variable, value in zip(self._model.variables, result.weights, strict=True)
        }
        numbers = ", ".join(
            f"{variable.name} {1 / (1 + tf.exp(-values[id(variable)]).numpy()):.3f}"
            for variable in self._fusion_variables()
            if len(variable.shape) == 0
        )
        if numbers:
            result.history.notes.append(f"Fusion weights, as sigmoids: {numbers}.")
            logging.info("fusion weights: %s", numbers)
        return result

    def _fusion_variables(self) -> list[keras.Variable]:
        return list(getattr(self._model, "fusion_variables", []))

    def _split(self, variables: list[keras.Variable], fusion: bool) -> list[keras.Variable]:
        """The fusion weights among trainable weights, or the others."""
        own = {id(variable) for variable in self._fusion_variables()}
        return [variable for variable in variables if (id(variable) in own) == fusion]

    def _make_step(self) -> TrainStep:
        if self._main_trains_fusion:
            return super()._make_step()
        return TrainStep(
            self._model,
            self._tasks,
            self._settings,
            self._job.strategy,
            trained=lambda variables: self._split(variables, fusion=False),
            length=self._length,
        )

    def _prepare(self, batch: dict[str, tf.Tensor]) -> None:
        super()._prepare(batch)
        self._fusion_step.prepare(batch)

    def _variables(self) -> dict[str, list[keras.Variable]]:
        return {
            **super()._variables(),
            "fusion_optimizer": self._fusion_step.optimizer.variables,
        }

    def _after_step(self) -> None:
        if self._every_steps is not None and self._progress.step % self._every_steps == 0:
            self._update_fusion(self._progress.step // self._every_steps)

    def _after_epoch(self) -> None:
        if self._every_steps is None:
            self._update_fusion(self._progress.epoch)

    def _update_fusion(self, number: int) -> None:
        """The update of that number, whose batch follows from it: a resumed training's too."""
        settings = self._settings
        # Not the training's own seed: on its split the batch would be the one just seen.
        batches = self._rows.epoch(settings.batch_size, settings.seed + 1, number).take(1)
        losses = self._fusion_step(next(iter(self._spread(batches)))).numpy()
        for task, loss in zip(self._tasks, losses, strict=True):
            what = f"loss of task {task.name!r} in an update of the fusion weights"
            self._check_finite(what, float(loss), self._progress.step)
