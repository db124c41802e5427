"""Several machines that take every step together: who has which rows, what all agree on."""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtlx.trainer.distribution.cluster import Cluster
from mtlx.trainer.distribution.share import Share


class WorkerGroup:
    """The workers of a training, as one of them sees them.

    Every worker runs the same program on the same global batches and takes its own rows of each
    inside the step. So all trace the same graphs, whose exchanges TensorFlow numbers as they are
    traced, take the same number of steps, and do in sum what one machine would do; a worker
    without rows in a short last batch takes part with none. What only one of them can say is
    said by the chief. On a single machine all methods give back what they are given.

    Args:
        strategy: the devices.
    """

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self._strategy = strategy
        several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        self._cluster = Cluster.of_environment() if several else Cluster()

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes checkpoints, history and model."""
        return self._cluster.is_chief

    @property
    def several(self) -> bool:
        """Whether there is more than one machine."""
        return self._cluster.workers > 1

    @property
    def share(self) -> Share:
        """Which rows of a sharded table are this worker's."""
        return Share(self._cluster.index, self._cluster.workers)

    def own_rows(self, batch: Mapping[str, tf.Tensor]) -> Mapping[str, tf.Tensor]:
        """The rows of a global batch that are this replica's, in the replica's context."""
        if not self.several:
            return batch
        context = tf.distribute.get_replica_context()
        replica, replicas = context.replica_id_in_sync_group, context.num_replicas_in_sync
        rows = tf.shape(next(iter(batch.values())))[0]
        first, last = rows * replica // replicas, rows * (replica + 1) // replicas
        return {name: values[first:last] for name, values in batch.items()}

    def chiefs_value(self, value: Any) -> Any:
        """The chief's value, which JSON can hold, on every worker; the others' are ignored."""
        if not self.several:
            return value
        text = np.frombuffer(json.dumps(value).encode(), np.uint8).astype(np.int32)
        (length,) = self._chiefs(np.array([text.size], np.int32))
        own = text if self.is_chief else np.zeros(length, np.int32)
        return json.loads(self._chiefs(own).astype(np.uint8).tobytes())

    def chiefs_arrays(
        self, arrays: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]]
    ) -> list[np.ndarray]:
        """The chief's arrays on every worker.

        Args:
            arrays: the chief's; the others' are ignored.
            shapes: of the arrays, known to all workers.
        """
        if not self.several:
            return list(arrays)
        dtypes = self.chiefs_value([str(array.dtype) for array in arrays])
        given = arrays if self.is_chief else [np.zeros(0)] * len(shapes)
        result = []
        for array, shape, dtype in zip(given, shapes, dtypes, strict=True):
            # Devices exchange no other kinds of numbers; these hold all of theirs.
            wide = np.float64 if np.dtype(dtype).kind == "f" else np.int64
            own = array.astype(wide) if self.is_chief else np.zeros(shape, wide)
            result.append(self._chiefs(own).astype(dtype))
        return result

    def any_of(self, flags: Sequence[bool]) -> list[bool]:
        """For each flag, whether it is set on any worker."""
        if not self.several:
            return list(flags)
        own = tf.constant([int(flag) for flag in flags], tf.int32)
        counts = self._strategy.experimental_local_results(self._added_up(own))[0].numpy()
        return [bool(count) for count in counts]

    @functools.cached_property
    def _added_up(self) -> Callable[[tf.Tensor], tf.Tensor]:
        """The sum over all replicas of what each worker gives; traced once for each shape."""

        def added_up(own: tf.Tensor) -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            # The function's input lies on no device; its copy on the replica's.
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(own))

        return tf.function(lambda own: self._strategy.run(added_up, args=(own,)), autograph=False)

    def wait(self) -> None:
        """Returns once all workers are here.

        Raises:
            tf.errors.OpError: one of them is gone.
        """
        self.chiefs_value(None)

    def _chiefs(self, array: np.ndarray) -> np.ndarray:
        """The chief's array; all workers pass one of the same shape and kind of number."""
        own = tf.constant(array if self.is_chief else np.zeros_like(array))

        def added_up(own: tf.Tensor) -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            # A machine has several replicas where it has several GPUs: its first one speaks.
            speaks = tf.equal(context.replica_id_in_sync_group, 0)
            part = tf.where(speaks, own, tf.zeros_like(own))
            return context.all_reduce(tf.distribute.ReduceOp.SUM, part)

        run = tf.function(lambda own: self._strategy.run(added_up, args=(own,)), autograph=False)
        return self._strategy.experimental_local_results(run(own))[0].numpy()
