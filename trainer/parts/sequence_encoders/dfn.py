"""DFN: explicit feedback tells what of the implicit feedback to believe."""

from typing import Annotated, ClassVar, Literal

import keras
import numpy as np
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.attention.added_embedding import AddedEmbedding, recency
from mtlx.trainer.layers.attention.masked_softmax import masked_softmax
from mtlx.trainer.layers.attention.sequence_dense import SequenceDense
from mtlx.trainer.layers.attention.transformer_block import TransformerBlock
from mtlx.trainer.parts.sequence_encoders.stacked_encoder import StackedEncoder, repeated
from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs


class DFN(StackedEncoder):
    """Deep feedback network (Xie 2020), its part above the sequences.

    - Internal interaction: for each sequence b a Transformer layer over the target item and the
      behaviours, with an embedding added that says which of them is the target; f_b = mean over
      the real positions of its output.
    - External interaction: f_+ is the mean of the f_b of positive explicit sequences, f_- that of
      negative ones. Each looks into each implicit sequence u: f_+u = Σ_i α_i u_i with
      α = softmax_i MLP([f_+, u_i, f_+ ⊙ u_i, f_+ − u_i]), and likewise f_-u.

    The interests are the f_b of all sequences, then the f_+u, then the f_-u. In the paper clicks
    are positive, "dislike" negative, and what was shown and not clicked is implicit: one sequence
    each. The paper normalises the α by their sum; here the softmax, which the authors' code has
    too, keeps them positive.

    Deviations: without an added embedding the Transformer can't tell the target from a behaviour of
    the same item, and f_b hardly says whether the target is among the behaviours. In the
    authors' code it can, since behaviours have embeddings of their positions, concatenated and
    mapped to width k, and the target has not. Positions that are added (`added: positions`) are
    learnt more slowly here than a mark of the target. That code sums where the paper averages.
    Embeddings are normalised, which neither of them does.

    Shown to learn:
        Whether the target is among the behaviours: on planted rows whose best possible AUC is
        0.702 and on which mean pooling ends at 0.655, AUC 0.695 after five epochs; 0.612 with
        nothing added and embeddings as they are.

    Args:
        inputs: sequences and target item.
        explicit_positive: names of sequences of explicit positive feedback.
        explicit_negative: of explicit negative feedback.
        implicit: of implicit feedback; None for all the others. With none of the three given, the
            first sequence is explicit and positive, and all the others are implicit.
        heads: number of attention heads; a divisor of k.
        feed_forward: width of the feed-forward networks' hidden layer.
        hidden: widths of the external attention's hidden layers.
        dropout: share of the units that are dropped from residual branches in training.
        added: "roles" for one embedding of the target and one of the behaviours, "positions" for
            one of the target and one of each position, counted back, or "nothing".
        normalise: whether embeddings are normalised; if not, they are read as they are.

    Raises:
        SettingsError: an unknown sequence, or one that is in two groups.
    """

    normalises_interests: ClassVar[bool] = True
    target_place: ClassVar[int | None] = 0

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        explicit_positive: tuple[str, ...] = (),
        explicit_negative: tuple[str, ...] = (),
        implicit: list[str] | None = None,
        heads: PositiveInt = 2,
        feed_forward: PositiveInt = 64,
        hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (32,),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        added: Literal["roles", "positions", "nothing"] = "roles",
        normalise: bool = True,
    ):
        super().__init__(inputs, normalise)
        names = self.sequence_names
        if not explicit_positive and not explicit_negative and implicit is None:
            explicit_positive = tuple(names[:1])
        explicit = [*explicit_positive, *explicit_negative]
        if implicit is None:
            implicit = [name for name in names if name not in explicit]
        _check(names, explicit_positive, explicit_negative, implicit)
        groups = [group for group in (explicit_positive, explicit_negative) if group]
        self.explicit = [[names.index(name) for name in group] for group in groups]
        self.implicit = [names.index(name) for name in implicit]
        longest = max((sequence.max_length for sequence in inputs.sequences), default=0)
        self.rows = {"nothing": 0, "roles": 2, "positions": 1 + longest}[added]
        if self.rows:
            self.added = AddedEmbedding(len(names) * self.rows, self.spread())
        self.transformer = TransformerBlock(heads, feed_forward, len(names), dropout=dropout)
        copies = len(self.explicit) * len(self.implicit)
        self.hidden_layers = [SequenceDense(units, copies, "relu") for units in hidden]
        # A softmax does not see what is added to all scores.
        self.output_layer = SequenceDense(1, copies, use_bias=False)

    def encode(
        self,
        values: keras.KerasTensor,
        mask: keras.KerasTensor,
        target: keras.KerasTensor,
        training: bool,
    ) -> keras.KerasTensor:
        """Stacked sequences ``(B, M, L, k)`` to ``(B, M + explicit groups · implicit, k)``."""
        values = self.scaled(values)
        targets = repeated(self.scaled(target)[:, None, None], values.shape[1])
        joined = ops.concatenate([targets, values], axis=2)  # (B, M, 1 + L, k)
        real = ops.concatenate([ops.ones_like(mask[:, :, :1]), mask], axis=2)
        if self.rows:
            first_rows = np.arange(values.shape[1], dtype="int32")[:, None] * self.rows
            back = ops.pad(recency(mask), ((0, 0), (0, 0), (1, 0)))  # the target's is 0
            joined = self.added(joined, ops.minimum(back, self.rows - 1) + first_rows)
        outputs = self.transformer(joined, joined, real, training=training)
        weights = ops.cast(real, outputs.dtype)[..., None]
        internal = ops.sum(weights * outputs, axis=2) / ops.sum(weights, axis=2)  # (B, M, k)
        if not self.explicit or not self.implicit:
            return internal
        external = self._external(internal, values, mask)
        return ops.concatenate([internal, external], axis=1)

    def _external(
        self, internal: keras.KerasTensor, values: keras.KerasTensor, mask: keras.KerasTensor
    ) -> keras.KerasTensor:
        """What each group of explicit feedback finds in each implicit sequence."""
        groups = [
            ops.mean(ops.take(internal, np.asarray(group), axis=1), axis=1)
            for group in self.explicit
        ]
        pairs = np.tile(np.asarray(self.implicit), len(groups))
        found, mask = ops.take(values, pairs, axis=1), ops.take(mask, pairs, axis=1)
        believed = ops.repeat(ops.stack(groups, axis=1), len(self.implicit), axis=1)
        believed = ops.broadcast_to(believed[:, :, None], ops.shape(found))  # (B, pairs, L, k)
        hidden = [believed, found, believed * found, believed - found]
        hidden = ops.concatenate(hidden, axis=-1)
        for layer in self.hidden_layers:
            hidden = layer(hidden)
        weights = masked_softmax(self.output_layer(hidden)[..., 0], mask)  # (B, pairs, L)
        return ops.einsum("bpl,bplk->bpk", weights, found)


def _check(
    names: list[str],
    explicit_positive: tuple[str, ...],
    explicit_negative: tuple[str, ...],
    implicit: list[str],
) -> None:
    problems, seen = [], set()
    groups = {"explicit_positive": explicit_positive, "explicit_negative": explicit_negative}
    for option, group in {**groups, "implicit": implicit}.items():
        for name in group:
            if name not in names:
                problem = f"unknown sequence {name!r}, {suggest(name, names)}"
                problems.append(((option,), problem))
            elif name in seen:
                problems.append(((option,), f"sequence {name!r} is named twice"))
            seen.add(name)
    if problems:
        raise SettingsError(problems)
