"""MovieLens-1M, in its official layout, as clicks and likes in three domains."""

import io
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from mtlx.components.log_example_gen.readers.files import as_written, is_remote
from mtlx.components.log_example_gen.readers.reader import Reader, Rows, Shard
from mtlx.components.log_example_gen.readers.text_bytes import Encoding, utf8_reader
from mtlx.components.log_example_gen.readers.text_layout import TextLayout
from mtlx.components.log_example_gen.readers.text_table import read_text_table
from mtlx.components.log_example_gen.rejection import InputRefused, Rejection

#: Where the data set can be had.
ADDRESS = "https://grouplens.org/datasets/movielens/1m/"

#: Domain by the age code of users.dat (M3oE's public code).
DOMAINS = {1: "under_25", 18: "under_25", 25: "25_34"} | dict.fromkeys(
    (35, 45, 50, 56), "35_and_over"
)

_LAYOUT = {
    "ratings.dat": ["user_id", "movie_id", "rating", "timestamp"],
    "users.dat": ["user_id", "gender", "age", "occupation", "zip"],
    "movies.dat": ["movie_id", "title", "genres"],
}
#: Columns of users.dat and movies.dat by which ratings are joined: each value stands there once.
_KEYS = {"users.dat": "user_id", "movies.dat": "movie_id"}
_INTEGERS = ("user_id", "movie_id", "rating", "timestamp", "age", "occupation")
_BATCH_ROWS = 131_072
_READ_BYTES = 1 << 20

#: What `zipfile` raises where an archive is damaged, encrypted or packed in an unknown way.
_ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError
)  # fmt: skip


class MovieLens1M(Reader):
    """Ratings joined with their users and movies.

    ``path`` is the folder with ``ratings.dat``, ``users.dat`` and ``movies.dat``, or with
    ``ml-1m.zip``. Gives their columns, ``genre`` (the first of a movie's), ``domain`` (by the
    user's age: under_25, 25_34, 35_and_over) and the labels ``click`` (rating > 3) and ``like``
    (rating > 4), as M3oE's public code has them.

    Args:
        encoding: of the text.
        order: ``file``, as in ratings.dat; or ``m3oe``, the order of M3oE's released table, on
            which its positional split rests: users in the order in which they appear when the
            ratings are listed movie by movie, movies in the order of their first rating; all of a
            user's ratings together, by movie. The last tenth of the rows is then of users who
            are not among the first eight tenths.
    """

    address = ADDRESS
    alternatives = True

    def __init__(
        self, *, order: Literal["file", "m3oe"] = "file", encoding: Encoding = "latin-1"
    ) -> None:
        self.order, self._encoding = order, encoding

    def patterns(self, path: str) -> list[str]:
        """The zip file, or the three files."""
        folder = path if is_remote(path) else as_written(path)
        return [os.path.join(folder, name) for name in ("ml-1m.zip", *_LAYOUT)]

    def shards(self, files: list[str]) -> list[Shard]:
        """One: the ratings are ordered and joined as a whole."""
        names = {os.path.basename(file) for file in files}
        lacking = [name for name in _LAYOUT if name not in names]
        if lacking and not any(name.endswith(".zip") for name in names):
            raise _lacks(lacking[0], files)
        return [Shard(tuple(files))]

    def read(self, shard: Shard, columns: list[str]) -> Iterator[Rows]:
        """See `Reader.read`; lines are those of ratings.dat."""
        found = _Found()
        tables = {name: self._table(name, shard.files, found) for name in _LAYOUT}
        ratings = tables["ratings.dat"]
        if self.order == "m3oe":
            ratings = _m3oe_order(ratings)
        users, movies = tables["users.dat"], tables["movies.dat"]
        found.aside["joined"] += len(users) + len(movies)
        log = ratings.merge(users.drop(columns="line"), on="user_id", how="left")
        log = log.merge(movies.drop(columns="line"), on="movie_id", how="left")
        log["genre"] = log["genres"].str.split("|").str[0]
        log["domain"] = log["age"].map(DOMAINS)
        log["click"] = (log["rating"] > 3).astype(np.int64)
        log["like"] = (log["rating"] > 4).astype(np.int64)
        self.check_columns(shard.files[0], columns, log.columns)
        for start in range(0, max(len(log), 1), _BATCH_ROWS):
            part = log.iloc[start : start + _BATCH_ROWS]
            rows = Rows(
                pa.Table.from_pandas(part[columns], preserve_index=False), part["line"].to_numpy()
            )
            if start == 0:
                # What is no rating is told with the first of them.
                others = found.read - len(log)
                rows.rejected, rows.aside = found.rejected, dict(found.aside)
                rows.read = len(part) + others
            yield rows

    def _table(self, name: str, files: tuple[str, ...], found: "_Found") -> pd.DataFrame:
        """Parses one of the three files, from the zip or beside it; adds the column ``line``."""
        file = os.path.join(os.path.dirname(files[0]), name)
        read, parts = utf8_reader(io.BytesIO(self._bytes(name, files)), self._encoding), []
        while part := read(_READ_BYTES):
            parts.append(part)
        # Arrow parses one-character separators; no file holds a tab.
        data = b"".join(parts).replace(b"::", b"\t")
        names = _LAYOUT[name]
        layout = TextLayout("\t", tuple(names), quoted=False)
        batches = list(read_text_table(file, lambda: io.BytesIO(data), names, layout))
        if not batches:
            raise InputRefused(f"{file}: is empty; get MovieLens-1M from {ADDRESS}")
        for batch in batches:
            found.read += batch.counted
            found.rejected += batch.rejected
            found.aside.update(batch.aside)
        table = pa.concat_tables([batch.columns for batch in batches]).to_pandas()
        table["line"] = np.concatenate([batch.lines for batch in batches])
        table = _with_integers(table, file, found.rejected)
        return _once(table, _KEYS[name], file, found.rejected) if name in _KEYS else table

    def _bytes(self, name: str, files: tuple[str, ...]) -> bytes:
        for file in files:
            if os.path.basename(file) == name:
                try:
                    with self.open(file) as stream:
                        return stream.read()
                except (OSError, EOFError, zlib.error) as error:
                    raise InputRefused(
                        f"{file}: cannot be read ({error}); get it again from {ADDRESS}"
                    ) from error
        for file in files:
            if file.endswith(".zip"):
                try:
                    with self.open(file) as stream, zipfile.ZipFile(stream) as archive:
                        members = [m for m in archive.namelist() if os.path.basename(m) == name]
                        if members:
                            return archive.read(members[0])
                except _ZIP_ERRORS as error:
                    raise InputRefused(
                        f"{file}: cannot be unpacked ({error}); get it again from {ADDRESS}"
                    ) from error
        raise _lacks(name, files)


