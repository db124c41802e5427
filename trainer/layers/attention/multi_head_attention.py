"""Multi-head attention in several padded sequences at once."""

from collections.abc import Mapping

import keras
from keras import ops

from mtlx.trainer.layers.attention.sequence_dense import SequenceDense
from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.told import ATTENTION, is_listening, tell


class MultiHeadAttention(keras.layers.Layer):
    """concat(head_1 .. head_h) W^O, head_i = softmax(X W_i^Q (Y W_i^K)ᵀ / √(k/h)) Y W_i^V.

    The matrices have no biases (Vaswani 2017). Padding is masked in Y; where Y has no real
    position, the result is 0.

    Args:
        heads: h.
        copies: C where every sequence has weights of its own, None where they share them.

    Raises:
        ValueError: when it is built, if k is not divisible by h.
    """

    def __init__(self, heads: int, copies: int | None = None):
        super().__init__()
        self.heads = heads
        self.copies = copies

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the four matrices ``([C,] k, k)``."""
        width = known_size(input_shape[-1])
        if width % self.heads:
            raise ValueError(
                f"the embedding size {width} is not divisible by the {self.heads} attention "
                f"heads: set the option 'heads' to a divisor of {width}, or change "
                "model.embedding_size"
            )
        parts = [SequenceDense(width, self.copies, use_bias=False) for _ in range(4)]
        for part in parts:
            part.build(input_shape)
        self.query, self.key, self.value, self.output_layer = parts

    def call(
        self,
        queries: keras.KerasTensor,
        keys: keras.KerasTensor,
        mask: keras.KerasTensor,
        factors: Mapping[str, keras.KerasTensor] | None = None,
    ) -> keras.KerasTensor:
        """Attends from X to Y.

        Args:
            queries: X, ``(B, C, Q, k)``.
            keys: Y, ``(B, C, L, k)``, the values too.
            mask: ``(B, C, L)`` bool, true at the real positions of Y.
            factors: "query", "key" and "value" to ``(C, k, k)``, what W^Q, W^K and W^V are
                multiplied with element by element; 1 where a name is absent.

        Returns:
            ``(B, C, Q, k)``.
        """
        factors = factors or {}
        kernels = [
            part.kernel_by(factors.get(name))
            for part, name in (
                (self.query, "query"),
                (self.key, "key"),
                (self.value, "value"),
                (self.output_layer, "output"),
            )
        ]
        real = ops.any(mask, axis=-1)  # (B, C)
        # Where no position is real the weights are all alike, and the result is left out.
        hidden = ops.logical_not(ops.logical_or(mask, ops.logical_not(real)[..., None]))
        attend = _attend_one if queries.shape[2] == 1 else _attend
        made = [attend(self.heads, *group) for group in _groups(queries, keys, hidden, kernels)]
        attended, weights = (
            ops.reshape(parts[0], (-1, queries.shape[1], *ops.shape(parts[0])[1:]))
            if len(parts) == 1
            else ops.stack(parts, axis=1)
            for parts in zip(*made, strict=True)
        )
        counted = ops.cast(real, attended.dtype)[..., None, None]
        if is_listening():
            tell(ATTENTION, ops.mean(weights, axis=2) * counted)
        return attended * counted


def _groups(
    queries: keras.KerasTensor,
    keys: keras.KerasTensor,
    hidden: keras.KerasTensor,
    kernels: list[keras.KerasTensor],
) -> list[tuple[keras.KerasTensor, ...]]:
    """Sequences that share weights, as rows: queries, keys, what is hidden, and W^Q, W^K, W^V, W^O.

    One group ``(B · C, Q or L, k)`` where all do, else one of each sequence ``(B, Q or L, k)``.
    """
    if all(len(kernel.shape) == 2 for kernel in kernels):
        rows, seen, hidden = (
            ops.reshape(part, (-1, *ops.shape(part)[2:])) for part in (queries, keys, hidden)
        )
        return [(rows, rows if queries is keys else seen, hidden, *kernels)]
    count = queries.shape[1]
    own = [
        ops.unstack(kernel, axis=0) if len(kernel.shape) == 3 else [kernel] * count
        for kernel in kernels
    ]
    rows, seen, hidden = (ops.unstack(part, count, axis=1) for part in (queries, keys, hidden))
    return list(zip(rows, rows if queries is keys else seen, hidden, *own, strict=True))


def _attend(
    heads: int,
    queries: keras.KerasTensor,
    keys: keras.KerasTensor,
    hidden: keras.KerasTensor,
    of_query: keras.KerasTensor,
    of_key: keras.KerasTensor,
    of_value: keras.KerasTensor,
    of_output: keras.KerasTensor,
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Queries ``(N, Q, k)`` and keys ``(N, L, k)``, of which some are hidden ``(N, L)``.

    Returns:
        ``(N, Q, k)`` and the weights ``(N, heads, Q, L)``.
    """
    # Scaled before the product, which could overflow in float16.
    of_query = of_query * _scale(queries, heads)
    if queries is keys:
        kernel = ops.concatenate([of_query, of_key, of_value], axis=1)
        query, key, value = _apart(ops.matmul(keys, kernel), 3, heads)
    else:
        (query,) = _apart(ops.matmul(queries, of_query), 1, heads)
        kernel = ops.concatenate([of_key, of_value], axis=1)
        key, value = _apart(ops.matmul(keys, kernel), 2, heads)
    # The mask is one more number of each key, which every query takes once: to go over all pairs
    # of positions for it took as long as the attention itself.
    query = ops.concatenate([query, ops.ones_like(query[..., :1])], axis=-1)
    masked = ops.cast(hidden, key.dtype)[:, None, :, None] * _lowest(key.dtype)
    masked = ops.broadcast_to(masked, (*ops.shape(key)[:-1], 1))
    key = ops.concatenate([key, masked], axis=-1)
    weights = ops.softmax(ops.einsum("nhqd,nhld->nhql", query, key), axis=-1)
    attended = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
    return ops.matmul(ops.reshape(attended, (-1, *ops.shape(queries)[1:])), of_output), weights


