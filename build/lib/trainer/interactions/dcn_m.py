"""DCN-M (DCNv2): cross layers with a matrix."""

import keras
from keras import ops
from pydantic import PositiveInt

from trainer.interactions.interaction import Interaction
from trainer.layers.parallel_dense import ParallelDense


class DCNM(Interaction):
    """Improved deep and cross network, the cross part (Wang R. et al. 2021).

    With c_0 the flattened fields, each layer is c_{l+1} = c_0 ⊙ (W_l c_l + b_l) + c_l, followed
    by a linear map to `units`. `rank` gives W = U Vᵀ with r columns each; the paper's mixture of
    several such pairs is left out.

    Args:
        copies: see Interaction.
        field_names: see Interaction.
        units: see Interaction.
        layers: number of cross layers.
        rank: r, or None for full matrices.
    """

    def __init__(
        self,
        copies: int,
        field_names: tuple[str, ...] = (),
        *,
        units: PositiveInt = 512,
        layers: PositiveInt = 2,
        rank: PositiveInt | None = None,
    ):
        super().__init__(copies, field_names, units)
        self.layer_count, self.rank = layers, rank
        self.output_map = ParallelDense(copies, units)

    def build(self, fields_shape: tuple[int | None, ...], **_: tuple[int | None, ...]) -> None:
        """Creates Vᵀ, where there is a rank, and U (or W) with b, of every layer."""
        width = fields_shape[-2] * fields_shape[-1]
        layers = range(self.layer_count)
        self.reductions = [
            ParallelDense(self.copies, self.rank, use_bias=False) for _ in layers if self.rank
        ]
        self.crosses = [ParallelDense(self.copies, width) for _ in layers]

    def call(self, fields: keras.KerasTensor, field_ids: keras.KerasTensor) -> keras.KerasTensor:
        """See Interaction; the ids are not used."""
        first = ops.reshape(fields, (-1, fields.shape[1] * fields.shape[2]))  # (B, F·k)
        base, current = first[:, None], first
        for place, cross in enumerate(self.crosses):
            carried = current if len(current.shape) == 3 else base
            reduced = self.reductions[place](current) if self.reductions else current
            current = base * cross(reduced) + carried  # (B, copies, F·k)
        return self.output_map(current)  # (B, copies, units)
