"""What a training method is given, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.validation.history import History
from mtlx.transform.contract.model_inputs import ModelInputs


@dataclass(frozen=True)
class TrainingJob:
    """Everything a training method may use; the test split is not among it.

    Attributes:
        settings: of the training.
        inputs: what the model is built from.
        build_model: makes the untrained model.
        train: examples of the train split.
        validation: examples of the validation split, which alone selects.
        checkpoints: where the training's state is kept.
        strategy: the devices.
        on_epoch: is called with the history after every epoch.
    """

    settings: TrainingSettings
    inputs: ModelInputs
    build_model: Callable[[], keras.Model]
    train: ExampleSet
    validation: ExampleSet
    checkpoints: CheckpointFolder
    strategy: tf.distribute.Strategy
    on_epoch: Callable[[History], None] = lambda history: None


@dataclass(frozen=True)
class TrainingResult:
    """What a training left.

    Attributes:
        weights: the selected ones, in the order of the model's ``variables``.
        history: what happened.
        build_model: makes the untrained model that the weights fit, where the method changed
            the model; None for the job's own.
    """

    weights: list[np.ndarray]
    history: History
    build_model: Callable[[], keras.Model] | None = None
