"""What LogExampleGen does with a batch of rows, without Beam: checks, types, splits."""

from collections.abc import Collection

import numpy as np
import pyarrow as pa

from mtlx.components.log_example_gen.joins.joins import Joins
from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.row_checks import CheckedRows, RowChecks
from mtlx.components.log_example_gen.splits import splitter
from mtlx.pipeline.experiment.experiment import Experiment


class RowCheck:
    """Checks batches by the experiment's contract and assigns their rows to splits.

    Args:
        experiment: the validated experiment file.
        test_files: with a window, the files whose rows all test.

    Attributes:
        columns: that have to be read of the log.
    """

    def __init__(self, experiment: Experiment, test_files: Collection[str] = ()) -> None:
        contract = experiment.contract
        data = experiment.data
        self._checks = RowChecks(contract, data.missing_label, where=data.where)
        self._test = frozenset(test_files)
        self._split = splitter.with_columns(
            experiment.data.split,
            lambda name: contract.column(name) if name in contract.features else name,
        )
        wanted = [*self._checks.columns(), *splitter.split_columns(self._split)]
        self._joins = Joins(data.join, wanted)
        self.columns = self._joins.columns

    def join(self, rows: Rows, file: str) -> Rows:
        """Rows with the columns of `data.join` beside their own.

        Raises:
            InputRefused: a table can't be read, or a key is missing that must not be.
        """
        return self._joins(rows, file)

    def check(self, rows: Rows, file: str, place: str) -> tuple[CheckedRows, np.ndarray | None]:
        """Checks one batch.

        Args:
            rows: the batch, joined.
            file: path of its file.
            place: the file as messages name it.

        Returns:
            The rows that passed, and the split of each ``(n,)`` as an index into `SPLITS`; None
            where that takes the number of all rows, see `split_by_position`.

        Raises:
            InputRefused: the rows contradict the contract, or have no split.
        """
        checked = self._checks.check(rows, place)
        if splitter.needs_positions(self._split):
            return checked, None
        kept = checked.kept
        where = splitter.Place(file, rows.lines[kept])
        assigned = splitter.assign(self._split, rows.columns.filter(pa.array(kept)), where)
        if file in self._test:
            assigned.splits[assigned.splits >= 0] = splitter.SPLITS.index("test")
        taken = assigned.splits >= 0
        kept = kept.copy()
        kept[checked.kept] = taken
        examples = checked.examples.filter(pa.array(taken))
        rejected = [*checked.rejected, *assigned.rejected]
        return CheckedRows(examples, kept, rejected, checked.filtered), assigned.splits[taken]

    def split_by_position(self, positions: np.ndarray, total: float) -> np.ndarray:
        """Splits of rows ``(n,)`` by their positions in the whole input, which has `total`."""
        # A cut by position falls behind no row that was read, whatever was estimated.
        total = max(int(total), int(positions.max(initial=0)) + 1)
        where = splitter.Place("", positions, positions, total)
        return splitter.assign(self._split, pa.table({}), where).splits
