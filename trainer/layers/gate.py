"""Gates: softmax weights over the experts that each gate may see."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops


class Gate(keras.layers.Layer):
    """G gates over E experts, each one linear layer and a softmax over the experts it sees.

    A gate has weights for the experts that it sees and for no others, so that a gate over
    n of E experts is exactly a dense layer with n outputs; unseen experts get the weight 0.
    The weights of all gates mix all experts in one contraction: see `mix`.

    Shapes: ``(B, n)``, one input for all gates, or ``(B, G, n)``, one for each, to weights
    ``(B, G, E)``, which are not negative and sum to 1 for each gate.

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
            shape=(input_shape[-1], self.column_count), initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight(shape=(self.column_count,), initializer="zeros", name="bias")

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Weights ``(B, G, E)`` of the experts for every row and gate."""
        gates = self.visible.shape[0]
        scores = ops.matmul(inputs, self.kernel) + self.bias  # (B, [G,] columns)
        columns = self.columns
        if len(inputs.shape) == 3:
            # Each gate keeps the columns that are its own out of its own input's scores.
            scores = ops.reshape(scores, (-1, gates * self.column_count))
            columns = columns + np.arange(gates, dtype="int32")[:, None] * self.column_count
        scores = ops.reshape(ops.take(scores, columns.ravel(), axis=1), (-1, *columns.shape))
        return ops.softmax(ops.where(self.visible, scores, -np.inf), axis=-1)  # (B, G, E)


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
