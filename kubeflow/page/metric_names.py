"""Names of metrics that every database behind Kubeflow Pipelines keeps, and keeps apart."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable

#: ML-Metadata keeps 255 bytes of a property's name, the release without it 128 characters.
MAXIMUM_CHARACTERS = 128
MAXIMUM_BYTES = 255
_DIGITS = 12


def metric_names(names: Iterable[str]) -> dict[str, str]:
    """Returns the name to record each metric under.

    A name stays as it is unless it is too long, or the database takes it for another one: MySQL's
    usual collation does not tell case, accents and blanks at the end apart. Such names are cut and
    get the first digits of a hash of the whole name, so that the same slice has the same name in
    every run with the same slices.

    Args:
        names: all of one artifact, each once.
    """
    names = list(names)
    alike = Counter(map(_as_compared, names))
    return {
        name: name if _fits(name) and alike[_as_compared(name)] == 1 else _with_hash(name)
        for name in names
    }


def _as_compared(name: str) -> str:
    """What a collation without accents and case makes of a name, or of more than it."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    base = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    # Older collations take all characters beyond the basic plane for one.
    plane = "".join(letter if ord(letter) < 0x10000 else "\ufffd" for letter in base)
    return unicodedata.normalize("NFKD", plane.casefold()).rstrip()


def _fits(name: str) -> bool:
    return len(name) <= MAXIMUM_CHARACTERS and len(name.encode()) <= MAXIMUM_BYTES


def _with_hash(name: str) -> str:
    mark = f"~{hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]}"
    kept = name[: MAXIMUM_CHARACTERS - len(mark)].encode()[: MAXIMUM_BYTES - len(mark)]
    return kept.decode(errors="ignore") + mark
