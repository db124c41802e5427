"""DIEN: interests that evolve from behaviour to behaviour."""

import keras
from keras import ops

from trainer.layers.attentional_gru import AttentionalGRU
from trainer.layers.masked_softmax import masked_softmax
from trainer.layers.sequence_dense import SequenceDense
from trainer.sequence_encoders.stacked_encoder import StackedEncoder
from transform.model_inputs import ModelInputs


class DIEN(StackedEncoder):
    """Deep interest evolution network (Zhou 2019), without its auxiliary loss.

    h_l = GRU(e_1 .. e_l), the interest at each behaviour; a_l = softmax_l(h_l W e_t), its relation
    to the target item t; interest = last state of AUGRU(h, a), a GRU whose update gate is
    multiplied with a_l. Each sequence has weights of its own.

    Left out: the auxiliary loss, by which h_l is to tell the next behaviour from a sampled item;
    it needs negative samples, which these inputs do not have.

    Args:
        inputs: sequences and target item.
    """

    def __init__(self, inputs: ModelInputs):
        super().__init__(inputs)
        copies = len(self.sequence_names)
        self.extractor = AttentionalGRU(copies)
        self.relation = Bilinear(copies)
        self.evolution = AttentionalGRU(copies)

    def encode(
        self,
        values: keras.KerasTensor,
        mask: keras.KerasTensor,
        target: keras.KerasTensor,
        training: bool,
    ) -> keras.KerasTensor:
        """Stacked sequences ``(B, M, L, k)`` to interests ``(B, M, k)``."""
        states = self.extractor(values, ops.cast(mask, values.dtype))  # (B, M, L, k)
        attention = masked_softmax(self.relation(states, target), mask)  # (B, M, L)
        return self.evolution(states, attention)[:, :, -1]


class Bilinear(keras.layers.Layer):
    """h W_c e: states ``(B, C, L, k)`` and one vector ``(B, k)`` to scores ``(B, C, L)``."""

    def __init__(self, copies: int):
        super().__init__()
        self.copies = copies

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates W ``(C, k, k)``."""
        self.projection = SequenceDense(input_shape[-1], self.copies, use_bias=False)
        self.projection.build(input_shape)

    def call(self, states: keras.KerasTensor, vector: keras.KerasTensor) -> keras.KerasTensor:
        """See the class."""
        return ops.einsum("bclk,bk->bcl", self.projection(states), vector)
