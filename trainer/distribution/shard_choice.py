"""Whether several workers share out the rows of the embedding tables."""

import tensorflow as tf
from absl import logging

from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs

#: Bytes of the embedding tables from which on ``auto`` shares them out: with Adam's two moments
#: three times as many on every worker else.
LEAST_BYTES = 2**30


def shard_tables(
    training: TrainingSettings,
    model: ModelSettings,
    of_method: bool,
    inputs: ModelInputs,
    strategy: tf.distribute.Strategy,
) -> tuple[bool, list[str]]:
    """What `training.embeddings.shard` comes to, the same on all workers.

    Args:
        training: its settings.
        model: its settings.
        of_method: whether the training method can do with shards.
        inputs: the features.
        strategy: the devices.

    Returns:
        Whether tables are sharded, and what is to be said of it.

    Raises:
        SettingsError: the settings ask for it, and the devices do not allow it.
    """
    asked = training.embeddings.shard
    if strategy.num_replicas_in_sync == 1 or asked is False:
        return False, []
    reason = training.not_sharded
    if reason is None and not of_method:
        reason = "the training method needs whole tables"
    if reason is None and not WorkerGroup(strategy).several:
        reason = "the GPUs of one machine hold copies: sharded are the tables of several workers"
    if reason is None and len(strategy.extended.worker_devices) > 1:
        reason = "only workers of one device each share rows out, and these have several"
    if asked is True:
        if reason is not None:
            text = f"is true, and {reason}: change that, or set it to auto or false"
            raise SettingsError([(("embeddings", "shard"), text)])
        return True, []
    size = sum(field.cardinality for field in inputs.tables) * model.embedding_size * 4
    if size < LEAST_BYTES:
        return False, []
    if reason is None:
        return True, []
    note = (
        f"Every worker holds the whole embedding tables ({size / 2**30:.1f} GiB, without the "
        f"optimiser's moments): {reason}."
    )
    logging.warning(note)
    return False, [note]
