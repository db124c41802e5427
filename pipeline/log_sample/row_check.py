"""What LogExampleGen does with a batch of rows, without Beam: checks, types, splits."""

import numpy as np
import pyarrow as pa

from components.log_example_gen import splitter
from components.log_example_gen.readers.reader import Reader, Rows
from components.log_example_gen.row_checks import CheckedRows, RowChecks
from pipeline.experiment import Experiment


class RowCheck:
    """Checks batches by the experiment's contract and assigns their rows to splits.

    Args:
        experiment: the validated experiment file.
        reader: of its logs.

    Attributes:
        columns: that have to be read.
    """

    def __init__(self, experiment: Experiment, reader: Reader) -> None:
        contract = experiment.contract
        self._checks = RowChecks(contract, reader.empty_is_missing)
        self._split = splitter.with_columns(
            experiment.data.split,
            lambda name: contract.column(name) if name in contract.features else name,
        )
        self.columns = list(
            dict.fromkeys([*self._checks.columns(), *splitter.split_columns(self._split)])
        )

    def check(
        self, rows: Rows, file: str, place: str, position: float = 0.0, total: float = 1.0
    ) -> tuple[CheckedRows, np.ndarray]:
        """Checks one batch.

        Args:
            rows: the batch.
            file: path of its file.
            place: the file as messages name it.
            position: of the first row in the whole input.
            total: rows in the whole input.

        Returns:
            The rows that passed, and the split of each ``(n,)`` as an index into `SPLITS`.

        Raises:
            InputRefused: the rows contradict the contract, or have no split.
        """
        checked = self._checks.check(rows, place)
        positions = (int(position) + np.arange(len(rows.lines))).astype(np.int64)
        # A cut by position falls between 0 and the last row, whatever was estimated.
        total = max(int(total), int(positions[-1]) + 1 if len(positions) else 1)
        kept = checked.kept
        where = splitter.Place(file, rows.lines[kept], positions[kept], total)
        return checked, splitter.assign(self._split, rows.columns.filter(pa.array(kept)), where)
