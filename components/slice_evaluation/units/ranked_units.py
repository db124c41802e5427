"""Users, or requests, of one task in all their slices, and their rows by score."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mtlx.components.slice_evaluation.statistics.score_histogram import ordered_keys
from mtlx.components.slice_evaluation.units.row_block import RowBlock


@dataclass(frozen=True)
class TieBlocks:
    """Rows of one unit with the same score, the highest score first; K blocks, by unit.

    Attributes:
        unit: ``(K,)`` int64.
        first: ``(K,)`` int64, how many of the unit's rows have a higher score.
        size: ``(K,)`` int64, rows.
        relevant: ``(K,)`` int64, of them with a label above 0.
        weight: ``(2, K)`` float64, of those, and of the others.
    """

    unit: np.ndarray
    first: np.ndarray
    size: np.ndarray
    relevant: np.ndarray
    weight: np.ndarray


class RankedUnits:
    """The units of one task: U of them, one for each slice that holds rows of it.

    In a slice a unit is made of its rows in the slice alone.

    Args:
        block: whole clusters.
        task: number.
        unit: ``user`` takes clusters; ``request`` the rows of one request of one cluster, those
            without a request are left out.

    Attributes:
        slices: ``(U,)`` int64.
        clusters: ``(U,)`` uint64.
        rows: ``(U,)`` int64, number of rows.
        relevant: ``(U,)`` int64, of them with a label above 0.
        weight: ``(U,)`` float64, sum of the rows' weights.
        models: number of models.
    """

    def __init__(self, block: RowBlock, task: int, unit: Literal["user", "request"]):
        counts = block.weights[task] > 0
        if unit == "request":
            counts &= block.requests != 0
        rows = np.flatnonzero(counts)
        keys = block.clusters[rows]
        if unit == "request":
            # A request belongs to one user; the same word of another user is another request.
            keys = keys * np.uint64(0x9E3779B97F4A7C15) ^ block.requests[rows]
        _, first, codes = np.unique(keys, return_index=True, return_inverse=True)
        many = max(len(first), 1)
        crosses = len(block.slices)
        ids = (block.slices[:, rows] * many + codes).ravel()
        found, self._unit = np.unique(ids, return_inverse=True)
        self.slices, self.clusters = found // many, block.clusters[rows][first[found % many]]
        members = np.tile(rows, crosses)
        self._labels = block.labels[task, members] > 0
        self._weights = block.weights[task, members]
        self._scores = block.scores[:, task, members]
        self.models, size = len(self._scores), len(found)
        self.rows = np.bincount(self._unit, minlength=size)
        self.relevant = np.bincount(self._unit[self._labels], minlength=size)
        self.weight = np.bincount(self._unit, self._weights, minlength=size)
        self._blocks: dict[int, TieBlocks] = {}

    def __len__(self) -> int:
        return len(self.slices)

    def blocks(self, model: int) -> TieBlocks:
        """The rows by the score of a model."""
        if model not in self._blocks:
            self._blocks[model] = self._tie_blocks(model)
        return self._blocks[model]

    def _tie_blocks(self, model: int) -> TieBlocks:
        descending = ~ordered_keys(self._scores[model])
        keys = self._unit.astype(np.uint64) << np.uint64(32) | descending.astype(np.uint64)
        order = np.argsort(keys, kind="stable")
        keys, labels, weights = keys[order], self._labels[order], self._weights[order]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else order
        unit = self._unit[order[starts]]
        size = np.diff(np.r_[starts, len(keys)])
        of_unit = np.cumsum(self.rows) - self.rows
        if not len(keys):
            nothing = np.zeros((2, 0))
            return TieBlocks(unit, unit, size, unit, nothing)
        relevant = np.add.reduceat(labels.astype(np.int64), starts)
        own = np.add.reduceat(weights * labels, starts)
        others = np.add.reduceat(weights * ~labels, starts)
        return TieBlocks(unit, starts - of_unit[unit], size, relevant, np.stack([own, others]))

    def sums(self, blocks: TieBlocks, values: np.ndarray) -> np.ndarray:
        """Sums values of blocks ``(K,)`` by unit ``(U,)``."""
        return np.bincount(blocks.unit, values, minlength=len(self))
