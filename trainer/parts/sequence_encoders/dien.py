"""DIEN: interests that evolve from behaviour to behaviour."""

from typing import Any, ClassVar

import keras
from keras import ops

from mtlx.trainer.layers.attention.attentional_gru import AttentionalGRU
from mtlx.trainer.layers.attention.masked_softmax import masked_softmax
from mtlx.trainer.layers.attention.sequence_dense import SequenceDense
from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.shared_rows import is_shared
from mtlx.trainer.layers.told import ATTENTION, tell
from mtlx.trainer.parts.sequence_encoders.sequence_encoder import Interests
from mtlx.trainer.parts.sequence_encoders.stacked_encoder import StackedEncoder
from mtlx.transform.contract.model_inputs import ModelInputs


class DIEN(StackedEncoder):
    """Deep interest evolution network (Zhou 2019).

    h_l = GRU(e_1 .. e_l), the interest at each behaviour; a_l = softmax_l(h_l W e_t), its relation
    to the target item t; interest = last state of AUGRU(h, a), a GRU whose update gate is
    multiplied with a_l. Each sequence has weights of its own.

    In training there is the auxiliary loss besides, which the loss `next_behaviour` reads: the
    state is to tell the next behaviour e_{l+1} from another one, ê, by the cross-entropy
    −log σ(h_l e_{l+1}) − log(1 − σ(h_l ê)), in the mean over all positions, to which padding adds
    nothing, as in the authors' code. ê stands at the same place of the same sequence of the row
    before in the batch (of the same device), and may by chance be the same item; where that row has
    none, the position adds nothing. The authors sample it in the data, and their code has an MLP in
    place of the paper's inner product.

    Embeddings are normalised, where the paper normalises nothing: with e of 0.01 the states h are
    as small, and the softmax of h W e is uniform.

    Shown to learn:
        Whether the target is among the behaviours: on planted rows whose best possible AUC is
        0.702 and on which mean pooling ends at 0.655, AUC 0.699 after five epochs; 0.680 with
        embeddings as they are. With the auxiliary loss also which items belong together where
        labels are too few to say so (see `docs/results.md`), and what the last behaviour was.

    Args:
        inputs: sequences and target item.
        normalise: whether embeddings are normalised; if not, they are read as they are.
    """

    shares_behaviours: ClassVar[bool] = True
    default_losses: ClassVar[tuple[dict[str, Any], ...]] = ({"name": "next_behaviour"},)

    def __init__(self, inputs: ModelInputs, *, normalise: bool = True):
        super().__init__(inputs, normalise)
        copies = len(self.sequence_names)
        self.extractor = AttentionalGRU(copies)
        self.relation = Bilinear(copies)
        self.evolution = AttentionalGRU(copies, all_states=False)

    def encode(
        self,
        values: keras.KerasTensor,
        mask: keras.KerasTensor,
        target: keras.KerasTensor,
        training: bool,
    ) -> Interests:
        """Stacked sequences ``(B, M, L, k)`` to interests ``(B, M, k)``.

        In training there is "losses/next_behaviour" ``(B,)`` float32 besides.
        """
        values, target = self.scaled(values), self.scaled(target)
        states = self.extractor(values, ops.cast(mask, values.dtype))  # (B, M, L, k)
        attention = masked_softmax(self.relation(states, target), mask)  # (B, M, L)
        tell(ATTENTION, attention)
        interests = self.evolution(states, attention)
        if not training:
            return interests
        return interests, {"losses/next_behaviour": _next_behaviour_losses(states, values, mask)}


def _next_behaviour_losses(
    states: keras.KerasTensor, values: keras.KerasTensor, mask: keras.KerasTensor
) -> keras.KerasTensor:
    """The auxiliary loss of each row ``(B,)`` float32, 0 where a row has no pair to tell apart.

    Args:
        states: h, ``(B, M, L, k)``.
        values: e, likewise.
        mask: ``(B, M, L)`` bool, true at real positions.
    """
    real, following = mask[:, :, 1:], values[:, :, 1:]
    # Shifting rows costs half of what gathering behaviours from the row before would.
    others, has_other = ops.roll(following, 1, axis=0), ops.roll(real, 1, axis=0)
    # Products of float16 values could overflow in the sum.
    told, following, others = (
        ops.cast(part, "float32") for part in (states[:, :, :-1], following, others)
    )
    losses = ops.softplus(-ops.sum(told * following, axis=-1))
    losses = losses + ops.softplus(ops.sum(told * others, axis=-1))  # (B, M, L − 1)
    weights = ops.cast(ops.logical_and(real, has_other), "float32")
    positions = max(values.shape[1] * (values.shape[2] - 1), 1)
    return ops.sum(weights * losses, axis=(1, 2)) / positions


class Bilinear(keras.layers.Layer):
    """h W_c e: states ``(B, C, L, k)`` and one vector ``(B, k)`` to scores ``(B, C, L)``.

    States of one row are those beside every vector.
    """

    def __init__(self, copies: int):
        super().__init__()
        self.copies = copies

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates W ``(C, k, k)``."""
        self.projection = SequenceDense(known_size(input_shape[-1]), self.copies, use_bias=False)
        self.projection.build(input_shape)

    def call(self, states: keras.KerasTensor, vector: keras.KerasTensor) -> keras.KerasTensor:
        """Scores ``(B, C, L)`` of the states against the vector."""
        projected = self.projection(states)
        if is_shared(projected):
            return ops.einsum("clk,bk->bcl", projected[0], vector)
        return ops.einsum("bclk,bk->bcl", projected, vector)
