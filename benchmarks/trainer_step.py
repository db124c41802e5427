"""One step of the project's own training, on one batch that is in memory."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from benchmarks.step_flops import step_flops
from benchmarks.step_models import Batch
from mtlx.trainer.examples import traced_once
from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training import ordinary_step
from mtlx.transform.contract.model_inputs import TaskSpec


def trainer_step(
    model: keras.Model, tasks: Sequence[TaskSpec], batch: Batch, optimizer: str = "adam"
) -> tuple[Callable[[], object], Callable[[], float]]:
    """A model's step, traced, and what counts the operations of its matrix products.

    Args:
        model: not yet trained.
        tasks: the model's.
        batch: features, domain ids and labels by name.
        optimizer: registered name.
    """
    # What the steps of a long training take.
    traced_once.WHOLE_AFTER = 0
    rows = len(next(iter(batch.values())))
    training = TrainingSettings(optimizer=optimizer, batch_size=rows)
    step = ordinary_step.OrdinaryStep(model, tuple(tasks), training, tf.distribute.get_strategy())
    tensors = {name: tf.constant(values) for name, values in batch.items()}
    step.prepare(tensors)
    return lambda: step(tensors).numpy(), lambda: step_flops(step, batch, rows)
