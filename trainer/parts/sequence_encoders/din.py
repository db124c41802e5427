"""DIN: behaviours weighed by how much they have to do with the target item."""

from typing import Annotated, ClassVar, Literal

import keras
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.attention.masked_softmax import masked_softmax
from mtlx.trainer.layers.attention.sequence_dense import SequenceDense
from mtlx.trainer.layers.known_size import known_size
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
        self._build_layers(known_size(items.shape[-1]))
        shared = is_shared(items) and not is_shared(targets)
        first_layer = _of_one_user if shared else _of_every_row
        hidden = first_layer(self.hidden_layers[0], items, targets)
        scores = [self._scores(rows, copy, values.shape[2]) for copy, rows in enumerate(hidden)]
        scores = ops.stack(scores, axis=1)  # (B, M, L)
        if self.softmax:
            weights = masked_softmax(scores, mask)
        else:
            weights = ops.where(mask, scores, 0.0)
        tell(ATTENTION, weights)
        if shared:
            return ops.einsum("bml,mlk->bmk", weights, values[0])
        return ops.einsum("bml,bmlk->bmk", weights, values)

    def _build_layers(self, width: int) -> None:
        """Makes the weights for behaviours of width k; none of the layers is called as a whole."""
        width *= 4
        for layer in (*self.hidden_layers, self.output_layer):
            if not layer.built:
                layer.build((None, None, None, width))
            width = layer.units

    def _scores(self, rows: keras.KerasTensor, copy: int, length: int) -> keras.KerasTensor:
        """A sequence's scores ``(B, L)`` from the first layer's outputs ``(B · L, units)``."""
        for layer in (*self.hidden_layers[1:], self.output_layer):
            rows = layer.of_copy(rows, copy)
        return ops.reshape(rows, (-1, length))


def _of_every_row(
    layer: SequenceDense, items: keras.KerasTensor, targets: keras.KerasTensor
) -> list[keras.KerasTensor]:
    """The first layer on behaviours ``(B, M, L, k)`` beside each row's target ``(B, k)``.

    [e_i, e_t, e_i − e_t, e_i ⊙ e_t] W is [e_i, e_t, e_i ⊙ e_t] times three kernels, since the
    difference can be taken of W's parts: a quarter of the operations less.

    Returns:
        Of each sequence ``(B · L, units)``.
    """
    own, other, difference, product = ops.split(layer.kernel, 4, axis=1)  # (M, k, units)
    kernels = ops.concatenate([own + difference, other - difference, product], axis=1)
    width, hidden = kernels.shape[1], []
    for copy, behaviours in enumerate(ops.unstack(items, kernels.shape[0], axis=1)):
        beside = ops.broadcast_to(targets[:, None], ops.shape(behaviours))
        parts = ops.concatenate([behaviours, beside, behaviours * beside], axis=-1)
        bias = None if layer.bias is None else layer.bias[copy]
        hidden.append(layer.of_rows(ops.reshape(parts, (-1, width)), kernels[copy], bias))
    return hidden


def _of_one_user(
    layer: SequenceDense, items: keras.KerasTensor, targets: keras.KerasTensor
) -> list[keras.KerasTensor]:
    """The first layer on behaviours ``(1, M, L, k)`` beside each target ``(B, k)``.

    To a target, all behaviours of one user are one dense layer of L · units: behaviour i has the
    kernel W_2 − W_3 + diag(e_i) W_4 and the bias e_i (W_1 + W_3) + b. So there is one product for
    each sequence, and no pair of a behaviour and a target is ever written down.

    Returns:
        Of each sequence ``(B · L, units)``.
    """
    own, other, difference, product = ops.split(layer.kernel, 4, axis=1)  # (M, k, units)
    biases = ops.matmul(items[0], own + difference)  # (M, L, units)
    if layer.bias is not None:
        biases = biases + layer.bias[:, None]
    # (M, k, L, units)
    kernels = ops.transpose(items[0], (0, 2, 1))[..., None] * product[:, :, None]
    kernels = kernels + (other - difference)[:, :, None]
    hidden = []
    for copy in range(kernels.shape[0]):
        kernel = ops.reshape(kernels[copy], (kernels.shape[1], -1))
        made = layer.of_rows(targets, kernel, ops.reshape(biases[copy], (-1,)))
        hidden.append(ops.reshape(made, (-1, layer.units)))
    return hidden
