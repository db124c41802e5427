"""ATRank: self-attention over the behaviours of all types in one sequence."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import keras
import numpy as np
from keras import ops
from pydantic import Field, PositiveInt

from trainer.layers.added_embedding import AddedEmbedding
from trainer.layers.multi_head_attention import MultiHeadAttention
from trainer.layers.transformer_block import TransformerBlock
from trainer.sequence_encoders.sequence_encoder import SequenceEncoder
from transform.model_inputs import ModelInputs


class ATRank(SequenceEncoder):
    """Attention-based ranking of heterogeneous behaviours (Zhou 2018).

    All sequences are stitched into one, each behaviour with an embedding of its type added:
    S = Transformer layer over all of them (the heads are ATRank's latent semantic spaces), then
    attention from the target item: interest = MHA(e_t, S). This gives one interest in all.

    Deviations: no embeddings of the time that has passed, as these inputs have no times; types are
    added to the items' embeddings, which share one width, instead of a projection per type into
    semantic spaces of unlike sizes.

    Args:
        inputs: sequences and target item.
        heads: number of attention heads; a divisor of k.
        feed_forward: width of the feed-forward network's hidden layer.
        dropout: share of the units that are dropped from residual branches in training.
    """

    needs_target: ClassVar[bool] = True

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        heads: PositiveInt = 2,
        feed_forward: PositiveInt = 64,
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
    ):
        super().__init__(inputs)
        self.types = AddedEmbedding(len(self.sequence_names))
        self.self_attention = TransformerBlock(heads, feed_forward, dropout=dropout)
        self.target_attention = MultiHeadAttention(heads)

    def call(
        self,
        sequences: Mapping[str, keras.KerasTensor],
        masks: Mapping[str, keras.KerasTensor],
        target: keras.KerasTensor | None = None,
        training: bool = False,
    ) -> keras.KerasTensor | None:
        """Encodes one batch.

        Args:
            sequences: name to ``(B, L, k)``.
            masks: name to ``(B, L)`` bool, true at real positions.
            target: ``(B, k)``.
            training: whether dropout is on.

        Returns:
            ``(B, 1, k)``, zeros for a row without any behaviour; None where there is no sequence.
        """
        names = self.sequence_names
        if not names:
            return None
        lengths = [sequences[name].shape[1] for name in names]
        stitched = ops.concatenate([sequences[name] for name in names], axis=1)
        mask = ops.concatenate([masks[name] for name in names], axis=1)[:, None]
        types = np.repeat(np.arange(len(names), dtype="int32"), lengths)
        stitched = self.types(stitched, types)[:, None]  # (B, 1, sum of L, k)
        attended = self.self_attention(stitched, stitched, mask, training=training)
        return self.target_attention(target[:, None, None], attended, mask)[:, 0]
