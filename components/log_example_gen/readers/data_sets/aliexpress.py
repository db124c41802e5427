"""AliExpress's search logs of one country, as clicks and purchases."""

import dataclasses
import os
from collections.abc import Iterator
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.joins.joined_table import JoinedTable, table_of
from mtlx.components.log_example_gen.readers.files import as_written, is_remote
from mtlx.components.log_example_gen.readers.reader import Reader, Rows, Shard
from mtlx.components.log_example_gen.readers.text_layout import TextLayout
from mtlx.components.log_example_gen.readers.text_table import read_text_table
from mtlx.components.log_example_gen.rejection import InputRefused

#: Where the data set can be had.
ADDRESS = "https://tianchi.aliyun.com/dataset/74690"

_USER = tuple(f"user_{place}" for place in range(1, 34))
_ITEM = tuple(f"item_{place}" for place in range(1, 50))
#: Of both files the first column is the search's id, by which they are joined.
_KEY = {"user": "user_1", "item": "item_1"}
_FEEDBACK = "item_49"
#: As MTReclib's public code has them: which columns are categories, in this order.
_CATEGORIES = (
    *(f"user_{place}" for place in (*range(2, 9), 32, 33)),
    *(f"item_{place}" for place in (19, 34, 35, 36, 40, 41, 42)),
)
_NUMBERS = (
    *(f"user_{place}" for place in range(9, 32)),
    *(f"item_{place}" for place in range(2, 49) if f"item_{place}" not in _CATEGORIES),
)
#: Columns as they are called, and what they are in the raw files.
COLUMNS = (
    {"search_id": "item_1"}
    | {f"categorical_{place}": name for place, name in enumerate(_CATEGORIES, 1)}
    | {f"numerical_{place}": name for place, name in enumerate(_NUMBERS, 1)}
    | {"click": _FEEDBACK, "conversion": _FEEDBACK}
)
#: 0 was shown, 1 clicked, 2 bought.
_LABELS = {"click": {"0": "0", "1": "1", "2": "1"}, "conversion": {"0": "0", "1": "0", "2": "1"}}


class AliExpress(Reader):
    """Search results joined with their users and queries.

    ``path`` is the folder with the raw files of a country, unpacked (``nl_item_train.csv``,
    ``nl_user_train.csv``, and both for test), or with ``train.csv`` and ``test.csv``, which
    MTReclib's public code makes of them. Gives ``search_id``, ``categorical_1`` to
    ``categorical_16``, ``numerical_1`` to ``numerical_63`` and the labels ``click`` and
    ``conversion``, both on all that was shown. An item whose search has no user's row is malformed.

    Args:
        country: of the raw files.
    """

    address = ADDRESS
    alternatives = True

    def __init__(self, *, country: Literal["nl", "es", "fr", "us", "ru"] = "nl") -> None:
        self._country = country

    def patterns(self, path: str) -> list[str]:
        """The raw files, or those of MTReclib."""
        folder = path if is_remote(path) else as_written(path)
        names = [
            f"{self._country}_{kind}_{part}.csv"
            for part in ("train", "test")
            for kind in ("item", "user")
        ]
        return [os.path.join(folder, name) for name in (*names, "train.csv", "test.csv")]

    def shards(self, files: list[str]) -> list[Shard]:
        """Two: training and test, of the raw files where both are there."""
        folder, shards = os.path.dirname(files[0]), []
        for part in ("train", "test"):
            raw = [
                os.path.join(folder, f"{self._country}_{kind}_{part}.csv")
                for kind in ("item", "user")
            ]
            made = os.path.join(folder, f"{part}.csv")
            if set(raw) <= set(files):
                shards.append(Shard(tuple(raw)))
            elif made in files and not set(raw) & set(files):
                shards.append(Shard((made,)))
            else:
                lacking = [os.path.basename(file) for file in raw if file not in files]
                raise InputRefused(
                    f"{folder}: {lacking[0]} is missing; get AliExpress from {ADDRESS} and unpack "
                    "the four files of the country there"
                )
        return shards

    def read(self, shard: Shard, columns: list[str]) -> Iterator[Rows]:
        """See `Reader.read`; lines are those of the items' file."""
        file = shard.files[0]
        self.check_columns(file, columns, COLUMNS)
        if len(shard.files) == 1:
            layout = TextLayout(",")
            yield from read_text_table(file, lambda: self.open(file), columns, layout)
            return
        sources = {column: COLUMNS[column] for column in columns}
        users = list(dict.fromkeys(s for s in sources.values() if s.startswith("user_")))
        items = [s for s in sources.values() if s.startswith("item_")]
        table, read = self._users(shard.files[1], users)
        wanted = list(dict.fromkeys([_KEY["item"], *items]))
        layout = TextLayout(",", _ITEM, quoted=False)
        for rows in read_text_table(file, lambda: self.open(file), wanted, layout):
            yield _joined(rows, table, sources, file, read)
            read = 0  # The users are told with the first of the items.

    def _users(self, file: str, columns: list[str]) -> tuple[JoinedTable, int]:
        """The table of users and queries, and how many lines it has."""
        layout = TextLayout(",", _USER, quoted=False)
        wanted = list(dict.fromkeys([_KEY["user"], *columns]))
        batches = list(read_text_table(file, lambda: self.open(file), wanted, layout))
        if not batches:
            raise InputRefused(f"{file}: is empty; get AliExpress from {ADDRESS}")
        read = sum(batch.counted for batch in batches)
        return table_of([(file, batches)], _KEY["user"], columns), read


def _joined(
    rows: Rows, users: JoinedTable, sources: dict[str, str], file: str, users_read: int
) -> Rows:
    """Rows under the names and with the labels that they are asked for."""
    found = users.find(rows.columns[_KEY["item"]], file)
    both = {name: rows.columns[name] for name in rows.columns.column_names}
    taken = users.take(found)
    both |= {name: taken[name] for name in taken.column_names}
    values = {
        column: _label(both[source], _LABELS[column]) if column in _LABELS else both[source]
        for column, source in sources.items()
    }
    values.setdefault("search_id", both[_KEY["item"]])
    aside = dict(rows.aside)
    if users_read:
        aside["joined"] = aside.get("joined", 0) + users_read
    lacking = found < 0
    return dataclasses.replace(
        rows,
        columns=pa.table(values),
        read=rows.counted + users_read,
        aside=aside,
        unjoined={"search_id": lacking} if lacking.any() else {},
    )


def _label(column: pa.ChunkedArray, labels: dict[str, str]) -> pa.ChunkedArray:
    """Labels as text; a value that has none stays as it is, to be refused with its line."""
    text = pc.utf8_trim_whitespace(column)
    index = pc.index_in(text, value_set=pa.array(list(labels)))
    return pc.coalesce(pc.take(pa.array(list(labels.values())), index), text)
