"""How delimited text is written."""

from dataclasses import dataclass
from typing import Annotated

import pydantic


def _one_byte(delimiter: str) -> str:
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise ValueError("should be one ASCII character that is neither a quote nor a line break")
    return delimiter


#: What stands between values.
Delimiter = Annotated[str, pydantic.AfterValidator(_one_byte)]


@dataclass(frozen=True)
class TextLayout:
    """How delimited text is written.

    Attributes:
        delimiter: one ASCII character.
        names: of the columns; None where the first line holds them.
        quoted: values may stand in double quotes.
        trust_quotes: values may hold lines that look like rows, see `RecordSplitter`.
        encoding: of the text.
    """

    delimiter: str
    names: tuple[str, ...] | None = None
    quoted: bool = True
    trust_quotes: bool = False
    encoding: str = "utf-8"
