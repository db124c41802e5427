"""What a training computes in: chosen once, the same on all workers and after an interruption."""

import tensorflow as tf
from absl import logging

from mtlx.trainer.distribution.precision import fast_precision
from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder


def agreed_precision(
    settings: TrainingSettings,
    checkpoints: CheckpointFolder,
    workers: WorkerGroup,
    strategy: tf.distribute.Strategy,
) -> tuple[str, list[str]]:
    """What all workers compute in.

    ``auto`` is bfloat16 where every worker's devices multiply in it. A resumed training goes on in
    the precision that it began in, whatever machine it is on now: half a curve of one and half of
    the other would be neither's.

    Args:
        settings: of the training.
        checkpoints: of the training.
        workers: that train together.
        strategy: the devices.

    Returns:
        ``float32`` or ``bfloat16``, and what is to be said of it.
    """
    if settings.precision != "auto":
        return settings.precision, []
    own = fast_precision(strategy)
    (lacks,) = workers.any_of([own != "bfloat16"])
    chosen = "float32" if lacks else "bfloat16"
    before = workers.chiefs_value(checkpoints.precision())
    if before is None:
        if workers.is_chief:
            checkpoints.note_precision(chosen)
        logging.info("training computes in %s", chosen)
        return chosen, []
    if before == chosen:
        return before, []
    note = (
        f"Went on in {before}, which the training began in; by itself this machine would have "
        f"chosen {chosen}."
    )
    logging.warning(note)
    return before, [note]
