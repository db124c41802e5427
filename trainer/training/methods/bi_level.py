"""Bi-level training: fusion weights are updated apart from all other weights."""

import dataclasses
import functools
from typing import Annotated, Literal

import keras
import numpy as np
from absl import logging
from pydantic import Field, PositiveFloat, PositiveInt

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.training.job import TrainingJob, TrainingResult
from mtlx.trainer.training.loop import TrainingLoop
from mtlx.trainer.training.methods.fusion_updates import FusionUpdates
from mtlx.trainer.training.methods.training_method import TrainingMethod
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.transform.config.settings import SettingsError


class BiLevel(TrainingMethod):
    """Standard training of all weights but the fusion weights, with steps on those between.

    M3oE 2.6: the model's weights and the fusion weights (`model.fusion_variables`) are updated by
    turns, the latter alone by an optimiser of their own and "based on a mini-batch of training
    data". They weigh parts of the model against each other: on rows that the model was trained on
    they would favour the part that has learnt those by heart. So a share of the training split is
    held out for them, which the main steps never see. The validation split, by which the best
    epoch is chosen, is seen by neither.

    The paper updates the fusion weights once an epoch and gives no learning rate; its released
    code has 0.001, with which a number moves by 0.05 in 50 epochs. Here they are updated every
    tenth step, which costs less than a tenth of the time and reads about every held-out row once
    an epoch, at a rate at which some three hundred steps move them by a tenth. `every_steps` null
    is the paper's schedule.

    Experts that learn beside them can take up what the fusion weights leave: α is a factor of
    experts whose normalisation has a scale of its own, β a mix of experts that towers of every
    pair read. Where these differ in what they learn, the weights end elsewhere, so a single
    training's values are no measure of how much domains or tasks share.

    The released code passes the fusion weights to the main optimiser too (`main_trains_fusion`)
    and draws their batches from the rows that it trains on (`batch_from` ``train``).
    Regularisation, clipping and the schedule of the learning rate do not apply to the steps on
    them; an average of the weights (`training.average`) holds them too.

    Shown to learn:
        α and β of given experts, in 300 steps, with two seeds on three kinds of planted data.
        Beside experts that learn, β of domains that are apart ends at 0.89 with one seed and at
        0.43 with another; with `main_trains_fusion` and the released schedule at 0.77 and 0.82.

    Args:
        job: what is trained on what.
        every_steps: steps between two updates of the fusion weights; None for one after each
            epoch.
        learning_rate: of the fusion weights.
        batch_from: where their batches, of the usual size, are drawn from: ``held_out`` rows of
            the train split; ``train``, the rows that the main steps see; or ``validation``, rows
            as they are served, after which the choice of the best epoch is optimistic.
        held_out_share: share of the train split that is held out, where batches come from there.
        main_trains_fusion: the main optimiser trains the fusion weights as well.

    Raises:
        SettingsError: the model has no fusion weights; or validation rows are to train it, and
            logits are corrected for drawn negatives.
        ValueError: a train split so small that nothing can be held out.
    """

    def __init__(
        self,
        job: TrainingJob,
        *,
        every_steps: PositiveInt | None = 10,
        learning_rate: PositiveFloat = 0.05,
        batch_from: Literal["held_out", "train", "validation"] = "held_out",
        held_out_share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1,
        main_trains_fusion: bool = False,
    ) -> None:
        drawn = [task.name for task in job.inputs.tasks if task.kept_negatives < 1.0]
        if drawn and batch_from == "validation":
            text = (
                f"is 'validation', whose negatives of {drawn[0]!r} are not drawn as those that "
                "train: take 'held_out', or set sampling.correction: weights"
            )
            raise SettingsError([(("method_options", "batch_from"), text)])
        if batch_from == "held_out":
            left, rows = _divided(job, held_out_share)
            job = dataclasses.replace(job, train=left)
        else:
            rows = job.validation if batch_from == "validation" else job.train
        self._epochs, length = job.settings.epochs, job.length(job.settings.epochs)
        model = job.gradient_model()
        step = OrdinaryStep(
            model,
            job.inputs.tasks,
            job.settings,
            job.strategy,
            trained=None if main_trains_fusion else functools.partial(_without_fusion, model),
            length=length,
        )
        if not model.fusion_variables:
            text = (
                "'bi_level' updates the weights by which a model fuses its parts, and this model "
                "has none: choose 'standard'"
            )
            raise SettingsError([(("method",), text)])
        self.fusion = FusionUpdates(job, model, step.loss_layers, rows, every_steps, learning_rate)
        self.loop = TrainingLoop(job, model, step, self.fusion)

    def train(self) -> TrainingResult:
        """See `TrainingMethod`; the history's notes hold the fusion weights that were kept."""
        self.loop.open()
        self.loop.run_epochs(self._epochs)
        result, model = self.loop.result(), self.loop.model
        values = {
            id(variable): value
            for variable, value in zip(model.variables, result.weights, strict=True)
        }
        numbers = ", ".join(
            f"{variable.name} {1 / (1 + np.exp(-np.asarray(values[id(variable)]))):.3f}"
            for variable in model.fusion_variables
            if len(variable.shape) == 0
        )
        if numbers:
            result.history.notes.append(f"Fusion weights, as sigmoids: {numbers}.")
            logging.info("fusion weights: %s", numbers)
        return result


def _divided(job: TrainingJob, share: float) -> tuple[ExampleSet, ExampleSet]:
    """The train split without the rows that are held out, and these."""
    parts = job.train.hold_out(share, job.settings.seed)
    if any(part.is_empty for part in parts):
        raise ValueError(
            f"training method 'bi_level' holds out {100 * share:g}% of the train split for the "
            "fusion weights, which has too few rows for that: give the split more rows "
            "(data.split), or set method_options: {batch_from: train} in training"
        )
    return parts


def _without_fusion(model: GradientModel, variables: list[keras.Variable]) -> list[keras.Variable]:
    """All of the trainable weights but the model's fusion weights."""
    fusion = {id(variable) for variable in model.fusion_variables}
    return [variable for variable in variables if id(variable) not in fusion]
