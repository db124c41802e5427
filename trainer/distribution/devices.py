"""Which devices train: one, all GPUs of this machine together, or several machines."""

import functools

import tensorflow as tf

from mtlx.trainer.distribution.cluster import Cluster


def choose_strategy(devices: list[str] | None = None) -> tf.distribute.Strategy:
    """The distribution strategy for this machine.

    Where ``TF_CONFIG`` names several machines, this must be the process's first use of
    TensorFlow's runtime; it waits until all of them are there.

    Args:
        devices: device names to mirror over; all GPUs of this machine if None.

    Returns:
        MultiWorkerMirroredStrategy over all devices of several machines; MirroredStrategy over
        several devices of this one; OneDeviceStrategy on a single GPU; TensorFlow's default
        strategy on CPU.

    Raises:
        WrongCluster: ``TF_CONFIG`` can't be used.
    """
    if devices is None and Cluster.of_environment().workers > 1:
        return _over_machines()
    if devices is None:
        devices = [f"GPU:{index}" for index in range(len(tf.config.list_logical_devices("GPU")))]
    if len(devices) > 1:
        return _mirrored(tuple(devices))
    if devices:
        return tf.distribute.OneDeviceStrategy(devices[0])
    return tf.distribute.get_strategy()


@functools.cache
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.MirroredStrategy:
    """The process's only strategy over these devices.

    Each strategy numbers its collective operations from 1 on; those of a second training in the
    same process, of other shapes, would be taken for the first one's.
    """
    return tf.distribute.MirroredStrategy(list(devices))


@functools.cache
def _over_machines() -> tf.distribute.MultiWorkerMirroredStrategy:
    """The process's only strategy over machines; its server can be started once."""
    return tf.distribute.MultiWorkerMirroredStrategy()


def device_names(strategy: tf.distribute.Strategy) -> list[str]:
    """Short names of the devices of a strategy, for people: ``["CPU:0"]``."""
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        # All machines have the same number of devices.
        local = [name.split("device:")[-1] for name in strategy.extended.worker_devices]
        workers = strategy.num_replicas_in_sync // len(local)
        return [f"worker {worker} {name}" for worker in range(workers) for name in local]
    placed = isinstance(strategy, tf.distribute.MirroredStrategy | tf.distribute.OneDeviceStrategy)
    names = strategy.extended.worker_devices if placed else ("/device:CPU:0",)
    return [name.split("device:")[-1] for name in names]
