"""A level of HoME: groups of experts, gates over some of them and over their own."""

import keras
import numpy as np
from keras import ops

from mtlx.trainer.layers.gate import Gate, mix
from mtlx.trainer.layers.gate_outputs import contributions
from mtlx.trainer.layers.gates.low_rank_gate import LowRankGate
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP


class HoMELevel(keras.layers.Layer):
    """Experts in groups, gates that see some groups, and gates over a group of their own.

    Expert: E(x) = Swish(Norm(x W + b)), layer by layer, on x = v ⊙ δ(v), v the input of the
    expert's group and δ its feature gate (see `LowRankGate`). A gate g gives
    Σ_seen softmax(s W_g + b_g) E + Σ_own σ(s W'_g + b'_g) E: the second sum is its self gate, with
    σ the softmax over several own experts and the sigmoid of a single one.

    Shapes: inputs ``(B, n)``, or a list with one of each group, and what gates see ``(B, m)``, or a
    list with that of each gate, to mixes ``(B, G, h)``, weights ``(B, G, E)`` of the gates alone,
    and contributions ``(B, G, E)`` with self gates.

    Args:
        experts: experts of each group.
        seen: ``(G, groups)``, which groups a gate sees.
        own: ``(G,)``, the group of a gate's own.
        hidden: widths of each expert's layers.
        dropout: share of the hidden units that are dropped in training.
        activation: of the experts.
        normalization: of the experts, before their activation.
        feature_rank: of the feature gates; None for none.
        self_gates: whether there are any.
    """

    def __init__(
        self,
        experts: int,
        seen: np.ndarray,
        own: np.ndarray,
        hidden: tuple[int, ...],
        dropout: float,
        activation: str,
        normalization: Normalization,
        feature_rank: int | None,
        self_gates: bool,
    ):
        super().__init__()
        groups = seen.shape[1]
        self.group_of_expert = np.repeat(np.arange(groups, dtype="int32"), experts)
        self.visible = np.repeat(seen, experts, axis=1)  # (G, E)
        self.own = self.group_of_expert[None] == np.asarray(own)[:, None]  # (G, E)
        self.experts = ParallelMLP(
            groups * experts, hidden, dropout, activation, normalization=normalization
        )
        self.feature_gate = LowRankGate(groups, feature_rank) if feature_rank else None
        self.gate = Gate(self.visible)
        self.self_gate: keras.layers.Layer | None = None
        if self_gates:
            self.self_gate = (
                Gate(self.own) if experts > 1 else ParallelDense(len(seen), 1, "sigmoid")
            )

    def build(self, *_: object, **__: object) -> None:
        """Makes nothing, see `RankingModel.build`: the parts make the weights."""

    def call(
        self,
        inputs: keras.KerasTensor | list[keras.KerasTensor],
        seen: keras.KerasTensor | list[keras.KerasTensor],
        training: bool = False,
    ) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        """Mixes, gate weights and contributions."""
        runs = None
        if self.feature_gate is not None:
            inputs = self.feature_gate(inputs)  # of each group
        if isinstance(inputs, (list, tuple)):
            runs = np.bincount(self.group_of_expert).tolist()
        experts = self.experts(inputs, training=training, runs=runs)  # (B, E, h)
        weights = all_weights = self.gate(seen)  # (B, G, E)
        if self.self_gate is not None:
            # Of a single own expert the weight stands at its place by the mask.
            own = self.self_gate(seen) * ops.cast(self.own, weights.dtype)
            all_weights = weights + own
        return mix(all_weights, experts), weights, contributions(all_weights, experts)
