"""A table of texts as lines of a terminal."""

from collections.abc import Iterator, Sequence

_GAP = "  "


def table_lines(table: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with columns below each other.

    Args:
        table: rows of cells, all of one length, the header first.
    """
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield _GAP.join(cells).rstrip()
