"""Gates: softmax weights over the experts that each gate may see."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from mtlx.trainer.layers.known_size import last_size


class Gate(keras.layers.Layer):
    """G gates over E experts, each one linear layer and a softmax over the experts it sees.

    A gate has weights for the experts that it sees and for no others, so that a gate over
    n of E experts is exactly a dense layer with n outputs; unseen experts get the weight 0.
    The weights of all gates mix all experts in one contraction: see `mix`.

    Shapes: ``(B, n)``, one input for all gates, ``(B, G, n)`` or a list of G ``(B, n)``, one for
    each, to weights ``(B, G, E)``, which are not negative and sum to 1 for each gate.

    Args:
        visible: G rows of E booleans: gate g sees expert e.

    Raises:
        ValueError: a gate sees no expert.
    """

    def __init__(self, visible: Sequence[Sequence[bool]]):
        super().__init__()
        self.visible = np.asarray(visible, dtype=bool)
        if self.visible.ndim != 2 or not self.visible.any(axis=1).all():
            raise ValueError(f"every gate must see at least one expert; received {visible}")
        columns = np.cumsum(self.visible.ravel()).reshape(self.visible.shape) - 1
        # Unseen experts point to any column: the softmax gives them the weight 0 anyway.
        self.columns = np.where(self.visible, columns, 0).astype("int32")
        self.column_count = int(self.visible.sum())

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the kernel ``(n, columns)`` and bias; one column per gate and seen expert."""
        self.kernel = self.add_weight(
            shape=(last_size(input_shape), self.column_count),
            initializer="glorot_uniform",
            name="kernel",
        )
        self.bias = self.add_weight(shape=(self.column_count,), initializer="zeros", name="bias")

    def call(self, inputs: keras.KerasTensor | list[keras.KerasTensor]) -> keras.KerasTensor:
        """Weights ``(B, G, E)`` of the experts for every row and gate."""
        if isinstance(inputs, (list, tuple)):
            scores = self._of_each(inputs)
        elif len(inputs.shape) == 3:
            scores = self._of_each(ops.unstack(inputs, self.visible.shape[0], axis=1))
        else:
            scores = ops.matmul(inputs, self.kernel) + self.bias  # (B, columns)
        if self.visible.all():
            return ops.softmax(ops.reshape(scores, (-1, *self.columns.shape)), axis=-1)
        scores = ops.take(scores, self.columns.ravel(), axis=1)
        scores = ops.reshape(scores, (-1, *self.columns.shape))
        return ops.softmax(ops.where(self.visible, scores, -np.inf), axis=-1)  # (B, G, E)

    def _of_each(self, inputs: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
        """Scores ``(B, columns)`` where every gate has an input of its own ``(B, n)``."""
        ends = np.cumsum(self.visible.sum(axis=1))[:-1].tolist()
        kernels, biases = [ops.convert_to_tensor(self.kernel)], [ops.convert_to_tensor(self.bias)]
        if ends:
            kernels, biases = ops.split(kernels[0], ends, axis=1), ops.split(biases[0], ends)
        scores = [
            ops.matmul(own, kernel) + bias
            for own, kernel, bias in zip(inputs, kernels, biases, strict=True)
        ]
        return ops.concatenate(scores, axis=1)


def mix(weights: keras.KerasTensor, experts: keras.KerasTensor) -> keras.KerasTensor:
    """Weighted sums of experts: weights ``(B, G, E)``, experts ``(B, E, h)`` to ``(B, G, h)``."""
    return ops.matmul(weights, experts)


def expert_groups(
    tasks: int, task_experts: int, shared_experts: int, last: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Groups of a level with experts of each task's own and shared ones.

    Args:
        tasks: T.
        task_experts: experts of each task.
        shared_experts: experts that all tasks share; they come last.
        last: whether no level follows, so that no shared mix is needed.

    Returns:
        The group of each expert ``(E,)`` int32, tasks first and the shared group T last; and which
        experts are a gate's own or shared, ``(G, E)`` bool. G is T at the last level, and T + 1
        before: the shared gate goes by all.
    """
    sizes = [task_experts] * tasks + [shared_experts]
    group_of_expert = np.repeat(np.arange(tasks + 1, dtype="int32"), sizes)
    own = [np.isin(group_of_expert, (task, tasks)) for task in range(tasks)]
    every = [] if last else [np.ones(len(group_of_expert), dtype=bool)]
    return group_of_expert, np.stack(own + every)
