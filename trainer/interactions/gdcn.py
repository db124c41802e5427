"""Gated deep cross network."""

import keras
from keras import ops

from trainer.layers.batched_dense import BatchedDense


class GDCN(keras.layers.Layer):
    """Gated cross layers (Wang F. et al. 2023): c_{l+1} = c_0 ⊙ (W_l c_l + b_l) ⊙ σ(V_l c_l) + c_l.

    A linear map brings the last c to the output width, as DTN does with every FIM.

    Args:
        copies: independent instances, computed together.
        units: output width; 512 in DTN.
        layers: number of cross layers; 2 in DTN.
    """

    def __init__(self, copies: int, *, units: int = 512, layers: int = 2) -> None:
        super().__init__()
        self.copies, self.depth = copies, layers
        self.output_layer = BatchedDense(copies, units)

    def build(self, fields: tuple[int | None, ...], field_ids: object = None) -> None:
        """Creates W_l, b_l and V_l for the width F·k."""
        width = fields[1] * fields[2]
        self.crosses = [BatchedDense(self.copies, width) for _ in range(self.depth)]
        self.gates = [BatchedDense(self.copies, width, use_bias=False) for _ in range(self.depth)]

    def call(
        self, fields: keras.KerasTensor, field_ids: keras.KerasTensor | None = None
    ) -> keras.KerasTensor:
        """``(B, F, k)`` → ``(B, copies, units)``."""
        del field_ids  # Crosses are formed from the embeddings.
        flat = ops.reshape(fields, (-1, fields.shape[1] * fields.shape[2]))
        first = flat[:, None]  # (B, 1, F·k)
        c = flat
        for cross, gate in zip(self.crosses, self.gates, strict=True):
            update = first * cross(c) * ops.sigmoid(gate(c))  # (B, copies, F·k)
            c = update + (c[:, None] if len(c.shape) == 2 else c)
        return self.output_layer(c)
