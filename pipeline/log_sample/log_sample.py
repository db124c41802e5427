"""A sample of the logs by the run's own reader: evenly spread over files and within them."""

import dataclasses
import itertools
import math
import operator
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import pyarrow.parquet

from mtlx.components.log_example_gen.readers.parquet import Parquet
from mtlx.components.log_example_gen.readers.reader import Reader, Rows, Shard
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.pipeline.log_sample.block_rows import block_place, block_rows
from mtlx.pipeline.log_sample.text_blocks import TextBlock, TextBlocks, TextForm

#: Unpacked bytes of a block of text.
_BLOCK_BYTES = 1 << 19
#: Rows of a typed format that are read for each one that is kept, where it has many more.
_READ_PER_KEPT = 5
#: Pieces that a batch of them is cut into at least, and rows of a piece at most.
_PIECES, _PIECE_ROWS = 8, 4096


@dataclass(frozen=True)
class SampledRows:
    """A batch of rows out of the logs.

    Attributes:
        rows: as the reader gives them; lines are those of the file, or of `place`.
        file: path.
        place: the file, for messages, with the place of the block in it.
        position: of the first row in the whole input; an estimate where rows are left out.
    """

    rows: Rows
    file: str
    place: str
    position: float


@dataclass
class LogSample:
    """A sample of the logs; go through `batches` once, then ask what was seen.

    Attributes:
        reader: the run's reader.
        files: that a run would read, in order.
        form: of their lines, where they are text.
        wanted: rows; more than that are left out evenly. None for all.
        rows_read: so far.
        total_rows: of the logs; an estimate unless all were read.
        share: of the logs that was read; 1 for all.
        refused: what can't be read, in the reader's words.
    """

    reader: Reader
    files: list[str]
    form: TextForm | None
    wanted: int | None
    rows_read: int = 0
    total_rows: float = 0.0
    share: float = 1.0
    refused: list[str] = field(default_factory=list)

    def batches(self, columns: list[str]) -> Iterator[SampledRows]:
        """Reads the sample.

        Args:
            columns: that are wanted.
        """
        batches = self._text(columns, self.form) if self.form is not None else self._typed(columns)
        for batch in batches:
            self.rows_read += batch.rows.columns.num_rows
            yield batch
        if self.share >= 1.0:
            self.total_rows = self.rows_read
        elif self.form is not None:
            self.total_rows = self.rows_read / max(self.share, 1e-9)
        else:
            self.share = self.rows_read / self.total_rows

    def _text(self, columns: list[str], form: TextForm) -> Iterator[SampledRows]:
        """Blocks of bytes, as even as whole blocks can be."""
        sizes = {file: TextBlocks(self.reader, file, form).size() for file in self.files}
        total = sum(sizes.values())
        with TextBlocks(self.reader, max(sizes, key=sizes.__getitem__), form) as largest:
            row_bytes = largest.bytes_per_row()
        self.total_rows = total / row_bytes
        share = 1.0 if self.wanted is None else min(1.0, self.wanted / max(self.total_rows, 1))
        if share >= 1.0:
            yield from self._whole(columns, [Shard((file,)) for file in self.files])
            return
        ranges = [
            (file, start) for file, size in sizes.items() for start in range(0, size, _BLOCK_BYTES)
        ]
        begun = dict(zip(sizes, _sums(sizes.values()), strict=True))
        read = 0
        for file, starts in itertools.groupby(_evenly(ranges, share), operator.itemgetter(0)):
            with TextBlocks(self.reader, file, form) as blocks:
                for _, start in starts:
                    block = self._block(blocks, file, start, sizes[file])
                    if block is None:
                        break
                    read += block.size
                    position = (begun[file] + block.start) / row_bytes
                    yield from self._rows(file, block, columns, position)
        self.share = read / max(total, 1)

    def _block(self, blocks: TextBlocks, file: str, start: int, size: int) -> TextBlock | None:
        try:
            return blocks.read(start, min(_BLOCK_BYTES, size - start))
        except (OSError, EOFError, zlib.error) as error:
            self.refused.append(f"{file}: cannot be read to its end: {error}")
            return None

    def _rows(
        self, file: str, block: TextBlock, columns: list[str], position: float
    ) -> Iterator[SampledRows]:
        try:
            for rows in block_rows(self.reader, file, block, columns):
                yield SampledRows(rows, file, block_place(file, block), position)
                position += rows.columns.num_rows
        except InputRefused as error:
            self.refused.append(str(error))

    def _typed(self, columns: list[str]) -> Iterator[SampledRows]:
        """Row groups, of each batch an even share."""
        shards = self.reader.shards(self.files)
        if not isinstance(self.reader, Parquet) or self.wanted is None:
            yield from self._whole(columns, shards)
            return
        counts = [_row_count(shard) for shard in shards]
        self.total_rows = sum(counts)
        if self.total_rows <= self.wanted:
            yield from self._whole(columns, shards)
            return
        starts = dict(zip(shards, _sums(counts), strict=True))
        chosen = _evenly(shards, min(1.0, _READ_PER_KEPT * self.wanted / self.total_rows))
        readable = sum(
            count for shard, count in zip(shards, counts, strict=True) if shard in chosen
        )
        part = min(1.0, self.wanted / max(readable, 1))
        self.share = 0.0  # of the rows that are read in the end
        pieces = 0
        for batch in self._whole(columns, chosen):
            count = batch.rows.columns.num_rows
            size = max(1, min(_PIECE_ROWS, count // _PIECES))
            for start in range(0, count, size):
                pieces += 1
                # Counted over all batches, so that what is rounded adds up.
                if math.floor(pieces * part + 0.5) > math.floor((pieces - 1) * part + 0.5):
                    yield _piece(batch, start, size, starts[Shard((batch.file,), 0)])

    def _whole(self, columns: list[str], shards: list[Shard]) -> Iterator[SampledRows]:
        """All rows of some shards."""
        position = 0
        for shard in shards:
            file = shard.files[0]
            try:
                for rows in self.reader.read(shard, columns):
                    yield SampledRows(rows, file, file, position)
                    position += rows.columns.num_rows
            except InputRefused as error:
                self.refused.append(str(error))


def _piece(batch: SampledRows, start: int, size: int, before: int) -> SampledRows:
    """Some rows of a batch; `before` are the rows of the files before its own."""
    rows = batch.rows
    lines = rows.lines[start : start + size]
    kept = dataclasses.replace(rows, columns=rows.columns.slice(start, size), lines=lines)
    return SampledRows(kept, batch.file, batch.place, before + int(lines[0]) - 1)


Item = TypeVar("Item")


def _evenly(items: list[Item], share: float) -> list[Item]:
    """An even share of the items, at least one: from the middle of every stretch."""
    wanted = max(1, round(len(items) * share))
    return [items[int((index + 0.5) * len(items) / wanted)] for index in range(wanted)]


def _sums(counts: Iterable[int]) -> list[int]:
    """What comes before each of the counts."""
    sums: list[int] = []
    total = 0
    for count in counts:
        sums.append(total)
        total += count
    return sums


def _row_count(shard: Shard) -> int:
    metadata = pyarrow.parquet.read_metadata(shard.files[0])
    return metadata.row_group(shard.part).num_rows
