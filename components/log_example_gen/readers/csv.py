"""Comma-separated logs with a header line."""

from collections.abc import Iterator

from components.log_example_gen.readers.reader import MissingTexts, Reader, Rows, Shard
from components.log_example_gen.readers.text_table import header, read_text_table


class Csv(Reader):
    """CSV files, plain or gzip, with column names in the first line; an empty value is missing.

    Args:
        delimiter: between the values.
        missing: texts that stand for a missing value, beside the empty one; in every column, in
            training and serving.
    """

    def __init__(self, *, delimiter: str = ",", missing: MissingTexts = Reader.missing) -> None:
        self.delimiter, self.missing = delimiter, tuple(missing)

    def read(self, shard: Shard, columns: list[str]) -> Iterator[Rows]:
        """See `Reader.read`."""
        (file,) = shard.files
        with self.open(file) as stream:
            names = header(file, stream, self.delimiter)
        self.check_columns(file, columns, names)
        rows = read_text_table(file, lambda: self.open(file), names, self.delimiter, True)
        for batch in rows:
            yield Rows(batch.columns.select(columns), batch.lines, batch.rejected)
