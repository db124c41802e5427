"""GDCN: cross layers with an information gate."""

import keras
from keras import ops
from pydantic import PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense
from mtlx.trainer.parts.interactions.interaction import Interaction


class GDCN(Interaction):
    """Gated deep and cross network, the cross part (Wang F. et al. 2023).

    With c_0 the flattened fields, each layer is

        c_{l+1} = c_0 ⊙ (W_l c_l + b_l) ⊙ σ(G_l c_l) + c_l,

    followed by a linear map to `units`.

    Deviation: DTN calls GDCN low-rank ("low-rank methods to approximate feature interactions in
    subspaces") while the equation above has full matrices. `rank` gives W = U V and G = U' V'
    with r columns; it is off by default.

    Shown to learn:
        Little of pairs of ids that follow no product: AUC 0.686 and 0.698 (two seeds) of the
        possible 0.801 on `cross`, where a label follows a table of pairs of two ids, and 0.671 and
        0.687 for plain MLPs (`benchmarks.planted_networks`).

    Args:
        copies: see Interaction.
        field_names: see Interaction.
        units: see Interaction.
        layers: number of gated cross layers; DTN uses 2.
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
        self.layer_count = layers
        self.rank = rank
        self.output_map = ParallelDense(copies, units)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates W, b and G of every layer, by the width of the flattened fields."""
        width = known_size(input_shape[-2]) * known_size(input_shape[-1])
        self.crosses = [self._matrix(width, bias=True) for _ in range(self.layer_count)]
        self.gates = [self._matrix(width, bias=False) for _ in range(self.layer_count)]

    def _matrix(self, width: int, bias: bool) -> keras.layers.Layer:
        full = ParallelDense(self.copies, width, use_bias=bias)
        if self.rank is None:
            return full
        return keras.Sequential([ParallelDense(self.copies, self.rank, use_bias=False), full])

    def call(self, fields: keras.KerasTensor, field_ids: keras.KerasTensor) -> keras.KerasTensor:
        """See Interaction; the ids are not used."""
        first = flatten(fields)  # (B, F·k)
        base, current = first[:, None], first
        for cross, gate in zip(self.crosses, self.gates, strict=True):
            carried = current if len(current.shape) == 3 else base
            # (B, copies, F·k)
            current = base * cross(current) * ops.sigmoid(gate(current)) + carried
        return self.output_map(current)  # (B, copies, units)
