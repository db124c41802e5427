"""Scores of many groups as one sorted table of distinct values: exact until it gets large."""

import numpy as np

#: Distinct scores that a group may have before it is coarsened.
MAXIMUM_DISTINCT_SCORES = 65_536
#: Distinct scores over all groups, above which every group is coarsened to an equal share.
MAXIMUM_TOTAL_SCORES = 8_388_608
#: But never to less than this.
MINIMUM_SHARE = 2_048
#: Rows that are collected before they are sorted into the table.
BUFFERED_ROWS = 1_048_576

_KEY_BITS = np.uint64(32)
_KEY_MASK = np.uint64(0xFFFFFFFF)


def ordered_keys(scores: np.ndarray) -> np.ndarray:
    """Maps float32 scores to uint32 keys with the same order and the same ties.

    Args:
        scores: float32, any shape, finite. Minus zero equals zero.

    Returns:
        uint32, the same shape.
    """
    bits = np.ascontiguousarray(scores.astype(np.float32) + np.float32(0)).view(np.uint32)
    sign = np.uint32(0x80000000)
    return np.where(bits & sign, ~bits, bits | sign)


def scores_of_keys(keys: np.ndarray) -> np.ndarray:
    """Undoes `ordered_keys`.

    Args:
        keys: integers, any shape; only the lower 32 bits count.

    Returns:
        float32, the same shape; of a key without its low bits the least of its scores.
    """
    bits = (keys & _KEY_MASK).astype(np.uint32)
    sign = np.uint32(0x80000000)
    return np.where(bits & sign, bits & ~sign, ~bits).view(np.float32)


class ScoreHistogram:
    """Weights of positives and negatives per (group, distinct score), mergeable in any order.

    A group (one model, task and slice) holds its exact float32 scores up to
    `maximum_distinct`; above it the group drops as many low bits of the ordered key as are
    needed, one by one, so that near scores become ties. Where all groups together exceed
    `maximum_total`, each is held to an equal share of it. What is dropped depends on the set of
    rows only, never on the order of adding and merging. A float's key has an exponent, so that
    small probabilities keep their relative precision. Weights of 1 are counts, and exact; sums of
    other weights depend on the order in their last digits.

    Memory: about `maximum_total` entries (or ``groups · MINIMUM_SHARE`` where that is more), and
    half as many that wait to be sorted in.

    Attributes:
        keys: ``(K,)`` uint64, ascending: group in the upper, score key in the lower 32 bits.
        positives: ``(K,)`` float64, sum of their weights.
        negatives: ``(K,)`` float64.
        dropped_bits: ``(G,)`` int64, low bits without meaning in the group's score keys.
    """

    def __init__(
        self,
        groups: int = 0,
        maximum_distinct: int = MAXIMUM_DISTINCT_SCORES,
        maximum_total: int = MAXIMUM_TOTAL_SCORES,
    ):
        self.maximum_distinct = maximum_distinct
        self.maximum_total = maximum_total
        # Once true always true: else the result would depend on when the total was looked at.
        self._shared = False
        self.keys = np.zeros(0, np.uint64)
        self.positives = np.zeros(0)
        self.negatives = np.zeros(0)
        self.dropped_bits = np.zeros(groups, np.int64)
        self._buffer: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._buffered = 0

    def resize(self, groups: int) -> None:
        """Makes room for more groups."""
        self.dropped_bits = np.pad(self.dropped_bits, (0, groups - len(self.dropped_bits)))

    def add(
        self,
        groups: np.ndarray,
        scores: np.ndarray,
        labels: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> None:
        """Adds rows.

        Args:
            groups: ``(N,)`` int64 below the number of groups.
            scores: ``(N,)`` float32, finite.
            labels: ``(N,)`` bool.
            weights: ``(N,)`` float64, positive; None for ones.
        """
        keys = groups.astype(np.uint64) << _KEY_BITS | ordered_keys(scores).astype(np.uint64)
        weights = np.ones(len(keys)) if weights is None else weights
        positives = weights * labels
        self._push(keys, positives, weights - positives)

    def merge(self, other: "ScoreHistogram", group_map: np.ndarray) -> None:
        """Adds another histogram.

        Args:
            other: is compacted, else left as it is.
            group_map: ``(G_other,)`` int64, the group here of each group there.
        """
        other.compact()
        mapped = group_map[(other.keys >> _KEY_BITS).astype(np.int64)].astype(np.uint64)
        self._shared |= other._shared
        np.maximum.at(self.dropped_bits, group_map, other.dropped_bits)
        self._push(mapped << _KEY_BITS | other.keys & _KEY_MASK, other.positives, other.negatives)

    def compact(self) -> None:
        """Sorts what was added into the table and coarsens groups that are too large."""
        if self._buffer:
            columns = [(self.keys, self.positives, self.negatives), *self._buffer]
            keys, positives, negatives = map(np.concatenate, zip(*columns, strict=True))
            self._buffer, self._buffered = [], 0
            keys = self.mask(keys)
            order = np.argsort(keys, kind="stable")
            self._sum_equal(keys[order], positives[order], negatives[order])
        self._coarsen(self.maximum_distinct)
        self._shared |= len(self.keys) > self.maximum_total
        if self._shared:
            share = self.maximum_total // len(self.dropped_bits)
            self._coarsen(min(max(share, MINIMUM_SHARE), self.maximum_distinct))

    def _coarsen(self, maximum_distinct: int) -> None:
        """Drops bits until no group has more distinct scores."""
        while True:
            distinct = np.bincount(self.groups(), minlength=len(self.dropped_bits))
            too_many = distinct > maximum_distinct
            if not too_many.any():
                return
            self.dropped_bits += too_many
            # Dropping low bits keeps the order, so nothing is sorted again.
            self._sum_equal(self.mask(self.keys), self.positives, self.negatives)

    def scores(self) -> np.ndarray:
        """Returns the score of each key, ``(K,)`` float64; of a coarsened one the middle."""
        dropped = self.dropped_bits[self.groups()].astype(np.uint64)
        half = np.where(dropped > 0, np.uint64(1) << (np.maximum(dropped, 1) - np.uint64(1)), 0)
        return scores_of_keys(self.keys | half.astype(np.uint64)).astype(np.float64)

    def groups(self) -> np.ndarray:
        """Returns the group of each key, ``(K,)`` int64."""
        return (self.keys >> _KEY_BITS).astype(np.int64)

    def mask(self, keys: np.ndarray) -> np.ndarray:
        """Drops from uint64 keys the low bits that their groups have dropped."""
        if not self.dropped_bits.any():
            return keys
        dropped = self.dropped_bits[(keys >> _KEY_BITS).astype(np.int64)].astype(np.uint64)
        return keys >> dropped << dropped

    def _push(self, keys: np.ndarray, positives: np.ndarray, negatives: np.ndarray) -> None:
        self._buffer.append((keys, positives, negatives))
        self._buffered += len(keys)
        # In proportion to the table, so that each entry is sorted a few times only.
        if self._buffered >= max(BUFFERED_ROWS, len(self.keys) // 2):
            self.compact()

    def _sum_equal(self, keys: np.ndarray, positives: np.ndarray, negatives: np.ndarray) -> None:
        if not len(keys):
            return
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        self.keys = keys[starts]
        self.positives = np.add.reduceat(positives, starts)
        self.negatives = np.add.reduceat(negatives, starts)

    def __getstate__(self) -> dict[str, object]:
        self.compact()
        return dict(self.__dict__)
