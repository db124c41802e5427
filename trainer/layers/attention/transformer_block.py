"""One layer of a Transformer, encoder or decoder, in several sequences at once."""

from collections.abc import Mapping

import keras

from mtlx.trainer.layers.attention.conditional_layer_normalization import (
    ConditionalLayerNormalization,
)
from mtlx.trainer.layers.attention.multi_head_attention import MultiHeadAttention
from mtlx.trainer.layers.attention.sequence_dense import (
    Activation,
    SequenceDense,
    joined,
    sequences_apart,
)
from mtlx.trainer.layers.known_size import known_size


class TransformerBlock(keras.layers.Layer):
    """H = LN_1(X + MHA(X, Y)), out = LN_2(H + FFN(H)), FFN(H) = act(H W_1 + b_1) W_2 + b_2.

    Normalisation comes after the residuals (post-norm), as in Vaswani 2017. With Y = X this is
    an encoder's layer. With a target item as X and the encoder's output as Y it is the decoder's
    layer of DMT and DTRN, which has no self-attention among its queries.

    Args:
        heads: number of attention heads; a divisor of k.
        hidden: width of the feed-forward network's hidden layer.
        copies: C where every sequence has weights of its own, None where they share them.
        activation: of the feed-forward network's hidden layer.
        dropout: share of the units that are dropped from both residual branches in training.
    """

    def __init__(
        self,
        heads: int,
        hidden: int,
        copies: int | None = None,
        activation: str | Activation = "relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        self.copies = copies
        self.attention = MultiHeadAttention(heads, copies)
        self.first_norm = ConditionalLayerNormalization(copies)
        self.inner = SequenceDense(hidden, copies, activation)
        self.second_norm = ConditionalLayerNormalization(copies)
        self.dropout = keras.layers.Dropout(dropout)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates all weights; k is known only here."""
        width = known_size(input_shape[-1])
        self.outer = SequenceDense(width, self.copies)
        for layer in (self.attention, self.first_norm, self.inner, self.second_norm):
            layer.build(input_shape)
        self.outer.build((*input_shape[:-1], self.inner.units))

    def call(
        self,
        queries: keras.KerasTensor,
        keys: keras.KerasTensor,
        mask: keras.KerasTensor,
        condition: Mapping[str, keras.KerasTensor] | None = None,
        training: bool = False,
    ) -> keras.KerasTensor:
        """Runs the layer.

        Args:
            queries: X, ``(B, C, Q, k)``.
            keys: Y, ``(B, C, L, k)``.
            mask: ``(B, C, L)`` bool, true at the real positions of Y.
            condition: what adapts the weights to each of P sequences, all optional: "query",
                "key", "value" ``(P, k, k)``, "inner_kernel" ``(P, k, hidden)``, "inner_bias"
                ``(P, hidden)``, "outer_kernel" ``(P, hidden, k)`` and "outer_bias" ``(P, k)``
                multiply the weight of that name; "scale_1", "shift_1", "scale_2" and
                "shift_2" ``(P, k)`` are γ and β of the conditional normalisation.
            training: whether dropout is on.

        Returns:
            ``(B, C, Q, k)``, or ``(B, P, Q, k)`` where the first normalisation makes P
            sequences out of C.
        """
        given = condition or {}
        mixed = self.attention(queries, keys, mask, given)
        hidden = queries + self.dropout(mixed, training=training)
        hidden = self.first_norm(hidden, given.get("scale_1"), given.get("shift_1"))
        # Weights of each sequence's own go over its rows alone, which lie apart in between.
        adapted = any(name in given for name in ("inner_kernel", "outer_kernel"))
        apart = self.copies is not None or adapted
        rows = sequences_apart(hidden) if apart else hidden
        rows = self.inner(rows, given.get("inner_kernel"), given.get("inner_bias"))
        rows = self.outer(rows, given.get("outer_kernel"), given.get("outer_bias"))
        outer = joined(rows, hidden) if apart else rows
        outputs = hidden + self.dropout(outer, training=training)
        return self.second_norm(outputs, given.get("scale_2"), given.get("shift_2"))
