"""DCN-M (DCNv2): cross layers with a matrix."""

import keras
from pydantic import PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense
from mtlx.trainer.parts.interactions.interaction import Interaction


class DCNM(Interaction):
    """Improved deep and cross network, the cross part (Wang R. et al. 2021).

    With c_0 the flattened fields, each layer is c_{l+1} = c_0 ⊙ (W_l c_l + b_l) + c_l, followed
    by a linear map to `units`. `rank` gives W = U Vᵀ with r columns each; the paper's mixture of
    several such pairs is left out.

    Shown to learn:
        Little of pairs of ids that follow no product: AUC 0.690 and 0.693 (two seeds) of the
        possible 0.801 on `cross`, where a label follows a table of pairs of two ids, and 0.671 and
        0.687 for plain MLPs (`benchmarks.planted_networks`).

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
        width = known_size(fields_shape[-2]) * known_size(fields_shape[-1])
        layers = range(self.layer_count)
        self.reductions = [
            ParallelDense(self.copies, self.rank, use_bias=False) for _ in layers if self.rank
        ]
        self.crosses = [ParallelDense(self.copies, width) for _ in layers]

    def call(self, fields: keras.KerasTensor, field_ids: keras.KerasTensor) -> keras.KerasTensor:
        """See Interaction; the ids are not used."""
        first = flatten(fields)  # (B, F·k)
        base, current = first[:, None], first
        for place, cross in enumerate(self.crosses):
            carried = current if len(current.shape) == 3 else base
            reduced = self.reductions[place](current) if self.reductions else current
            current = base * cross(reduced) + carried  # (B, copies, F·k)
        return self.output_map(current)  # (B, copies, units)
