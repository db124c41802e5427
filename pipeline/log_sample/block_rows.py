"""The rows of a block of text, by the run's own reader."""

import dataclasses
import os
import tempfile
from collections.abc import Iterator

from mtlx.components.log_example_gen.readers.reader import Reader, Rows, Shard
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.pipeline.log_sample.text_blocks import TextBlock


def block_rows(reader: Reader, file: str, block: TextBlock, columns: list[str]) -> Iterator[Rows]:
    """Reads a block as if it were a file.

    Args:
        reader: the run's reader.
        file: that the block was cut out of, for messages.
        block: header and lines; its rows are numbered as in the file only if it is the first.
        columns: that are wanted.

    Raises:
        InputRefused: as `Reader.read` does; the message names the file, not the block's own.
    """
    place = block_place(file, block)
    with tempfile.TemporaryDirectory(prefix="mtlx-check-") as folder:
        copy = os.path.join(folder, "block.txt")
        with open(copy, "wb") as stream:
            stream.write(block.data)
        try:
            for rows in reader.read(Shard((copy,)), columns):
                rejected = [dataclasses.replace(one, file=place) for one in rows.rejected]
                yield dataclasses.replace(rows, rejected=rejected)
        except InputRefused as error:
            raise InputRefused(str(error).replace(copy, place)) from error


def block_place(file: str, block: TextBlock) -> str:
    """A block for messages; lines are counted from its first."""
    return file if block.first else f"{file} (from byte {block.start:,} on)"