def _attend_one(
    heads: int,
    queries: keras.KerasTensor,
    keys: keras.KerasTensor,
    hidden: keras.KerasTensor,
    of_query: keras.KerasTensor,
    of_key: keras.KerasTensor,
    of_value: keras.KerasTensor,
    of_output: keras.KerasTensor,
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """`_attend` for one query of each row, ``(N, 1, k)``.

    q (Y W^K)ᵀ is (q W^Kᵀ) Yᵀ, and a (Y W^V) is (a Y) W^V: no key is projected.
    """
    width = queries.shape[-1]
    apart = (width, heads, width // heads)
    query = ops.matmul(queries, of_query) * _scale(queries, heads)
    query = ops.reshape(query, (-1, heads, width // heads))
    asked = ops.einsum("nhd,khd->nhk", query, ops.reshape(of_key, apart))
    scores = ops.einsum("nhk,nlk->nhl", asked, keys)
    scores = scores + ops.cast(hidden, scores.dtype)[:, None] * _lowest(scores.dtype)
    weights = ops.softmax(scores, axis=-1)  # (N, h, L)
    seen = ops.matmul(weights, keys)  # (N, h, k)
    attended = ops.einsum("nhk,khd->nhd", seen, ops.reshape(of_value, apart))
    attended = ops.matmul(ops.reshape(attended, (-1, 1, width)), of_output)
    return attended, weights[:, :, None]


def _scale(queries: keras.KerasTensor, heads: int) -> float:
    return float(queries.shape[-1] // heads) ** -0.5


def _lowest(dtype: str) -> float:
    """A number beside which the exponential of a score is 0."""
    return -3e4 if keras.backend.standardize_dtype(dtype) == "float16" else -1e9


def _apart(values: keras.KerasTensor, count: int, heads: int) -> list[keras.KerasTensor]:
    """Several ``(N, L, k)`` side by side to ``(N, heads, L, k / heads)`` each."""
    width = values.shape[-1] // (count * heads)
    apart = ops.reshape(values, (-1, *ops.shape(values)[1:-1], count, heads, width))
    return ops.unstack(ops.transpose(apart, (2, 0, 3, 1, 4)), count, axis=0)
