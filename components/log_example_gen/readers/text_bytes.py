"""Texts of any encoding as UTF-8 bytes."""

import codecs
from collections.abc import Callable
from typing import Annotated

import pydantic

from mtlx.components.log_example_gen.readers.files import Stream

#: Stands for bytes that have no character: half of a pair, which UTF-8 does not allow.
_NO_CHARACTER = "\udcff"

_ERRORS = "no_character"


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _NO_CHARACTER, error.end


codecs.register_error(_ERRORS, _replaced)


def _known(name: str) -> str:
    try:
        if "a,b\n".encode(name).decode(name) == "a,b\n":
            return name
    except (LookupError, ValueError):
        pass  # Both ways it is no encoding of texts, which is said below.
    raise ValueError("should be an encoding of text that Python knows, as utf-8, latin-1, utf-16")


#: Name of an encoding of texts.
Encoding = Annotated[str, pydantic.AfterValidator(_known)]


def utf8_reader(stream: Stream, encoding: str) -> Callable[[int], bytes]:
    """Returns what reads a stream as UTF-8.

    Bytes that `encoding` does not know become bytes that are no UTF-8 either, so that whoever
    checks the lines finds them.

    Args:
        stream: of bytes.
        encoding: of them.
    """
    if is_utf8(encoding):
        return stream.read
    decoder = codecs.getincrementaldecoder(encoding)(_ERRORS)

    def read(size: int) -> bytes:
        while True:
            # A character may become three bytes.
            data = stream.read(size // 3 + 1)
            text = decoder.decode(data, final=not data)
            if text or not data:
                return text.encode("utf-8", "surrogatepass")

    return read


def is_utf8(encoding: str) -> bool:
    """Whether the name is one of UTF-8's."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
