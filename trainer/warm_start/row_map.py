"""Where the rows of a weight come from: by value, not by number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.trainer.distribution.share import Share

#: The old row of a row that is new.
NEW = -1


def places(today: Sequence[bytes | str], base: Sequence[bytes | str]) -> np.ndarray:
    """Where each of today's values stood, ``(n,)`` int64; `NEW` where it is new."""
    kind = pa.large_binary() if today and isinstance(today[0], bytes) else pa.large_string()
    found = pc.index_in(pa.array(today, kind), value_set=pa.array(base, kind))
    return found.fill_null(NEW).to_numpy(zero_copy_only=False).astype(np.int64)


@dataclass(frozen=True)
class RowMap:
    """From the rows (first axis) of a base model's weight to those of today's.

    Attributes:
        rows: ``(n,)``, the old row of each, `NEW` where there is none.
        groups: ``(n,)``, which group each belongs to: its field.
        old_groups: ``(m,)``, the group of each old row that has a part in its mean; -1 for none.
    """

    rows: np.ndarray
    groups: np.ndarray
    old_groups: np.ndarray

    @classmethod
    def of_names(cls, today: Sequence[str], base: Sequence[str]) -> "RowMap":
        """Of weights with one row for each name."""
        rows = places(today, base)
        return cls(rows, np.zeros(len(rows), np.int64), np.zeros(len(base), np.int64))

    def of_share(self, share: Share) -> "RowMap":
        """Of the rows that one of several workers holds."""
        own = slice(share.index, None, share.count)
        return RowMap(self.rows[own], self.groups[own], self.old_groups)

    def place(self, old: np.ndarray, new: np.ndarray, mean: bool = False) -> np.ndarray:
        """Today's weight.

        Args:
            old: the base model's ``(m, ...)``.
            new: what new rows start from, ``(n, ...)``.
            mean: they start from the mean of their group's old rows instead, where it has any.
        """
        placed = np.array(new)
        if mean:
            for group in np.unique(self.groups[self.rows == NEW]):
                members = old[self.old_groups == group]
                if len(members):
                    placed[(self.rows == NEW) & (self.groups == group)] = members.mean(axis=0)
        known = self.rows != NEW
        placed[known] = old[self.rows[known]]
        return placed

    def place_numbers(self, old: np.ndarray) -> np.ndarray:
        """Numbers that tell a group's rows apart: kept, and never given to another row.

        Args:
            old: the base model's ``(m,)``.

        Returns:
            ``(n,)``; a new row gets one above all of the base model's.
        """
        placed = np.zeros(len(self.rows), old.dtype)
        known = self.rows != NEW
        placed[known] = old[self.rows[known]]
        fresh = np.flatnonzero(~known)
        placed[fresh] = old.max() + 1 + np.arange(len(fresh))
        return placed
