"""Comma-separated logs with a header line."""

from collections.abc import Iterator

from mtlx.components.log_example_gen.readers.reader import MissingTexts, Reader, Rows, Shard
from mtlx.components.log_example_gen.readers.text_bytes import Encoding
from mtlx.components.log_example_gen.readers.text_layout import Delimiter, TextLayout
from mtlx.components.log_example_gen.readers.text_table import read_text_table


class Csv(Reader):
    """CSV files, plain or gzip, with column names in the first line; an empty value is missing.

    Every line is delivered, malformed or refused, see `read_text_table`. A quoted value may hold
    line breaks; a quote that is not closed costs its own line alone.

    Args:
        delimiter: between the values.
        encoding: of the text: ``utf-8``, ``latin-1``, ``utf-16``, or another that Python knows.
        trust_quotes: take a quoted value over lines that would be rows by themselves. By default
            a quote around such lines counts as a stray one, and its line as malformed.
        missing: texts that stand for a missing value, beside the empty one; in every column, in
            training and serving.
    """

    def __init__(
        self,
        *,
        delimiter: Delimiter = ",",
        encoding: Encoding = "utf-8",
        trust_quotes: bool = False,
        missing: MissingTexts = Reader.missing,
    ) -> None:
        self._layout = TextLayout(delimiter, trust_quotes=trust_quotes, encoding=encoding)
        self.missing = missing

    def read(self, shard: Shard, columns: list[str]) -> Iterator[Rows]:
        """See `Reader.read`."""
        (file,) = shard.files
        return read_text_table(file, lambda: self.open(file), columns, self._layout)
