"""Rows that are not taken over, and input that is refused whole."""

from dataclasses import dataclass

#: Reasons for which rows are malformed, and what a user can do about them.
NOT_IN_ENCODING = "not in its encoding"
NOT_UTF_8 = "not UTF-8"
OPEN_QUOTE = "quote is not closed"
UNKNOWN_DOMAIN = "unknown domain"
UNEQUAL_LENGTHS = "not as many values as its sequence has"
UNEQUAL_WEIGHTS = "not as many weights as values"
BAD_WEIGHT = "a weight that is negative or no number"
OTHER_SIZE = "a vector of another length"
NOT_FINITE = "a vector with what is no finite number"
NEGATIVE_WEIGHT = "negative weight"
MISSING_WEIGHT = "missing weight"
NO_TABLE_ROW = "key without a row in its table"
NOT_ABOVE_ZERO = "not above 0, and log_normal takes its logarithm"
REMEDIES = {
    NOT_IN_ENCODING: "where the log is not UTF-8, name its encoding: data.options: "
    "{encoding: latin-1}",
    OPEN_QUOTE: "where values hold line breaks and lines that look like rows, set data.options: "
    "{trust_quotes: true}",
    UNKNOWN_DOMAIN: "add the domains to domain.values, or gather all that are not listed in one "
    "domain with domain.other: NAME",
    UNEQUAL_LENGTHS: "the columns of a sequence of several features hold one value each per "
    "behaviour; write an empty text, or null in a list, where one is missing",
    UNEQUAL_WEIGHTS: "the columns of values and weights hold one of each; give a value that should "
    "not count the weight 0",
    BAD_WEIGHT: "a weight is 0 or above; give a value that should not count the weight 0, or leave "
    "'weights' and 'weight_mark' out",
    OTHER_SIZE: "the feature's 'size' says how many numbers each has; an empty list is a missing "
    "vector",
    NOT_FINITE: "write an empty list, or null, where there is no vector",
    NEGATIVE_WEIGHT: "a weight is what a row counts for, from 0 on: name another column in "
    "data.weight or tasks.*.weight, or leave such rows out by data.where",
    MISSING_WEIGHT: "a weight of 0 keeps a row and lets it count for nothing; rows that shall "
    "not be there at all are left out by data.where",
    NO_TABLE_ROW: "complete the table, or set missing_key of this data.join to keep: the table's "
    "columns are then missing",
    NOT_ABOVE_ZERO: "take loss: squared, or leave such rows out by data.where",
}


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


class NoRows(InputRefused):
    """There are files, but no rows in them."""
