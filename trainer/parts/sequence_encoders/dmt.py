"""DMT: a Transformer for every behaviour type."""

from typing import Annotated, ClassVar

import keras
import numpy as np
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.attention.added_embedding import AddedEmbedding, recency
from mtlx.trainer.layers.attention.shared_keys import as_queries, as_rows
from mtlx.trainer.layers.attention.transformer_block import TransformerBlock
from mtlx.trainer.parts.sequence_encoders.stacked_encoder import StackedEncoder, repeated
from mtlx.transform.contract.model_inputs import ModelInputs


class DMT(StackedEncoder):
    """The sequence part of the deep multifaceted Transformers (Gu 2020).

    A Transformer encoder-decoder for each behaviour type b: enc_b = encoder_b(X_b + P_b), the
    self-attention among the behaviours, and interest_b = decoder_b(e, enc_b), in which the target
    item e is the only query. P_b holds learnt embeddings of positions, here counted back from
    the most recent behaviour. The Transformers of all types are one batched computation. DMT's
    MMoE is `network: mmoe`; its bias network is not part of this.

    X_b and e are normalised embeddings, where the authors multiply them with √k: the decoder adds
    e to the attention's output, whose RMS is about 1, and would not hear an e of 0.01 or 0.04.

    Shown to learn:
        Whether the target is among the behaviours: on planted rows whose best possible AUC is
        0.702 and on which mean pooling ends at 0.655, AUC 0.698 after two epochs and after
        five; 0.575 and 0.608 with embeddings as they are. And what the most recent behaviour was.

    Args:
        inputs: sequences and target item.
        heads: number of attention heads; a divisor of k.
        feed_forward: width of the feed-forward networks' hidden layer.
        positions: whether there are position embeddings.
        dropout: share of the units that are dropped from residual branches in training.
        normalise: whether embeddings are normalised; if not, they are read as they are.
    """

    normalises_interests: ClassVar[bool] = True
    shares_behaviours: ClassVar[bool] = True

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        heads: PositiveInt = 2,
        feed_forward: PositiveInt = 64,
        positions: bool = True,
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalise: bool = True,
    ):
        super().__init__(inputs, normalise)
        copies = len(self.sequence_names)
        self.rows = 1 + max((sequence.max_length for sequence in inputs.sequences), default=0)
        self.positions = AddedEmbedding(copies * self.rows, self.spread(0.1)) if positions else None
        self.encoder = TransformerBlock(heads, feed_forward, copies, dropout=dropout)
        self.decoder = TransformerBlock(heads, feed_forward, copies, dropout=dropout)

    def encode(
        self,
        values: keras.KerasTensor,
        mask: keras.KerasTensor,
        target: keras.KerasTensor,
        training: bool,
    ) -> keras.KerasTensor:
        """Stacked sequences ``(B, M, L, k)`` to interests ``(B, M, k)``."""
        copies = values.shape[1]
        values, target = self.scaled(values), self.scaled(target)
        if self.positions is not None:
            first_rows = np.arange(copies, dtype="int32")[:, None] * self.rows  # of each type
            values = self.positions(values, recency(mask) + first_rows)
        encoded = self.encoder(values, values, mask, training=training)
        queries = repeated(target[:, None, None], copies)  # (B, M, 1, k)
        queries, shared = as_queries(queries, encoded)
        interests = self.decoder(queries, encoded, mask, training=training)
        return as_rows(interests, shared)[:, :, 0]
