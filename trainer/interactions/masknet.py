"""Instance-guided masks."""

from typing import Literal

import keras
from keras import ops

from trainer.layers.batched_dense import BatchedDense


class _LayerNorm(keras.layers.Layer):
    """Layer normalisation over the last axis, with its own scale and shift per copy."""

    def __init__(self, copies: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.copies, self.epsilon = copies, epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = (self.copies, input_shape[-1])
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")
        self.shift = self.add_weight(name="shift", shape=shape, initializer="zeros")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        mean, variance = ops.moments(x, axes=[-1], keepdims=True)
        return (x - mean) / ops.sqrt(variance + self.epsilon) * self.scale + self.shift


class MaskNet(keras.layers.Layer):
    """Mask blocks (Wang Z. et al. 2021) on the embedded fields V.

    V_mask = W2 ReLU(W1 V + b1) + b2, where the hidden layer is an aggregation of all fields;
    MaskBlock(H) = ReLU(LN(W (V_mask ⊙ H))). H is LN(V), each field normalised on its own, for
    the first block; the next block's H is the previous block's output (serial) or LN(V) again
    (parallel, outputs concatenated). A linear map brings the result to the output width.

    Args:
        copies: independent instances, computed together.
        units: width of the blocks and of the output; 512 in DTN.
        arrangement: ``serial`` or ``parallel``.
        blocks: number of mask blocks.
        aggregation: width of the aggregation; 640 in DTN.
    """

    def __init__(
        self,
        copies: int,
        *,
        units: int = 512,
        arrangement: Literal["serial", "parallel"] = "serial",
        blocks: int = 2,
        aggregation: int = 640,
    ) -> None:
        super().__init__()
        self.copies, self.units, self.arrangement = copies, units, arrangement
        self.aggregations = [BatchedDense(copies, aggregation, "relu") for _ in range(blocks)]
        self.projections = [BatchedDense(copies, units, use_bias=False) for _ in range(blocks)]
        self.norms = [_LayerNorm(copies) for _ in range(blocks)]
        self.output_layer = BatchedDense(copies, units)

    def build(self, fields: tuple[int | None, ...], field_ids: object = None) -> None:
        """Creates the field normalisation and the masks, whose widths depend on F and k."""
        _, count, size = fields
        shape = (self.copies * count, size)
        self.field_scale = self.add_weight(name="field_scale", shape=shape, initializer="ones")
        self.field_shift = self.add_weight(name="field_shift", shape=shape, initializer="zeros")
        serial = self.arrangement == "serial"
        self.masks = [
            BatchedDense(self.copies, count * size if index == 0 or not serial else self.units)
            for index in range(len(self.norms))
        ]

    def call(
        self, fields: keras.KerasTensor, field_ids: keras.KerasTensor | None = None
    ) -> keras.KerasTensor:
        """``(B, F, k)`` → ``(B, copies, units)``."""
        del field_ids  # Masks are formed from the embeddings.
        width = fields.shape[1] * fields.shape[2]
        flat = ops.reshape(fields, (-1, width))
        normalised = self._normalised_fields(fields)  # (B, copies, F·k)
        hidden, outputs = normalised, []
        parts = (self.aggregations, self.masks, self.projections, self.norms)
        for aggregation, mask, projection, norm in zip(*parts, strict=True):
            start = hidden if self.arrangement == "serial" else normalised
            hidden = ops.relu(norm(projection(mask(aggregation(flat)) * start)))
            outputs.append(hidden)
        last = hidden if self.arrangement == "serial" else ops.concatenate(outputs, axis=-1)
        return self.output_layer(last)

    def _normalised_fields(self, fields: keras.KerasTensor) -> keras.KerasTensor:
        """LN(V): every field on its own, with scale and shift per copy; ``(B, copies, F·k)``."""
        count, size = fields.shape[1], fields.shape[2]
        mean, variance = ops.moments(fields, axes=[-1], keepdims=True)
        standard = (fields - mean) / ops.sqrt(variance + 1e-5)  # (B, F, k)
        shape = (1, self.copies, count, size)
        scale, shift = (ops.reshape(w, shape) for w in (self.field_scale, self.field_shift))
        return ops.reshape(standard[:, None] * scale + shift, (-1, self.copies, count * size))
