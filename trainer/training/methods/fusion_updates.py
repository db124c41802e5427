"""Steps on a model's fusion weights alone, between those on all others."""

from collections.abc import Iterator, Mapping

import keras
import tensorflow as tf

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.losses.loss import Loss
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.settings import EmbeddingTraining, ScheduleSettings, TrainingSettings
from mtlx.trainer.training.addition import Addition
from mtlx.trainer.training.diverged import check_finite
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.trainer.training.training_progress import TrainingProgress


class FusionUpdates(Addition):
    """Updates the fusion weights every so many steps, by an optimiser of their own.

    Regularisation, clipping, the average and the schedule of the learning rate do not apply.

    Args:
        job: what is trained on what.
        model: has fusion weights.
        losses: of the main step, whose learnt weights both share.
        rows: that the batches are drawn from.
        every_steps: steps between two updates; None for one after each epoch.
        learning_rate: of the fusion weights.
    """

    def __init__(
        self,
        job: TrainingJob,
        model: GradientModel,
        losses: list[Loss],
        rows: ExampleSet,
        every_steps: int | None,
        learning_rate: float,
    ) -> None:
        self._job, self._model, self._rows = job, model, rows
        self._every_steps = every_steps
        self.step = OrdinaryStep(
            model,
            job.inputs.tasks,
            _plain(job.settings, learning_rate),
            job.strategy,
            trained=self._fusion_alone,
            loss_layers=losses,
        )
        self._opened: tuple[int, Iterator[dict[str, tf.Tensor]]] | None = None

    @property
    def variables(self) -> dict[str, list[keras.Variable]]:
        """State of the fusion weights' optimiser."""
        return {"fusion_optimizer": self.step.optimizer.variables}

    def prepare(self, batch: Mapping[str, tf.Tensor]) -> None:
        """See `Addition`."""
        self.step.prepare(batch)

    def after_step(self, progress: TrainingProgress) -> None:
        """Updates after every so many steps of the training."""
        if self._every_steps is not None and progress.step % self._every_steps == 0:
            step, first = progress.step, progress.step - progress.steps_in_epoch
            self.update(step // self._every_steps - first // self._every_steps, progress)

    def after_epoch(self, progress: TrainingProgress) -> None:
        """Updates once, where no number of steps is set."""
        if self._every_steps is None:
            self.update(1, progress)

    def update(self, number: int, progress: TrainingProgress) -> None:
        """The update of that number in this epoch, from which its batch follows.

        Raises:
            TrainingDiverged: its loss is no longer finite.
        """
        losses = self.step(self._batch(number, progress.epoch)).numpy()
        for task, loss in zip(self._job.inputs.tasks, losses, strict=True):
            what = f"loss of task {task.name!r} in an update of the fusion weights"
            check_finite(what, float(loss), progress.step, progress)

    def _batch(self, number: int, epoch: int) -> dict[str, tf.Tensor]:
        """The batch of that number, from 1, out of the epoch's own order of the rows.

        The numbers follow each other; a resumed training leaves out those before its first. Where
        the rows are at an end they come again.
        """
        settings = self._job.settings
        if self._opened is None or self._opened[0] != epoch:
            # Not the training's own seed: on its split the batch would be one just seen.
            batches = self._rows.epoch(settings.batch_size, settings.seed + 1, epoch)
            batches = batches.repeat().skip(number - 1)
            self._opened = epoch, iter(self._job.spread(batches))
        return next(self._opened[1])

    def _fusion_alone(self, variables: list[keras.Variable]) -> list[keras.Variable]:
        own = {id(variable) for variable in self._model.fusion_variables}
        return [variable for variable in variables if id(variable) in own]


def _plain(settings: TrainingSettings, learning_rate: float) -> TrainingSettings:
    """The training's settings, without what does not apply to the fusion weights."""
    return settings.model_copy(
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
