"""Times as instants: ISO 8601 texts with any offset, Arrow's timestamps and dates.

An instant is an int64: microseconds since 1970-01-01T00:00Z.
"""

import datetime
import zoneinfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_LOCAL, _UTC = pa.timestamp("us"), pa.timestamp("us", "UTC")

#: The same without the dashes of the date: 20240131.
_COMPACT_DATE = r"^(\d{4})(\d{2})(\d{2})([Tt ]|$)"
_PATTERN = (
    r"^(?P<date>\d{4}-\d{2})(?P<day>-\d{2})?"
    r"(?:[Tt ](?P<hour>\d{2})(?::?(?P<minute>\d{2})(?::?(?P<second>\d{2})"
    r"(?:[.,](?P<fraction>\d+))?)?)? ?(?P<zone>Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?)?$"
)

#: Clocks change on quarter hours.
_QUARTER = 900_000_000


def text_instants(text: pa.Array, time_zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Parses dates and times in ISO 8601.

    Args:
        text: ``(n,)`` string: ``2024-01-31``, ``20240131``, ``2024-01`` (its first day), with or
            without ``T23:30``, seconds, a fraction (beyond microseconds it is cut off) and an
            offset (``Z``, ``-05:00``).
        time_zone: of those without an offset.

    Returns:
        ``(n,)`` instants, and ``(n,)`` bool, which texts are no time (or null).
    """
    # Most logs have one form throughout, and no text in them must be taken apart.
    for kind in (_LOCAL, _UTC):
        try:
            parsed = pc.cast(text, kind)
        except pa.ArrowInvalid:
            continue
        return _instants(parsed, time_zone if kind is _LOCAL else "UTC")
    bare = pc.replace_substring_regex(
        pc.ascii_trim_whitespace(text), _COMPACT_DATE, r"\1-\2-\3\4", max_replacements=1
    )
    parts = pc.extract_regex(bare, _PATTERN)
    zone = pc.struct_field(parts, [6])
    local = pc.fill_null(pc.equal(zone, ""), True)
    plain = _canonical(parts)
    nothing = pa.scalar(None, pa.string())
    without, bad_local = _instants(
        _cast_what_can_be(pc.if_else(local, plain, nothing), _LOCAL), time_zone
    )
    zone = pc.replace_substring_regex(zone, r"^(z|UTC)$", "Z")
    moved = pc.binary_join_element_wise(plain, zone, "")
    with_zone, bad_zone = _instants(
        _cast_what_can_be(pc.if_else(local, nothing, moved), _UTC), "UTC"
    )
    return np.where(bad_zone, without, with_zone), bad_local & bad_zone


def column_instants(values: pa.Array, time_zone: str) -> tuple[np.ndarray, np.ndarray]:
    """As `text_instants`, for a column of timestamps or dates; only nulls are no time."""
    zone = "UTC" if getattr(values.type, "tz", None) else time_zone
    if pa.types.is_date64(values.type):
        values = pc.cast(values, pa.date32())
    return _instants(pc.cast(values, _LOCAL, safe=False), zone)


def instant(text: str, time_zone: str) -> int:
    """One instant; a year alone (``2024``) is its first day.

    Raises:
        ValueError: no such time.
    """
    whole = f"{text}-01-01" if text.isdigit() and len(text) == 4 else text
    (found,), (bad,) = text_instants(pa.array([whole], pa.string()), time_zone)
    if bad:
        raise ValueError(
            f"there is no such time: {text!r}; expected a date or a time in ISO 8601, for example "
            "2024-01-31 or 2024-01-31T18:00:00+01:00"
        )
    return int(found)


def show_instant(value: int) -> str:
    """An instant for people: ``2024-01-31T17:00:00Z``."""
    text = str(np.datetime64(value, "us"))
    return text.rstrip("0").rstrip(".") + "Z"


def _instants(times: pa.Array, time_zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Of timestamps in microseconds, those of a zone's clocks."""
    bad = times.is_null().to_numpy(zero_copy_only=False)
    found = pc.fill_null(pc.cast(times, pa.int64()), 0).to_numpy(zero_copy_only=False)
    if time_zone == "UTC":
        return found, bad
    quarters, place = np.unique(found // _QUARTER, return_inverse=True)
    zone = zoneinfo.ZoneInfo(time_zone)
    moved = [_offset(int(quarter) * _QUARTER, zone) for quarter in quarters]
    return found - np.array(moved, np.int64)[place], bad


def _offset(local: int, zone: zoneinfo.ZoneInfo) -> int:
    """Microseconds that a zone's clocks are ahead; of an hour that is there twice, the first."""
    moment = datetime.datetime(1970, 1, 1, tzinfo=zone) + datetime.timedelta(microseconds=local)
    ahead = moment.utcoffset()
    if ahead is None:
        raise ValueError(f"{zone} does not say how far its clocks are ahead")
    return ahead // datetime.timedelta(microseconds=1)


def _canonical(parts: pa.StructArray) -> pa.Array:
    """The parts as Arrow parses them: ``2024-01-31T23:30:00.5``."""

    def part(index: int, default: str) -> pa.Array:
        value = pc.struct_field(parts, [index])
        return pc.if_else(pc.equal(value, ""), default, value)

    fraction = pc.utf8_slice_codeunits(part(5, "0"), 0, 6)
    day = pc.binary_join_element_wise(pc.struct_field(parts, [0]), part(1, "-01"), "")
    clock = pc.binary_join_element_wise(part(2, "00"), part(3, "00"), part(4, "00"), ":")
    whole = pc.binary_join_element_wise(day, clock, "T")
    return pc.binary_join_element_wise(whole, fraction, ".")


def _cast_what_can_be(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """Casts texts of the right form; those that are no date (2024-02-30) become null."""
    try:
        return pc.cast(text, kind)
    except pa.ArrowInvalid:
        if len(text) == 1:
            return pa.nulls(1, kind)
        middle = len(text) // 2
        halves = [_cast_what_can_be(text[:middle], kind), _cast_what_can_be(text[middle:], kind)]
        return pa.concat_arrays(halves)