def _lacks(name: str, files: Sequence[str]) -> InputRefused:
    return InputRefused(
        f"{os.path.dirname(files[0])}: {name} is missing; get MovieLens-1M from {ADDRESS} and "
        "unpack it there"
    )


@dataclass
class _Found:
    """What the three files hold beside the ratings."""

    read: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    aside: Counter[str] = field(default_factory=Counter)


def _with_integers(table: pd.DataFrame, file: str, rejected: list[Rejection]) -> pd.DataFrame:
    """Converts the columns of integers; rows with something else are rejected."""
    for column in (name for name in _INTEGERS if name in table.columns):
        numbers = pd.to_numeric(table[column], errors="coerce").astype(np.float64)
        # Above 2^53 a float64 does not hold every integer.
        wrong = ~((numbers % 1 == 0) & (numbers.abs() < 2**53))
        table = _without(table, wrong, column, file, "not a number", rejected)
        table = table.assign(**{column: numbers[~wrong].astype(np.int64)})
    return table


def _once(table: pd.DataFrame, key: str, file: str, rejected: list[Rejection]) -> pd.DataFrame:
    """Rejects rows whose key stood there before: ratings joined with them would double."""
    return _without(table, table.duplicated(key), key, file, "stands there twice", rejected)


def _without(
    table: pd.DataFrame,
    wrong: pd.Series,
    column: str,
    file: str,
    reason: str,
    rejected: list[Rejection],
) -> pd.DataFrame:
    if not wrong.any():
        return table
    rejected += [
        Rejection(file, int(line), column, str(value), reason)
        for line, value in table.loc[wrong, ["line", column]].itertuples(index=False)
    ]
    return table[~wrong]


def _m3oe_order(ratings: pd.DataFrame) -> pd.DataFrame:
    """Orders ratings as M3oE's released table has them."""
    movie_rank = pd.factorize(ratings["movie_id"])[0]
    by_movie = ratings.iloc[np.argsort(movie_rank, kind="stable")]
    users = pd.unique(by_movie["user_id"])
    user_rank = pd.Series(np.arange(len(users)), index=users)[ratings["user_id"]].to_numpy()
    return ratings.iloc[np.lexsort((movie_rank, user_rank))]
