"""First and last time of every split, of columns that look like times."""

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from mtlx.components.log_example_gen.splits.splitter import SPLITS

_NAME = re.compile(r"(^|_)(time|timestamp|datetime|date|ts|at)($|_)", re.IGNORECASE)
#: Unix times from 1975 to 2100 in seconds; other units are thousandfold.
_SECONDS = (1.5e8, 4.1e9)
_UNITS = (1.0, 1e3, 1e6, 1e9)
#: A column with a larger share of other values holds no times.
_MOST_MISSING = 0.1
#: Columns that are shown.
_MOST_COLUMNS = 2


def may_be_time(column: str) -> bool:
    """Whether a column is called like a time."""
    return _NAME.search(column) is not None


class TimeRanges:
    """Collects ranges batch by batch.

    Args:
        columns: that may hold times; one that does not is dropped.
    """

    def __init__(self, columns: Iterable[str]) -> None:
        self.columns = list(dict.fromkeys(columns))[:_MOST_COLUMNS]
        self._seconds: dict[str, list[np.ndarray]] = {column: [] for column in self.columns}

    def add(self, rows: pa.Table) -> None:
        """Takes a batch."""
        for column in list(self._seconds) if rows.num_rows else ():
            seconds = unix_seconds(rows[column])
            if np.isnan(seconds).mean() > _MOST_MISSING:
                del self._seconds[column]
            else:
                self._seconds[column].append(seconds)

    def found(self, split: np.ndarray) -> dict[str, dict[str, tuple[float, float]]]:
        """Seconds since 1970 of the first and the last row, by column and split.

        Args:
            split: of all rows of all batches ``(n,)``, indices into `SPLITS`.
        """
        found: dict[str, dict[str, tuple[float, float]]] = {}
        for column, batches in self._seconds.items():
            seconds = np.concatenate([np.zeros(0), *batches])
            for index, name in enumerate(SPLITS):
                chosen = seconds[(split == index) & ~np.isnan(seconds)]
                if chosen.size:
                    ends = float(chosen.min()), float(chosen.max())
                    found.setdefault(column, {})[name] = ends
        return found


def unix_seconds(column: pa.ChunkedArray) -> np.ndarray:
    """Times as seconds since 1970, ``(n,)`` float64; NaN for what is none."""
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return _of_dates(column.to_pandas())
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        # Not exactly: of nanoseconds a float64 keeps no single ones.
        return _of_numbers(column.cast(pa.float64(), safe=False).to_numpy())
    text = column.cast(pa.string()).to_pandas()
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(np.float64)
    if not np.isnan(numbers).all():
        return _of_numbers(numbers)
    return _of_dates(text)


def _of_numbers(numbers: np.ndarray) -> np.ndarray:
    for unit in _UNITS:
        low, high = (end * unit for end in _SECONDS)
        with np.errstate(invalid="ignore"):
            if ((numbers >= low) & (numbers <= high)).mean() > 0.9:
                return numbers / unit
    return np.full(len(numbers), np.nan)


def _of_dates(values: pd.Series) -> np.ndarray:
    times = pd.to_datetime(values, errors="coerce", utc=True)
    seconds = times.to_numpy("datetime64[ns]").astype(np.int64) / 1e9
    return np.where(times.isna(), np.nan, seconds)
