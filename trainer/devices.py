"""Which devices train: one, or all GPUs of this machine together."""

import functools

import tensorflow as tf


def choose_strategy(devices: list[str] | None = None) -> tf.distribute.Strategy:
    """The distribution strategy for this machine.

    Args:
        devices: device names to mirror over; all GPUs of this machine if None.

    Returns:
        MirroredStrategy over several devices; OneDeviceStrategy on a single GPU; TensorFlow's
        default strategy on CPU.
    """
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


def device_names(strategy: tf.distribute.Strategy) -> list[str]:
    """Short names of the devices of a strategy, for people: ``["CPU:0"]``."""
    placed = isinstance(strategy, tf.distribute.MirroredStrategy | tf.distribute.OneDeviceStrategy)
    names = strategy.extended.worker_devices if placed else ("/device:CPU:0",)
    return [name.split("device:")[-1] for name in names]
