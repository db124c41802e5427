"""Which rows of a table are whose, where every worker holds some."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import tensorflow as tf

Rows = TypeVar("Rows", np.ndarray, tf.Tensor)


@dataclass(frozen=True)
class Share:
    """One worker's rows: those whose number, divided by the number of workers, leaves its own.

    Values that are often met have small numbers in every field's vocabulary, so that they, and
    the work on them, are spread over all workers. Row i is the owner's row i // count.

    Attributes:
        index: of the worker.
        count: of all workers.
    """

    index: int
    count: int

    def size(self, rows: int) -> int:
        """How many of the table's rows it holds."""
        return (rows - self.index + self.count - 1) // self.count

    def holds(self, rows: Rows) -> Rows:
        """Whether it holds each of the table's rows, bool."""
        return rows % self.count == self.index

    def own(self, rows: Rows) -> Rows:
        """Numbers among its own of the table's rows that it holds."""
        return rows // self.count

    def of_table(self, own: Rows) -> Rows:
        """Numbers in the table of its own rows."""
        return own * self.count + self.index


@dataclass(frozen=True)
class Shard:
    """A share's rows of one table, or of what is kept for each of its rows.

    Attributes:
        share: which rows.
        rows: of the whole table.
    """

    share: Share
    rows: int

    def whole_shape(self, own: Sequence[int]) -> tuple[int, ...]:
        """Of the whole, given that of the shard."""
        return (self.rows, *own[1:])
