"""A hypernetwork: what adapts one Transformer to every pair of task and behaviour type."""

from typing import Literal

import keras
import numpy as np
from keras import ops

from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense

ConditionKind = Literal["layer_norm", "qkv", "ffn_1", "ffn_2"]
Condition = dict[str, keras.KerasTensor]

#: What is generated for each of the two Transformer layers, by the kind of condition.
_NAMES = {
    "layer_norm": ("scale_1", "shift_1", "scale_2", "shift_2"),
    "qkv": ("query", "key", "value"),
    "ffn_1": ("inner",),
    "ffn_2": ("outer",),
}


class PairConditions(keras.layers.Layer):
    """W_tb = MLP([T_t, BS_b]) for P = T·M pairs of task t and behaviour b (DTRN paper, Eq. 2).

    T_t and BS_b are embeddings of the task and of the behaviour type, of width k. The MLPs, one
    for each place that is adapted, have one hidden layer with a ReLU. At the start they generate
    γ_tb = 1 and β_tb = 0, or W_tb = 0: the output biases are 1 or 0, the output kernels are drawn
    from N(0, 10⁻⁶). Kernels of 0 would leave the embeddings without gradient at the first step.

    Args:
        tasks: T.
        behaviours: M.
        kind: what is adapted: γ and β of the normalisations, W^Q, W^K and W^V of the
            attentions, or the first or second layer of the feed-forward networks.
        generator_hidden: width of the MLPs' hidden layer.
        feed_forward: width of the feed-forward networks' hidden layer.
    """

    def __init__(
        self,
        tasks: int,
        behaviours: int,
        kind: ConditionKind,
        generator_hidden: int,
        feed_forward: int,
    ):
        super().__init__()
        self.tasks, self.behaviours = tasks, behaviours
        self.kind, self.feed_forward = kind, feed_forward
        self.places = [(layer, name) for layer in range(2) for name in _NAMES[kind]]
        self.inner = ParallelDense(len(self.places), generator_hidden, "relu")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the embeddings ``(T, k)`` and ``(M, k)``, and the MLPs."""
        width, places = known_size(input_shape[-1]), len(self.places)
        # Of length 1 each, so that the pairs differ from the start.
        normal = keras.initializers.RandomNormal(stddev=width**-0.5)
        self.task_types = self.add_weight(
            shape=(self.tasks, width), initializer=normal, name="task_types"
        )
        self.behaviour_types = self.add_weight(
            shape=(self.behaviours, width),
            initializer=keras.initializers.RandomNormal(stddev=width**-0.5),
            name="behaviour_types",
        )
        self.inner.build((None, 2 * width))
        sizes = {"layer_norm": width, "qkv": width**2}
        sizes["ffn_1"] = (width + 1) * self.feed_forward
        sizes["ffn_2"] = (self.feed_forward + 1) * width
        size = sizes[self.kind]
        self.kernel = self.add_weight(
            shape=(places, self.inner.units, size),
            initializer=keras.initializers.RandomNormal(stddev=1e-6),
            name="kernel",
        )
        start = np.asarray([name.startswith("scale") for _, name in self.places], "float32")
        self.bias = self.add_weight(
            shape=(places, size),
            initializer=lambda shape, dtype: ops.cast(
                np.broadcast_to(start[:, None], shape), dtype
            ),
            name="bias",
        )

    def call(self, inputs: keras.KerasTensor) -> tuple[Condition, Condition]:
        """Conditions of the first and the second Transformer layer.

        Args:
            inputs: any tensor of width k; the conditions do not depend on its values.

        Returns:
            As `TransformerBlock` takes them, for P = T·M pairs; pair t·M + b is task t's and
            behaviour b's.
        """
        tasks = ops.repeat(self.task_types, self.behaviours, axis=0)
        behaviours = ops.tile(self.behaviour_types, (self.tasks, 1))
        hidden = self.inner(ops.concatenate([tasks, behaviours], axis=1))  # (P, places, h)
        generated = ops.einsum("pch,cho->cpo", hidden, self.kernel) + self.bias[:, None]
        conditions: tuple[Condition, Condition] = ({}, {})
        for index, (layer, name) in enumerate(self.places):
            conditions[layer].update(self._named(name, generated[index], inputs.shape[-1]))
        return conditions

    def _named(self, name: str, values: keras.KerasTensor, width: int) -> Condition:
        """Generated numbers ``(P, size)`` in the shapes of the weights that they adapt."""
        if self.kind == "layer_norm":
            return {name: values}
        factors = 1.0 + values
        if self.kind == "qkv":
            return {name: ops.reshape(factors, (-1, width, width))}
        shape = (width, self.feed_forward) if name == "inner" else (self.feed_forward, width)
        kernels, biases = factors[:, : shape[0] * shape[1]], factors[:, shape[0] * shape[1] :]
        return {f"{name}_kernel": ops.reshape(kernels, (-1, *shape)), f"{name}_bias": biases}
