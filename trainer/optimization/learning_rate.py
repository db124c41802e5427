"""The learning rate of every step, as an optimiser asks for it."""

import keras
import tensorflow as tf
from keras import ops

from mtlx.trainer.optimization.schedules import SCHEDULES
from mtlx.trainer.optimization.schedules.schedule import Schedule, TrainingLength
from mtlx.trainer.settings import ScheduleSettings
from mtlx.transform.config.settings import SettingsError


class ScheduleState:
    """Where a schedule is; all optimisers of a training share it.

    The rate at step s, counted from 0, is

        rate · min((s + 1) / (W + 1), 1) · share(max(s − W, 0)) · factor,

    W the steps of the warm-up: the first step takes 1/(W + 1) of the full rate, step W the
    whole. A stage of a method that begins before the one before it has taken all its steps
    starts at its own place: `offset` stands for the steps that were not taken.

    Created in the strategy's scope. What changes but by steps, `offset` and `factor`, is kept in
    the training's progress and set by `place` when a training is resumed.

    Args:
        settings: of the schedule.
        length: of the training; None where neither schedule nor warm-up depends on it.

    Raises:
        SettingsError: the warm-up is not shorter than the training.
    """

    def __init__(self, settings: ScheduleSettings, length: TrainingLength | None) -> None:
        self._warm_up = _warm_up_steps(settings, length)
        steps, epoch_steps = (length.steps, length.epoch_steps) if length else (1, 1)
        self.schedule: Schedule = SCHEDULES.build(
            settings.name, settings.options, steps - self._warm_up if length else 1, epoch_steps
        )
        self._offset, self._factor = (
            keras.Variable(
                value, dtype=dtype, trainable=False, aggregation="only_first_replica", name=name
            )
            for name, value, dtype in (("offset", 0, "int64"), ("factor", 1.0, "float32"))
        )

    def place(self, offset: int, factor: float) -> None:
        """Sets what the training's progress holds of the schedule."""
        self._offset.assign(offset)
        self._factor.assign(factor)

    def share(self, step: tf.Tensor) -> tf.Tensor:
        """Share of the full rate at a step of the optimiser."""
        place = ops.cast(step, "int64") + ops.convert_to_tensor(self._offset)
        behind = ops.cast(ops.maximum(place - self._warm_up, 0), "float32")
        share = self.schedule.share(behind) * ops.convert_to_tensor(self._factor)
        if not self._warm_up:
            return share
        begun = ops.cast(place + 1, "float32") / float(self._warm_up + 1)
        return share * ops.minimum(begun, 1.0)


class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """One optimiser's rate: its full rate times the schedule's share.

    Args:
        rate: the full one.
        state: of the schedule.
    """

    def __init__(self, rate: float, state: ScheduleState) -> None:
        super().__init__()
        self._rate, self._state = rate, state

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The rate at a step of the optimiser, float32."""
        return self._rate * self._state.share(step)


def needs_length(settings: ScheduleSettings) -> bool:
    """Whether a training with this schedule must know how long it is."""
    warm_up = settings.warm_up_share > 0 or settings.warm_up_steps > 0
    return warm_up or SCHEDULES.get(settings.name).needs_length


def _warm_up_steps(settings: ScheduleSettings, length: TrainingLength | None) -> int:
    if length is None:
        return 0
    if settings.warm_up_share:
        return min(round(settings.warm_up_share * length.steps), length.steps - 1)
    if settings.warm_up_steps >= length.steps:
        text = (
            f"the warm-up takes {settings.warm_up_steps} steps, but all {length.epochs} epochs "
            f"have no more than {length.steps} of {length.epoch_steps} each: lower it, or give a "
            "share of the training (warm_up_share)"
        )
        raise SettingsError([(("schedule", "warm_up_steps"), text)])
    return settings.warm_up_steps
