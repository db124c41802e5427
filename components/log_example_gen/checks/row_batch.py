"""A batch of raw rows, and what became of each of them."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pyarrow as pa

from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.rejection import InputRefused, Rejection
from mtlx.components.log_example_gen.values.column_text import shown

Converted = TypeVar("Converted")


class RowBatch:
    """A batch of raw rows, and which of them are still to be taken over.

    Args:
        rows: the batch.
        file: path of its file, for messages.
    """

    def __init__(self, rows: Rows, file: str) -> None:
        self.rows, self.file = rows, file
        self.kept = np.ones(rows.columns.num_rows, bool)
        self.rejected = list(rows.rejected)

    def reject(
        self,
        column: str,
        values: pa.Array,
        bad: np.ndarray | None,
        reason: str,
        hint: Callable[[str], str] | None = None,
    ) -> None:
        """Leaves rows out; a row counts once, by its first fault."""
        if bad is None or not (bad & self.kept).any():
            return
        bad = bad & self.kept
        self.kept &= ~bad
        for index in np.flatnonzero(bad):
            value = shown(values, int(index))
            line = int(self.rows.lines[index])
            said = hint(value) if hint else ""
            self.rejected.append(Rejection(self.file, line, column, value, reason, said))

    def refuse(self, column: str, values: pa.Array, wrong: np.ndarray, problem: str) -> None:
        """Refuses the input if a row that is kept is wrong."""
        wrong = wrong & self.kept
        if wrong.any():
            index = int(np.flatnonzero(wrong)[0])
            value = shown(values, index)
            raise InputRefused(
                f"{self.file}:{int(self.rows.lines[index])}: column {column!r}: {problem}. "
                f"Received: {value!r} ({int(wrong.sum())} such rows in this batch)"
            )

    def typed(
        self, convert: Callable[[pa.Array], Converted], values: pa.Array, column: str
    ) -> Converted:
        """Converts a column; one of a type that cannot be converted is refused by name."""
        try:
            return convert(values)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            line = int(self.rows.lines[0]) if len(self.rows.lines) else 1
            raise InputRefused(
                f"{self.file}:{line}: column {column!r}: its type {values.type} does not fit the "
                f"data contract ({error}); change the feature's kind, or cast the column"
            ) from error
