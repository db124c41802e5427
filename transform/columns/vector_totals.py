"""Moments of vectors, number by number, of rows that are seen in parts."""

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass
class VectorTotals:
    """What is known of each of a vector's numbers.

    Attributes:
        count: vectors.
        mean: ``(size,)`` float64.
        squares: ``(size,)`` float64, sums of squared deviations from the mean.
    """

    count: int
    mean: np.ndarray
    squares: np.ndarray

    @classmethod
    def nothing(cls, size: int) -> "VectorTotals":
        """Of no vectors."""
        return cls(0, np.zeros(size), np.zeros(size))

    @classmethod
    def of(cls, vectors: np.ndarray) -> "VectorTotals":
        """Of vectors ``(n, size)``; those that are not finite are none."""
        wide = vectors[np.isfinite(vectors).all(axis=1)].astype(np.float64)
        if not len(wide):
            return cls.nothing(vectors.shape[1])
        mean = wide.mean(axis=0)
        return cls(len(wide), mean, np.square(wide - mean).sum(axis=0))

    def merge(self, other: "VectorTotals") -> None:
        """Adds further vectors: Chan's parallel update of mean and sum of squared deviations."""
        total = self.count + other.count
        if not other.count:
            return
        difference = other.mean - self.mean
        self.squares = (
            self.squares + other.squares + difference**2 * self.count * other.count / total
        )
        self.mean = self.mean + difference * other.count / total
        self.count = total

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviations of the population ``(size,)``."""
        return np.sqrt(self.squares / max(self.count, 1))

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        lists = {"mean": self.mean.tolist(), "squares": self.squares.tolist()}
        return {"count": self.count, **lists}

    @classmethod
    def of_json(cls, values: dict[str, Any]) -> "VectorTotals":
        """Inverse of `to_json`."""
        return cls(values["count"], np.array(values["mean"]), np.array(values["squares"]))

    def summary(self) -> dict[str, list[float]]:
        """What a `VectorMoments` of `mtlx.transform.analysis.analysis` holds."""
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}
