"""One Parquet file of scored rows, which appears under its name only when it is whole."""

import os
import uuid

import pyarrow as pa
import pyarrow.parquet
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems


class ScoreFile:
    """A context manager; after an exception no file is left under the name, nor one without rows.

    Args:
        path: of the file; a path or URI.
        unfinished: folder of the file while it is written.
    """

    def __init__(self, path: str, unfinished: str) -> None:
        self._path = path
        # Each attempt writes a file of its own, so that two attempts cannot mix.
        self._temporary = os.path.join(unfinished, f"{uuid.uuid4().hex}.parquet")
        self._writer: pyarrow.parquet.ParquetWriter | None = None

    def __enter__(self) -> "ScoreFile":
        return self

    def write(self, table: pa.Table) -> None:
        """Appends rows; a table without rows changes nothing."""
        if not table.num_rows:
            return
        if self._writer is None:
            # Beam would pack what ends like a packed file.
            self._stream = FileSystems.create(
                self._temporary, compression_type=CompressionTypes.UNCOMPRESSED
            )
            self._writer = pyarrow.parquet.ParquetWriter(self._stream, table.schema)
        self._writer.write_table(table)

    def __exit__(self, kind: type[BaseException] | None, *unused: object) -> None:
        if self._writer is None:
            return
        try:
            self._writer.close()
        finally:
            self._stream.close()
        if kind is None:
            FileSystems.rename([self._temporary], [self._path])
