"""Meta-learning in two stages, as the MAN paper trains its network."""

import pydantic
from absl import logging

from mtlx.trainer.training.job import TrainingJob, TrainingResult
from mtlx.trainer.training.loop import TrainingLoop
from mtlx.trainer.training.meta_step import MetaStep
from mtlx.trainer.training.methods.training_method import TrainingMethod
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.transform.config.settings import SettingsError


class Meta(TrainingMethod):
    """Standard training with early stopping, then steps that let each task adapt the model.

    Stage 1 is what `Standard` does. Stage 2 starts from its best epoch's weights, takes the steps
    of `MetaStep` (the paper's Algorithm 1) instead, and ends as stage 1 does: after its epochs, or
    when patience is at an end. The best epoch of both stages is the result, so that stage 2
    can't make the model worse on the validation split.

    The algorithm as printed starts from random weights; the text says that it goes on from the
    early-stopped general model, and the text is followed. It gives no α, and steps θ − β ∇
    where "all models are optimised using Adam": the optimiser takes those steps, β is the
    training's learning rate, and Adam's moments go on from stage 1. So do the learnt weights of
    tasks. A schedule of the learning rate is one for both stages: stage 2 starts where it would
    be after all epochs of stage 1.

    Shown to learn:
        Weights from which each task is one step away: of two opposite tasks that share one logit, a
        step on 128 rows reaches AUC 0.818 and 0.831 (two seeds) of the possible 0.850, after as
        many ordinary steps 0.522 and 0.539. What is served is the model before that step, and tasks
        with towers of their own have no need of one: MAN's conversion on a planted log has 0.712
        and 0.713 where ordinary steps go on to 0.720 and 0.735, and 0.561 and 0.568 against 0.572
        and 0.578 with 2,048 rows (`benchmarks.meta_step`, `test_meta_planted`). There the
        validation split decides for stage 1.

    Args:
        job: what is trained on what.
        adaptation_rate: α, the length of a task's own step.
        second_order: whether the gradient goes through that step, which costs time and memory;
            the paper does not say.
        epochs: of stage 2, at most; None for as many as the training's.
    """

    def __init__(
        self,
        job: TrainingJob,
        *,
        adaptation_rate: pydantic.PositiveFloat = 0.01,
        second_order: bool = False,
        epochs: pydantic.PositiveInt | None = None,
    ) -> None:
        if job.settings.batch_parts > 1:
            text = (
                "'meta' steps down a gradient through every task's own step, which can't be "
                "computed in parts: set batch_parts to 1"
            )
            raise SettingsError([(("batch_parts",), text)])
        first = job.settings.epochs
        # A training of no step has no second stage either.
        self._second = (epochs or first) if first else 0
        self._first, self._length = first, job.length(first + self._second)
        model = job.gradient_model()
        step = OrdinaryStep(
            model, job.inputs.tasks, job.settings, job.strategy, length=self._length
        )
        self._meta_step = MetaStep(step, model, job.strategy, adaptation_rate, second_order)
        self.loop = TrainingLoop(job, model, step)

    def train(self) -> TrainingResult:
        """See `TrainingMethod`."""
        loop = self.loop
        loop.open()
        if loop.state.progress.stage == 1:
            loop.run_epochs(self._first)
            length = self._length
            loop.begin_stage(None if length is None else self._first * length.epoch_steps)
            logging.info("meta-learning goes on from epoch %d", loop.state.history.best_epoch)
        loop.step = self._meta_step
        loop.run_epochs(loop.state.progress.earlier_epochs + self._second)
        return loop.result()
