"""TIM: interests of every pair of task and behaviour type from one conditional Transformer."""

from typing import Annotated, ClassVar

import keras
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.attention.pair_conditions import ConditionKind, PairConditions
from mtlx.trainer.layers.attention.shared_keys import as_queries, as_rows
from mtlx.trainer.layers.attention.transformer_block import TransformerBlock
from mtlx.trainer.parts.sequence_encoders.stacked_encoder import StackedEncoder, repeated
from mtlx.transform.contract.model_inputs import ModelInputs


class TIM(StackedEncoder):
    """Task-specific interest module (DTRN paper, Eqs. 2 to 8).

    One Transformer, shared by all pairs of task t and behaviour type b, with X the behaviours'
    embeddings and e the target item's:

    - out0 = CLN(X + MHSA(X)), enc = CLN(out0 + FFN(out0)),
    - out3 = CLN(e + MHA(e, enc)), interest_tb = CLN(out3 + FFN(out3)) (Eq. 7),
    - CLN(x) = γ_tb ⊙ γ ⊙ (x − μ)/σ + β_tb + β (Eq. 6), with γ_tb and β_tb generated from the
      type embeddings of t and b (Eq. 2), for each of the four places by MLPs of their own.

    Nothing but the type embeddings grows with the numbers of tasks and behaviour types. All pairs
    are one batch; with the conditional normalisation the encoder's self-attention, which is the
    same for all tasks, is computed once per behaviour type. Encoder and decoder have one layer
    each, with weights of their own, and know no positions: the paper names neither.

    X and e are normalised embeddings, of which the paper says nothing: CLN(e + MHA(e, enc)) would
    not hear an e of 0.01 beside the attention's output, whose RMS is about 1.

    Shown to learn:
        Whether the target is among the behaviours: on planted rows whose best possible AUC is
        0.702 and on which mean pooling ends at 0.655, AUC 0.702 after five epochs; 0.658 with
        embeddings as they are. And, in all four variants, tasks that each follow a sequence of
        their own, though one and the same linear read-out follows for all of them.

    Args:
        inputs: tasks, sequences and target item.
        heads: number of attention heads; a divisor of k.
        feed_forward: width of the feed-forward networks' hidden layer.
        generator_hidden: width of the generating MLPs' hidden layer.
        condition: what is adapted to each pair: "layer_norm", or, as in the variants of
            Table 6, "qkv", "ffn_1" or "ffn_2" by W ⊙ (1 + W_tb), biases likewise.
        dropout: share of the units that are dropped from residual branches in training.
        normalise: whether embeddings are normalised; if not, they are read as they are.
    """

    task_specific: ClassVar[bool] = True
    normalises_interests: ClassVar[bool] = True
    shares_behaviours: ClassVar[bool] = True

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        heads: PositiveInt = 2,
        feed_forward: PositiveInt = 64,
        generator_hidden: PositiveInt = 32,
        condition: ConditionKind = "layer_norm",
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalise: bool = True,
    ):
        super().__init__(inputs, normalise)
        self.tasks = len(inputs.tasks)
        self.condition = condition
        self.conditions = PairConditions(
            self.tasks, len(self.sequence_names), condition, generator_hidden, feed_forward
        )
        self.encoder = TransformerBlock(heads, feed_forward, dropout=dropout)
        self.decoder = TransformerBlock(heads, feed_forward, dropout=dropout)

    def encode(
        self,
        values: keras.KerasTensor,
        mask: keras.KerasTensor,
        target: keras.KerasTensor,
        training: bool,
    ) -> keras.KerasTensor:
        """Stacked sequences ``(B, M, L, k)`` to interests ``(B, T, M, k)``."""
        behaviours, width = values.shape[1], values.shape[-1]
        values, target = self.scaled(values), self.scaled(target)
        encoding, decoding = self.conditions(values)
        pair_mask = repeated(mask, self.tasks)  # (B, T·M, L)
        if self.condition != "layer_norm":
            # Here weights before the first normalisation, or right behind it, differ by task.
            values, mask = repeated(values, self.tasks), pair_mask
        encoded = self.encoder(values, values, mask, encoding, training=training)
        queries = repeated(target[:, None, None], self.tasks * behaviours)
        queries, shared = as_queries(queries, encoded)
        interests = self.decoder(queries, encoded, pair_mask, decoding, training=training)
        return ops.reshape(as_rows(interests, shared), (-1, self.tasks, behaviours, width))
