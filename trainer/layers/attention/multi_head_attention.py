"""Multi-head attention in several padded sequences at once."""

from collections.abc import Mapping

import keras
from keras import ops

from mtlx.trainer.layers.attention.masked_softmax import masked_softmax
from mtlx.trainer.layers.attention.sequence_dense import SequenceDense
from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.told import ATTENTION, is_listening, tell


class MultiHeadAttention(keras.layers.Layer):
    """concat(head_1 .. head_h) W^O, head_i = softmax(X W_i^Q (Y W_i^K)ᵀ / √(k/h)) Y W_i^V.

    The matrices have no biases (Vaswani 2017). Padding is masked in Y; where Y has no real
    position, the result is 0.

    Args:
        heads: h.
        copies: C where every sequence has weights of its own, None where they share them.

    Raises:
        ValueError: when it is built, if k is not divisible by h.
    """

    def __init__(self, heads: int, copies: int | None = None):
        super().__init__()
        self.heads = heads
        self.copies = copies

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the four matrices ``([C,] k, k)``."""
        width = known_size(input_shape[-1])
        if width % self.heads:
            raise ValueError(
                f"the embedding size {width} is not divisible by the {self.heads} attention "
                f"heads: set the option 'heads' to a divisor of {width}, or change "
                "model.embedding_size"
            )
        parts = [SequenceDense(width, self.copies, use_bias=False) for _ in range(4)]
        for part in parts:
            part.build(input_shape)
        self.query, self.key, self.value, self.output_layer = parts

    def call(
        self,
        queries: keras.KerasTensor,
        keys: keras.KerasTensor,
        mask: keras.KerasTensor,
        factors: Mapping[str, keras.KerasTensor] | None = None,
    ) -> keras.KerasTensor:
        """Attends from X to Y.

        Args:
            queries: X, ``(B, C, Q, k)``.
            keys: Y, ``(B, C, L, k)``, the values too.
            mask: ``(B, C, L)`` bool, true at the real positions of Y.
            factors: "query", "key" and "value" to ``(C, k, k)``, what W^Q, W^K and W^V are
                multiplied with element by element; 1 where a name is absent.

        Returns:
            ``(B, C, Q, k)``.
        """
        factors = factors or {}
        query = self._split(self.query(queries, factors.get("query")))  # (B, C, Q, h, k/h)
        key = self._split(self.key(keys, factors.get("key")))  # (B, C, L, h, k/h)
        value = self._split(self.value(keys, factors.get("value")))
        # Scaled before the product, which could overflow in float16.
        query = query * float(query.shape[-1]) ** -0.5
        scores = ops.einsum("bcqhd,bclhd->bchql", query, key)
        weights = masked_softmax(scores, mask[:, :, None, None, :])
        if is_listening():
            tell(ATTENTION, ops.mean(weights, axis=2))
        heads = ops.einsum("bchql,bclhd->bcqhd", weights, value)
        return self.output_layer(ops.reshape(heads, (-1, *ops.shape(queries)[1:])))

    def _split(self, values: keras.KerasTensor) -> keras.KerasTensor:
        width = values.shape[-1] // self.heads
        return ops.reshape(values, (-1, *ops.shape(values)[1:-1], self.heads, width))
