"""Rows that are not taken over, and input that is refused whole."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rejection:
    """One malformed row.

    Attributes:
        file: path of the log.
        line: line of a text file; row number, from 1, of other files.
        column: column at fault, or None where it is the whole row.
        value: what stands there, as text.
        reason: few fixed words, by which rows are counted.
        hint: what the value looks like, and what to do about it; may be empty.
    """

    file: str
    line: int
    column: str | None
    value: str
    reason: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {self.column or 'row'}: {self.reason}: {self.value[:200]!r}{hint}"


class InputRefused(ValueError):
    """The input contradicts the data contract; the message names file, line, column, remedy."""
