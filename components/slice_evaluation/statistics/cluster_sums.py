"""What rows contribute to metrics, summed per user: the step before the moments of users."""

import numpy as np

from mtlx.components.slice_evaluation.statistics.paired_moments import PairedMoments, influences
from mtlx.components.slice_evaluation.statistics.score_histogram import BUFFERED_ROWS


class ClusterSums:
    """Sums of centred placement values and of influences per (user, group), mergeable in any order.

    A group is one task in one slice. Memory is that of the users that are added, so that users
    should be partitioned (by their key) where there are many.

    Args:
        models: number of models M.
        metrics: number of metrics Q, beside the AUC, of which influences are summed.
    """

    def __init__(self, models: int, metrics: int = 0):
        self.models, self.metrics = models, metrics
        self._users = np.zeros(0, np.uint64)
        self._groups = np.zeros(0, np.int64)
        # Columns: placements of positives (M), of negatives (M), weight of positives, of
        # negatives, influences (Q · M).
        self._sums = np.zeros((0, 2 * models + 2 + metrics * models))
        self._buffer: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._buffered = 0

    def add(
        self,
        users: np.ndarray,
        groups: np.ndarray,
        placements: np.ndarray,
        labels: np.ndarray,
        weights: np.ndarray | None = None,
        influence: np.ndarray | None = None,
    ) -> None:
        """Adds rows.

        Args:
            users: ``(N,)`` uint64.
            groups: ``(N,)`` int64.
            placements: ``(M, N)`` float64, minus the model's AUC.
            labels: ``(N,)`` bool.
            weights: ``(N,)`` float64; None for ones.
            influence: ``(Q, M, N)`` float64, of the metrics; None where there are none.
        """
        weights = np.ones(len(users)) if weights is None else weights
        positive = weights * labels
        negative = weights - positive
        columns = [*(placements * positive), *(placements * negative), positive, negative]
        if influence is not None:
            columns += [*influence.reshape(self.metrics * self.models, len(users))]
        self._push(users, groups, np.stack(columns, axis=1))

    def merge(self, other: "ClusterSums") -> None:
        """Adds other sums; a user may be in both."""
        other.compact()
        self._push(other._users, other._groups, other._sums)

    def compact(self) -> None:
        """Sums what was added by user and group."""
        if not self._buffer:
            return
        columns = [(self._users, self._groups, self._sums), *self._buffer]
        users, groups, sums = (np.concatenate(column) for column in zip(*columns, strict=True))
        self._buffer, self._buffered = [], 0
        if not len(users):
            return
        order = np.lexsort((users, groups))
        users, groups, sums = users[order], groups[order], sums[order]
        new = (users[1:] != users[:-1]) | (groups[1:] != groups[:-1])
        starts = np.flatnonzero(np.r_[True, new])
        self._users, self._groups = users[starts], groups[starts]
        self._sums = np.add.reduceat(sums, starts, axis=0)

    def split(self, partitions: int) -> list[tuple[int, "ClusterSums"]]:
        """Divides by user, so that all sums of one user lie in the same partition.

        Returns:
            Partition number and sums, for the partitions that are not empty.
        """
        self.compact()
        partition = (self._users % np.uint64(partitions)).astype(np.int64)
        parts = []
        for number in np.unique(partition):
            chosen, part = partition == number, ClusterSums(self.models, self.metrics)
            part._users, part._groups = self._users[chosen], self._groups[chosen]
            part._sums = self._sums[chosen]
            parts.append((int(number), part))
        return parts

    def moments(self, positives: np.ndarray, negatives: np.ndarray) -> PairedMoments:
        """Sums over the users what concerns the AUC, with leading shape ``(G,)``.

        Args:
            positives: ``(G,)``, weight of each group's rows with label 1, those of other users
                too.
            negatives: ``(G,)``, of those with label 0.
        """
        self.compact()
        # A user can lack one class, but where a group does there is no AUC.
        kept = np.flatnonzero((positives > 0)[self._groups] & (negatives > 0)[self._groups])
        groups, sums = self._groups[kept], self._sums[kept]
        counts = np.stack([positives[groups], negatives[groups]]).astype(np.float64)
        shares = sums[:, 2 * self.models : 2 * self.models + 2].T / counts
        classes = sums[:, : 2 * self.models].T.reshape(2, self.models, -1).swapaxes(0, 1)
        influence = influences(classes, shares, counts)
        return PairedMoments.of_clusters(groups, influence, shares, len(positives))

    def metric_moments(self, weight: np.ndarray) -> list[PairedMoments]:
        """Sums over the users what concerns each metric, with leading shape ``(G,)``.

        Args:
            weight: ``(G,)``, of each group's rows.
        """
        self.compact()
        first = 2 * self.models
        shares = self._sums[:, first : first + 2].sum(axis=1) / weight[self._groups]
        influence = self._sums[:, first + 2 :].T.reshape(self.metrics, self.models, len(shares))
        return [PairedMoments.of_means(self._groups, own, shares, len(weight)) for own in influence]

    def columns_of(self, group: int) -> np.ndarray:
        """The sums of a group's users ``(U, 2 M + 2 + Q M)``: of the positives' placements and of
        the negatives', each by model, then of their weights, then of influences."""
        self.compact()
        first, last = np.searchsorted(self._groups, [group, group + 1])
        return self._sums[first:last]

    def _push(self, users: np.ndarray, groups: np.ndarray, sums: np.ndarray) -> None:
        self._buffer.append((users, groups, sums))
        self._buffered += len(users)
        if self._buffered >= BUFFERED_ROWS:
            self.compact()

    def __getstate__(self) -> dict[str, object]:
        self.compact()
        return dict(self.__dict__)
