"""MemoNet: crosses of fields remembered in a codebook."""

from itertools import combinations
from typing import Annotated, Literal

import keras
import numpy as np
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP
from mtlx.trainer.layers.rows_of import rows_of
from mtlx.trainer.parts.interactions.cross_hash import CrossHash
from mtlx.trainer.parts.interactions.interaction import Interaction
from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import SettingsError


class MemoNet(Interaction):
    """MemoNet (Zhang and Zhang 2023): multi-hash codebook networks (HCNet).

    Of S chosen fields all P = S(S − 1)/2 pairs are crosses. A cross is hashed by m functions to m
    of n codewords, each d wide. Its vector v_p is restored from them

    - ``lmr``: W [c_1 … c_m], without bias;
    - ``amr``: W (a ⊙ [c_1 … c_m]), a = W2 ReLU(W1 [e_i, e_j] + b1) + b2.

    The crosses are shrunk to one vector per chosen field, v_i = Σ_{p ∋ i} s_p v_p, with one weight
    per cross from the embeddings: s = W2 ReLU(W1 E + b1) + b2 (global attentive shrinking); or
    kept as they are (``none``, as in DTN's released code). Output: linear([V_emb, v of all
    HCNets]).

    Deviations: E are the embeddings of the chosen fields, not of all, which keeps the cost in
    proportion to the crosses. The codewords n = 10,000 are far fewer than MemoNet's million: the
    table has HCNets · n · copies · d weights, dense for Adam; raise n with the data.

    Shown to learn:
        Pairs of ids by heart, what a codebook of them is for: AUC 0.752 and 0.761 (two seeds) of
        the possible 0.801 on `cross`, where a label follows a table of pairs of two ids, and 0.671
        and 0.687 for plain MLPs (`benchmarks.planted_networks`).

    Args:
        copies: see Interaction.
        field_names: see Interaction.
        units: see Interaction.
        fields: names of the chosen categorical fields, or their number counted from the first;
            a number beyond the fields there are takes all of them.
        hashes: m.
        codewords: n.
        code_size: d; None for k.
        hcnets: codebooks, each with hash functions of its own; DTN uses 2.
        restore: how a cross is restored from its codewords.
        shrink: how crosses become vectors of fields.

    Raises:
        SettingsError: an unknown or repeated name in `fields`, or fewer than two fields.
    """

    tells_ids_apart = True

    def __init__(
        self,
        copies: int,
        field_names: tuple[str, ...] = (),
        *,
        units: PositiveInt = 512,
        fields: Annotated[int, Field(ge=2)] | list[str] = 8,
        hashes: PositiveInt = 2,
        codewords: PositiveInt = 10_000,
        code_size: PositiveInt | None = None,
        hcnets: PositiveInt = 2,
        restore: Literal["lmr", "amr"] = "lmr",
        shrink: Literal["global", "none"] = "global",
    ):
        super().__init__(copies, field_names, units)
        if restore not in ("lmr", "amr") or shrink not in ("global", "none"):
            raise ValueError(
                f"restore must be lmr or amr, shrink global or none; received {restore!r}, "
                f"{shrink!r}"
            )
        self.chosen = _choose(fields, self.field_names)
        self.hashes, self.codewords, self.code_size = hashes, codewords, code_size
        self.hcnets = hcnets
        self.amr, self.shrinks = restore == "amr", shrink == "global"
        pairs = np.asarray(list(combinations(range(len(self.chosen)), 2)), dtype="int32")
        self.left, self.right = pairs[:, 0], pairs[:, 1]  # (P,), positions among the chosen
        self.cross_hash = CrossHash(len(pairs), hcnets * hashes, codewords)
        if self.shrinks:
            # (S, P): cross p contains field s
            self.incidence = np.stack(
                [(pairs == field).any(axis=1) for field in range(len(self.chosen))]
            ).astype("float32")
        self.base_map = ParallelDense(copies, units)
        self.restored_map = ParallelDense(copies, units, use_bias=False)

    def build(self, fields_shape: tuple[int | None, ...], **_: tuple[int | None, ...]) -> None:
        """Creates the codebooks and the maps, by the embedding size."""
        size = known_size(fields_shape[-1])
        self.width = self.code_size or size
        groups = self.hcnets * self.copies
        code = self.hashes * self.width
        # Copies lie side by side in a row, since one hash serves all of them: one lookup.
        self.codebooks = self.add_weight(
            shape=(self.hcnets * self.codewords, self.copies * self.width),
            initializer=keras.initializers.RandomNormal(stddev=0.01),
            name="codebooks",
        )
        self.restoration = ParallelDense(groups, size, use_bias=False)
        if self.amr:
            self.attention_hidden = ParallelMLP(groups, [2 * size])
            self.attention = ParallelDense(groups, code)
        if self.shrinks:
            self.shrinking_hidden = ParallelMLP(groups, [len(self.chosen) * size])
            self.shrinking = ParallelDense(groups, len(self.left))

    def call(self, fields: keras.KerasTensor, field_ids: keras.KerasTensor) -> keras.KerasTensor:
        """See Interaction."""
        size, groups = fields.shape[2], self.hcnets * self.copies
        chosen = ops.take(fields, self.chosen, axis=1)  # (B, S, k)
        codes = self._lookup(ops.take(field_ids, self.chosen, axis=1))  # (B, G, P, m·d)
        crosses = len(self.left)
        if self.amr:
            codes = codes * self._attention(chosen)
        if self.shrinks:
            # The sum over crosses and the linear restoration commute; first the one that shrinks.
            embeddings = ops.reshape(chosen, (-1, len(self.chosen) * size))
            weights = self.shrinking(self.shrinking_hidden(embeddings))  # (B, G, P)
            weights = weights[:, :, None] * ops.cast(self.incidence, weights.dtype)
            codes = ops.matmul(weights, codes)  # (B, G, S, m·d)
            crosses = len(self.chosen)
        restored = self._restore(codes, crosses)  # (B, G, crosses, k)
        restored = ops.reshape(restored, (-1, self.copies, groups // self.copies * crosses * size))
        base = ops.reshape(fields, (-1, fields.shape[1] * size))  # (B, F·k)
        # linear([V_emb, v]) in two parts, since V_emb is the same for all copies
        return self.base_map(base) + self.restored_map(restored)

    def _lookup(self, ids: keras.KerasTensor) -> keras.KerasTensor:
        hashed = self.cross_hash(
            ops.take(ids, self.left, axis=1), ops.take(ids, self.right, axis=1)
        )  # (B, P, hcnets·m)
        book = np.repeat(np.arange(self.hcnets, dtype="int64"), self.hashes)
        codes = rows_of(self.codebooks, hashed + book * self.codewords)
        shape = (-1, len(self.left), self.hcnets, self.hashes, self.copies, self.width)
        codes = ops.transpose(ops.reshape(codes, shape), (0, 4, 2, 1, 3, 5))
        groups = self.copies * self.hcnets
        return ops.reshape(codes, (-1, groups, len(self.left), self.hashes * self.width))

    def _attention(self, chosen: keras.KerasTensor) -> keras.KerasTensor:
        pairs = ops.concatenate(
            [ops.take(chosen, self.left, axis=1), ops.take(chosen, self.right, axis=1)], axis=-1
        )  # (B, P, 2k)
        rows = ops.reshape(pairs, (-1, pairs.shape[-1]))  # (B·P, 2k)
        weights = self.attention(self.attention_hidden(rows))  # (B·P, G, m·d)
        weights = ops.reshape(weights, (-1, len(self.left), *weights.shape[1:]))
        return ops.transpose(weights, (0, 2, 1, 3))

    def _restore(self, codes: keras.KerasTensor, crosses: int) -> keras.KerasTensor:
        rows = ops.transpose(codes, (0, 2, 1, 3))  # (B, crosses, G, m·d)
        rows = ops.reshape(rows, (-1, *rows.shape[2:]))
        restored = self.restoration(rows)  # (B·crosses, G, k)
        restored = ops.reshape(restored, (-1, crosses, *restored.shape[1:]))
        return ops.transpose(restored, (0, 2, 1, 3))  # (B, G, crosses, k)


def _choose(fields: int | list[str], names: tuple[str, ...]) -> np.ndarray:
    """Positions of the chosen fields."""
    if isinstance(fields, int):
        chosen = list(range(min(fields, len(names))))
    else:
        unknown = [name for name in fields if name not in names]
        if unknown:
            text = f"no categorical field {unknown[0]!r}, {suggest(unknown[0], names)}"
            raise SettingsError([(("fields",), text)])
        if len(set(fields)) != len(fields):
            raise SettingsError([(("fields",), f"a field is named twice: {fields}")])
        chosen = [names.index(name) for name in fields]
    if len(chosen) < 2:
        text = f"memonet crosses at least two categorical fields; chosen: {len(chosen)} of {names}"
        raise SettingsError([(("fields",), text)])
    return np.asarray(chosen, dtype="int32")
