"""When a training can't go on: its numbers are no longer finite."""

import math

from mtlx.trainer.training.training_progress import TrainingProgress


class TrainingDiverged(RuntimeError):
    """The loss is no longer a number."""


def check_finite(what: str, value: float, step: int, progress: TrainingProgress) -> None:
    """Refuses to go on with a number that is infinite or none.

    Args:
        what: which number it is, in words.
        value: the number.
        step: after which it was seen.
        progress: of the training.

    Raises:
        TrainingDiverged: names the number, the step and the epoch, and what helps.
    """
    if not math.isfinite(value):
        raise TrainingDiverged(
            f"the {what} is {value} at step {step} (epoch {progress.epoch}): lower "
            "training.learning_rate, set training.clip_norm, or transform features of great "
            "range (zscore, log)"
        )
