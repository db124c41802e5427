"""Files that are damaged in a few places."""

import random
from dataclasses import dataclass, field

#: What is put in, besides random bytes.
TOKENS = (
    b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xe9", b"\xff\xfe", b"\xef\xbb\xbf", b";",
    b"\t", b"'", b"\\", b" ", b"1e400", b"-", b"nan", b"\n\n", b'",', b',"', b"\x85",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One file.

    Attributes:
        name: of the file.
        data: its bytes.
        whole: lines (without line break) that were rows by themselves before the damage.
        delimiter: between the values.
    """

    name: str
    data: bytes
    whole: frozenset[bytes] = field(default_factory=frozenset)
    delimiter: str = ","


def damaged(draw: random.Random, data: bytes, tokens: tuple[bytes, ...]) -> bytes:
    """Changes a few places; one file of twenty stays as it is."""
    changed = bytearray(data)
    for _ in range(draw.choice((0, 1, 1, 1, 2, 2, 3, 4, 8, 16)) if draw.random() > 0.05 else 0):
        place = draw.randrange(len(changed) + 1) if draw.random() < 0.8 else draw.randrange(100)
        length = draw.choice((1, 1, 2, 4, 30, 300))
        kind = draw.randrange(7)
        if kind <= 1:
            changed[place:place] = draw.choice(tokens)
        elif kind == 2:
            changed[place : place + 1] = draw.choice(tokens)
        elif kind == 3 and place < len(changed):
            changed[place] ^= 1 << draw.randrange(8)
        elif kind == 4:
            del changed[place : place + length]
        elif kind == 5:
            changed[place:place] = changed[place : place + length]
        elif draw.random() < 0.2:
            del changed[place:]
        else:
            changed[place:place] = draw.randbytes(length)
    return bytes(changed)


def quoted(value: str, delimiter: str, always: bool) -> str:
    """A value of CSV, in quotes where it needs them, or always."""
    if always or any(mark in value for mark in (delimiter, '"', "\n")):
        return '"' + value.replace('"', '""') + '"'
    return value
