"""Rows as plain columns that can be cut, carried and joined by cluster."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals

#: An odd number without pattern, to mix hashes with (2^64 over the golden ratio).
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class RowBlock:
    """N rows with all that metrics over several rows need.

    Attributes:
        clusters: ``(N,)`` uint64: user, without users the request, 0 for a row without either,
            which is its own; rows of one cluster are in one block once they have been joined.
        requests: ``(N,)`` uint64, 0 where there is none.
        slices: ``(C, N)`` int64, number of the row's slice of each cross.
        labels: ``(T, N)``.
        weights: ``(T, N)`` float64.
        scores: ``(M, T, N)`` float32; 0 where the model served no finite number.
    """

    clusters: np.ndarray
    requests: np.ndarray
    slices: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    scores: np.ndarray

    @classmethod
    def of_batch(cls, batch: EvaluationBatch, totals: SliceTotals) -> "RowBlock":
        """Takes the columns of a batch, given the slices' numbers."""
        rows = batch.labels.shape[1]
        nothing = np.zeros(rows, np.uint64)
        requests = nothing if batch.requests is None else batch.requests
        clusters = batch.users if batch.users is not None else requests
        numbers = [totals.ordinals(column.keys)[column.codes] for column in batch.slices]
        scores = np.where(np.isfinite(batch.scores), batch.scores, np.float32(0))
        weights = batch.weights.astype(np.float64)
        return cls(clusters, requests, np.stack(numbers), batch.labels, weights, scores)

    def split(self, partitions: int) -> list[tuple[int, "RowBlock"]]:
        """Divides by cluster, so that all rows of one lie in the same partition.

        Returns:
            Partition number and rows, for the partitions that are not empty.
        """
        if partitions == 1:
            return [(0, self)] if len(self.clusters) else []
        keys = self.clusters
        if (keys == 0).any():
            keys = np.where(keys == 0, self._content(), keys)
        # Mixed first: where clusters are hashes that were cut already, they share low bits.
        mixed = (keys * _MIX) >> np.uint64(33)
        partition = (mixed % np.uint64(partitions)).astype(np.int64)
        return [(int(n), self.take(np.flatnonzero(partition == n))) for n in np.unique(partition)]

    def _content(self) -> np.ndarray:
        """A hash of each row's labels and scores, ``(N,)`` uint64: the same in every run."""
        columns = np.concatenate([self.labels, self.scores.reshape(-1, self.scores.shape[-1])])
        found = np.zeros(len(self.clusters), np.uint64)
        for column in columns.astype(np.float64):
            found = (found ^ column.view(np.uint64)) * _MIX
            found ^= found >> np.uint64(29)
        return found

    def take(self, rows: np.ndarray) -> "RowBlock":
        """Returns some of the rows."""
        return RowBlock(**{name: value[..., rows] for name, value in vars(self).items()})

    @classmethod
    def joined(cls, blocks: Sequence["RowBlock"]) -> "RowBlock":
        """Returns the rows of at least one block, one after the other."""
        columns = [vars(block) for block in blocks]
        return cls(
            **{name: np.concatenate([c[name] for c in columns], axis=-1) for name in columns[0]}
        )
