"""DIN: behaviours weighed by how much they have to do with the target item."""

from typing import Annotated, ClassVar, Literal

import keras
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.attention.masked_softmax import masked_softmax
from mtlx.trainer.layers.attention.sequence_dense import SequenceDense
from mtlx.trainer.layers.shared_rows import is_shared
from mtlx.trainer.layers.told import ATTENTION, tell
from mtlx.trainer.parts.sequence_encoders.stacked_encoder import StackedEncoder
from mtlx.transform.contract.model_inputs import ModelInputs


class DIN(StackedEncoder):
    """Deep interest network (Zhou 2018): interest = Σ_i a_i e_i, the sum over real positions.

    a_i = MLP([e_i, e_t, e_i − e_t, e_i ⊙ e_t]) with the target item t (local activation unit);
    each sequence has an MLP of its own. As in the paper the weights do not sum to 1 by default.
    The four parts and the widths are those of the authors' code; the paper draws two
    embeddings and their "out product", and 36 units. Its activation functions, PReLU and Dice,
    are left out: Dice makes a row's score depend on the other rows of its batch.

    The MLP reads normalised embeddings e_i and e_t, where the paper normalises nothing: products of
    embeddings that start at 0.01 are 10⁻⁴, beside biases and parts of which they are not heard.
    What is summed are the embeddings as they are, which lie in one scale with the fields.

    Shown to learn:
        Whether the target is among the behaviours: on planted rows whose best possible AUC is
        0.702 and on which mean pooling ends at 0.655, AUC 0.686 after one epoch and 0.703 after
        five; 0.603 and 0.700 if the MLP reads embeddings as they are.

    Args:
        inputs: sequences and target item.
        hidden: widths of the MLP's hidden layers.
        activation: of the hidden layers.
        softmax: whether a softmax over the real positions turns the a_i into weights.
        normalise: whether the MLP reads normalised embeddings; if not, it reads them as they are.
    """

    shares_behaviours: ClassVar[bool] = True

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (80, 40),
        activation: Literal["sigmoid", "relu", "tanh"] = "sigmoid",
        softmax: bool = False,
        normalise: bool = True,
    ):
        super().__init__(inputs, normalise)
        copies = len(self.sequence_names)
        self.softmax = softmax
        self.hidden_layers = [SequenceDense(units, copies, activation) for units in hidden]
        # A softmax does not see what is added to all scores.
        self.output_layer = SequenceDense(1, copies, use_bias=not softmax)

    def encode(
        self,
        values: keras.KerasTensor,
        mask: keras.KerasTensor,
        target: keras.KerasTensor,
        training: bool,
    ) -> keras.KerasTensor:
        """Stacked sequences ``(B, M, L, k)`` to interests ``(B, M, k)``."""
        items, targets = self.scaled(values), self.scaled(target)
        first, *others = self.hidden_layers
        shared = is_shared(items) and not is_shared(targets)
        if shared:
            hidden = _of_one_user(first, items, targets)
        else:
            targets = ops.broadcast_to(targets[:, None, None], ops.shape(values))
            parts = [items, targets, items - targets, items * targets]
            hidden = first(ops.concatenate(parts, axis=-1))
        for layer in others:
            hidden = layer(hidden)  # (B, M, L, units)
        scores = self.output_layer(hidden)[..., 0]  # (B, M, L)
        if self.softmax:
            weights = masked_softmax(scores, mask)
        else:
            weights = ops.where(mask, scores, 0.0)
        tell(ATTENTION, weights)
        if shared:
            return ops.einsum("bml,mlk->bmk", weights, values[0])
        return ops.einsum("bml,bmlk->bmk", weights, values)


def _of_one_user(
    layer: SequenceDense, items: keras.KerasTensor, targets: keras.KerasTensor
) -> keras.KerasTensor:
    """The first layer on behaviours ``(1, M, L, k)`` beside each target ``(B, k)``.

    [e_i, e_t, e_i − e_t, e_i ⊙ e_t] W is e_i (W_1 + W_3) + e_t (W_2 − W_3) + (e_i ⊙ e_t) W_4: the
    first term is computed once, the second once for each target.

    Returns:
        ``(B, M, L, units)``.
    """
    own, other, difference, product = ops.split(layer.kernel, 4, axis=1)  # (M, k, units)
    of_items = ops.einsum("bcli,cio->bclo", items, own + difference)
    if layer.bias is not None:
        of_items = of_items + layer.bias[:, None]
    of_targets = ops.einsum("bi,cio->bco", targets, other - difference)[:, :, None]
    of_both = ops.einsum("bcli,cio->bclo", items * targets[:, None, None], product)
    return layer.activation(of_items + of_targets + of_both)
