"""Memorised cross features."""

import itertools
from typing import Literal

import keras
from keras import ops

from trainer.layers.batched_dense import BatchedDense

#: Odd multipliers below 2^15 and a prime modulus below 2^15: products stay inside int32.
_MULTIPLIERS = (31_337, 27_183, 16_183, 22_369, 14_143, 9_973, 30_011, 12_289)
_PRIME = 32_749


class MemoNet(keras.layers.Layer):
    """Hash codebook of all pairs of chosen fields (HCNet; Zhang & Zhang 2023).

    Each pair of field values (a cross feature) is hashed by m functions into rows of a codebook;
    its representation is restored from the m codewords by a linear map of their concatenation
    (LMR), or by weighing them bit by bit with an attention computed from the pair's embeddings
    (AMR). A field's restored crosses are added up with weights from all embeddings (global
    attentive shrinking), and output = linear([V, shrunk]).

    The hash is a fixed mix of the two ids and the pair's number, so that it is the same in
    training and in serving. All copies share the rows (the hash has no weights); each copy has its
    own codewords in them.

    Args:
        copies: independent instances, computed together.
        units: output width; 512 in DTN.
        fields: cross the first so many categorical fields; fewer if there are fewer.
        hashes: m.
        codewords: rows of the codebook.
        code_size: width of a codeword; the embedding size if None.
        restore: ``lmr`` or ``amr``.
    """

    def __init__(
        self,
        copies: int,
        *,
        units: int = 512,
        fields: int = 8,
        hashes: int = 2,
        codewords: int = 100_000,
        code_size: int | None = None,
        restore: Literal["lmr", "amr"] = "lmr",
    ) -> None:
        super().__init__()
        if not 1 <= hashes <= len(_MULTIPLIERS) // 2:
            raise ValueError(f"hashes should be 1 to {len(_MULTIPLIERS) // 2}. Received: {hashes}")
        self.copies, self.limit, self.hashes = copies, fields, hashes
        self.codewords, self.code_size, self.restore = codewords, code_size, restore
        self.output_layer = BatchedDense(copies, units)

    def build(
        self, fields: tuple[int | None, ...], field_ids: tuple[int | None, ...] | None = None
    ) -> None:
        """Creates the codebook ``(codewords, copies·code_size)`` and the restoring maps."""
        crossed = min(self.limit, field_ids[1] if field_ids else 0)
        self.pairs = list(itertools.combinations(range(crossed), 2))
        if not self.pairs:
            return
        self.crossed = crossed
        size = self.code_size or fields[2]
        self.size = size
        self.codebook = self.add_weight(
            name="codebook",
            shape=(self.codewords, self.copies * size),
            initializer=keras.initializers.RandomNormal(stddev=0.05),
        )
        if self.restore == "lmr":
            limit = (6.0 / (size * (self.hashes + 1))) ** 0.5
            self.restoring = self.add_weight(
                name="restoring",
                shape=(self.copies, self.hashes, size, size),
                initializer=keras.initializers.RandomUniform(-limit, limit),
            )
        else:
            self.attention_hidden = BatchedDense(self.copies * len(self.pairs), size, "relu")
            self.attention = BatchedDense(self.copies * len(self.pairs), self.hashes * size)
        self.shrinking = BatchedDense(self.copies, crossed * (crossed - 1))

    def call(
        self, fields: keras.KerasTensor, field_ids: keras.KerasTensor | None = None
    ) -> keras.KerasTensor:
        """``(B, F, k)`` and ids ``(B, C)`` → ``(B, copies, units)``."""
        flat = ops.reshape(fields, (-1, fields.shape[1] * fields.shape[2]))
        if not self.pairs:
            return self.output_layer(flat)
        crosses = self._restored(fields, self._codes(field_ids))  # (B, copies, P, d)
        shrunk = self._shrunk(flat, crosses)  # (B, copies, n·d)
        own = ops.repeat(flat[:, None], self.copies, axis=1)
        return self.output_layer(ops.concatenate([own, shrunk], axis=-1))

    def hashed_rows(self, field_ids: keras.KerasTensor) -> keras.KerasTensor:
        """Rows of the codebook for every pair: ``(B, C)`` ids → ``(B, P, m)`` int32."""
        ids = ops.cast(field_ids, "int32")
        left = ops.stack([ids[:, i] for i, _ in self.pairs], axis=1)  # (B, P)
        right = ops.stack([ids[:, j] for _, j in self.pairs], axis=1)
        number = ops.arange(len(self.pairs), dtype="int32")[None]
        rows = []
        for index in range(self.hashes):
            a, b = _MULTIPLIERS[2 * index : 2 * index + 2]
            high = _mix(_mix(_mix(number + 1 + index, left, a), right, b), left // _PRIME, b)
            low = _mix(_mix(_mix(number + 7 + index, right, b), left, a), right // _PRIME, a)
            # Two residues below 2^15 make one number below 2^30.
            rows.append((high * _PRIME + low) % self.codewords)
        return ops.stack(rows, axis=2)

    def _codes(self, field_ids: keras.KerasTensor) -> keras.KerasTensor:
        """Codewords ``(B, P, m, copies, d)``."""
        rows = self.hashed_rows(field_ids)
        codes = ops.cast(ops.take(self.codebook, rows, axis=0), self.compute_dtype)
        return ops.reshape(codes, (-1, len(self.pairs), self.hashes, self.copies, self.size))

    def _restored(self, fields: keras.KerasTensor, codes: keras.KerasTensor) -> keras.KerasTensor:
        """Cross representations ``(B, copies, P, d)``."""
        if self.restore == "lmr":
            return ops.einsum("bpmcd,cmde->bcpe", codes, self.restoring)
        pair = ops.concatenate(
            [
                ops.stack([fields[:, i] for i, _ in self.pairs], axis=1),
                ops.stack([fields[:, j] for _, j in self.pairs], axis=1),
            ],
            axis=-1,
        )  # (B, P, 2k)
        pair = ops.concatenate([pair] * self.copies, axis=1)  # (B, copies·P, 2k)
        weights = self.attention(self.attention_hidden(pair))
        shape = (-1, self.copies, len(self.pairs), self.hashes, self.size)
        weights = ops.transpose(ops.reshape(weights, shape), (0, 2, 3, 1, 4))
        return ops.transpose(ops.sum(codes * weights, axis=2), (0, 2, 1, 3))

    def _shrunk(self, flat: keras.KerasTensor, crosses: keras.KerasTensor) -> keras.KerasTensor:
        """One vector per crossed field, a weighted sum of its crosses: ``(B, copies, n·d)``."""
        weights = self.shrinking(flat)  # (B, copies, n·(n-1))
        weights = ops.reshape(weights, (-1, self.copies, self.crossed, self.crossed - 1))
        order = [
            [p for p, pair in enumerate(self.pairs) if field in pair]
            for field in range(self.crossed)
        ]
        of_field = ops.take(crosses, ops.array(order, dtype="int32"), axis=2)  # (B, c, n, n-1, d)
        shrunk = ops.sum(of_field * weights[..., None], axis=3)  # (B, copies, n, d)
        return ops.reshape(shrunk, (-1, self.copies, self.crossed * self.size))


def _mix(state: keras.KerasTensor, value: keras.KerasTensor, multiplier: int) -> keras.KerasTensor:
    """One round of a multiplicative hash whose intermediate results fit into int32."""
    return (state * multiplier + value % _PRIME) % _PRIME
