"""Parquet logs."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from components.log_example_gen.readers.reader import Reader, Rows, Shard
from components.log_example_gen.rejection import InputRefused

_BATCH_ROWS = 65_536


class Parquet(Reader):
    """Parquet files, row group by row group; nulls are missing, zeros and empty texts are not."""

    empty_is_missing = False

    def shards(self, files: list[str]) -> list[Shard]:
        """One per row group."""
        shards = []
        for file in files:
            with self.open(file) as stream:
                groups = self._file(file, stream).num_row_groups
            shards += [Shard((file,), group) for group in range(groups)]
        return shards

    def read(self, shard: Shard, columns: list[str]) -> Iterator[Rows]:
        """See `Reader.read`."""
        (file,) = shard.files
        with self.open(file) as stream:
            parquet = self._file(file, stream)
            self.check_columns(file, columns, parquet.schema_arrow.names)
            row = 1 + sum(parquet.metadata.row_group(group).num_rows for group in range(shard.part))
            batches = parquet.iter_batches(
                _BATCH_ROWS, row_groups=[shard.part], columns=columns, use_threads=False
            )
            for batch in batches:
                lines = np.arange(row, row + batch.num_rows, dtype=np.int64)
                row += batch.num_rows
                yield Rows(pa.Table.from_batches([batch]).select(columns), lines)

    @staticmethod
    def _file(file: str, stream: object) -> pyarrow.parquet.ParquetFile:
        try:
            return pyarrow.parquet.ParquetFile(stream)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputRefused(f"{file}: cannot be read as Parquet: {error}") from error
