"""Tenrec's QK-video, with a user's ten first clicks as one sequence."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.readers.csv import Csv
from mtlx.components.log_example_gen.readers.reader import Rows, Shard

#: Where the data set can be had.
ADDRESS = "https://static.qblv.qq.com/qblv/h5/algo-frontend/tenrec_dataset.html"

#: The sequence, and the columns that it is made of, as the public files have them, oldest first.
HISTORY = "history"
_PARTS = tuple(f"hist_{place}" for place in range(1, 11))
#: What stands in them where there is no click.
_PADDING = "0"


class Tenrec(Csv):
    """CSV files of Tenrec: ``QK-video.csv``, or ``ctr_data_1M.csv`` (QK-Video-1M).

    Gives the columns of the file, and of one with ``hist_1`` to ``hist_10`` the column
    ``history``, these as one text ``a|b|c``, without the zeros that pad them.
    """

    address = ADDRESS

    def __init__(self) -> None:
        super().__init__()

    def read(self, shard: Shard, columns: list[str]) -> Iterator[Rows]:
        """See `Reader.read`."""
        if HISTORY not in columns:
            yield from super().read(shard, columns)
            return
        own = [column for column in columns if column != HISTORY]
        for rows in super().read(shard, list(dict.fromkeys([*own, *_PARTS]))):
            table = rows.columns.select(own).append_column(HISTORY, _history(rows.columns))
            yield dataclasses.replace(rows, columns=table.select(columns))


def _history(columns: pa.Table) -> pa.Array:
    """The parts of every row behind each other."""
    parts = [columns[name].combine_chunks() for name in _PARTS]
    count, rows = len(parts), columns.num_rows
    # Part by part, in the order of the rows' own values.
    order = np.arange(count * rows).reshape(count, rows).T.ravel()
    flat = pc.fill_null(pa.concat_arrays(parts).take(pa.array(order)), "")
    real = pc.and_(pc.not_equal(flat, ""), pc.not_equal(flat, _PADDING))
    taken = real.to_numpy(zero_copy_only=False).reshape(rows, count)
    offsets = np.concatenate([[0], np.cumsum(taken.sum(axis=1))]).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), flat.filter(real))
    return pc.binary_join(lists, "|")
