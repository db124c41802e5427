"""Assigns rows to splits by time."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import TimeSplit
from mtlx.components.log_example_gen.values.column_text import column_text
from mtlx.components.log_example_gen.values.instants import (
    column_instants,
    instant,
    show_instant,
    text_instants,
)
from mtlx.components.log_example_gen.values.numbers import NUMBER
from mtlx.components.log_example_gen.values.unix_time import UNITS, fold, unit, units


@dataclass(frozen=True)
class Times:
    """The times of a batch.

    Attributes:
        values: ``(n,)`` instants (see `mtlx.components.log_example_gen.values.instants`), or
            numbers: int64 where they are whole, which double precision would round.
        bad: ``(n,)`` bool, rows without a time.
        problem: says of a bad row's value, as text, what it is.
    """

    values: np.ndarray
    bad: np.ndarray
    problem: Callable[[str], str]


class TimeColumn:
    """Reads the column of a split by time.

    Args:
        split: the settings.
    """

    def __init__(self, split: TimeSplit) -> None:
        self._split = split
        self._by_instants = isinstance(split.test_from, str)

    def boundaries(self) -> tuple[int | float | None, int | float]:
        """`validation_from` and `test_from`, comparable with `Times.values`."""
        begin = self._split.validation_from
        return None if begin is None else self._comparable(begin), self._test_from

    def _comparable(self, boundary: int | float | str) -> int | float:
        return instant(boundary, self._split.time_zone) if isinstance(boundary, str) else boundary

    @property
    def _test_from(self) -> int | float:
        return self._comparable(self._split.test_from)

    def show(self, value: int | float) -> str:
        """A time for people."""
        if self._by_instants:
            return show_instant(int(value))
        return str(int(value)) if float(value).is_integer() else f"{value:.15g}"

    def read(self, column: pa.ChunkedArray, place: str) -> Times:
        """Reads a batch.

        Args:
            column: of any type.
            place: file and line, for messages.

        Raises:
            InputRefused: the column's times are of another kind than the boundary: text where it
                is a number, numbers where it is text, or numbers in another unit.
        """
        values = column.combine_chunks()
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        kind = values.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            if not self._by_instants:
                raise self._refused(place, f"holds values of type {kind}", _AS_TEXT)
            return Times(*column_instants(values, self._split.time_zone), _no_time)
        if _is_text(kind):
            return self._of_texts(column_text(values).text, place)
        if not pa.types.is_null(kind) and not _is_number(kind):
            raise self._refused(place, f"holds values of type {kind}", "that is no time")
        if self._by_instants:
            if pa.types.is_null(kind):
                return Times(np.zeros(len(values), np.int64), np.ones(len(values), bool), _no_time)
            raise self._refused(place, f"holds numbers of type {kind}", _AS_NUMBER)
        return self._checked_units(_numbers(values), place)

    def _of_texts(self, text: pa.Array, place: str) -> Times:
        given = text.filter(pc.not_equal(pc.ascii_trim_whitespace(text), ""))
        if self._by_instants:
            instants, bad = text_instants(text, self._split.time_zone)
            if bad.all() and len(given) and not _numbers(given).bad.any():
                raise self._refused(place, f"holds numbers ({given[0].as_py()!r})", _AS_NUMBER)
            return Times(instants, bad, _no_time)
        numbers = _numbers(text)
        if numbers.bad.all() and len(given):
            _, no_time = text_instants(given, self._split.time_zone)
            if not no_time.any():
                raise self._refused(place, f"holds times as text ({given[0].as_py()!r})", _AS_TEXT)
        return self._checked_units(numbers, place)

    def _checked_units(self, times: Times, place: str) -> Times:
        """Unix times in another unit than the boundary's are no times of this split."""
        boundary = unit(self._test_from)
        if boundary is None:
            return times
        found = units(times.values)
        other = ~times.bad & (found >= 0) & (found != boundary)
        if not other.any():
            return times
        if other[~times.bad].all():
            low, high = times.values[other].min(), times.values[other].max()
            raise self._refused(
                place,
                f"holds values that lie {fold(found[other][0], boundary)} the boundary, from "
                f"{self.show(low)} to {self.show(high)}",
                f"the boundary seems to be in {UNITS[boundary]}, and the column in "
                f"{UNITS[found[other][0]]}; write the boundary in {UNITS[found[other][0]]} too",
            )

        def problem(text: str) -> str:
            in_unit = unit(float(text)) if re.fullmatch(NUMBER, text.strip()) else None
            if in_unit is None or in_unit == boundary:
                return _no_time(text)
            return (
                f"it lies {fold(in_unit, boundary)} data.split.test_from: it seems to be in "
                f"{UNITS[in_unit]}, and the boundary in {UNITS[boundary]}"
            )

        return Times(times.values, times.bad | other, problem)

    def _refused(self, place: str, found: str, remedy: str) -> InputRefused:
        return InputRefused(
            f"{place}: column {self._split.column!r} of data.split {found}, and test_from is "
            f"{self._split.test_from!r}: {remedy}"
        )


_AS_TEXT = "write the boundaries as text, for example '2024-01-31' or '2024-01-31T18:00:00+01:00'"
_AS_NUMBER = "write the boundaries as numbers, in the unit of the column"


def _no_time(text: str) -> str:
    return "expected a time like those of data.split"


def _is_text(kind: pa.DataType) -> bool:
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _numbers(values: pa.Array) -> Times:
    """Numbers, or texts with numbers; int64 if they are whole."""
    try:
        number = pc.cast(values, pa.int64())
    except pa.ArrowInvalid:
        if _is_text(values.type):
            bare = pc.ascii_trim_whitespace(values)
            bare = pc.if_else(
                pc.match_substring_regex(bare, NUMBER), bare, pa.scalar(None, bare.type)
            )
            bare = pc.replace_substring_regex(bare, r"^\+", "")
            try:
                number = pc.cast(bare, pa.int64())
            except pa.ArrowInvalid:
                number = pc.cast(bare, pa.float64())
        else:
            number = pc.cast(values, pa.float64(), safe=False)
    bad = number.is_null().to_numpy(zero_copy_only=False)
    found = pc.fill_null(number, 0).to_numpy(zero_copy_only=False)
    if found.dtype.kind == "f":
        bad = bad | ~np.isfinite(found)
        found = np.where(bad, 0.0, found)
    return Times(found, bad, _no_time)
