"""Ali-CCP: impressions of a shop's recommendations, as clicks and purchases."""

import dataclasses
import os
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.components.log_example_gen.joins.joined_table import JoinedTable, table_of
from mtlx.components.log_example_gen.readers.files import as_written, is_remote
from mtlx.components.log_example_gen.readers.reader import Reader, Rows, Shard
from mtlx.components.log_example_gen.readers.text_layout import TextLayout
from mtlx.components.log_example_gen.readers.text_table import read_text_table
from mtlx.components.log_example_gen.rejection import InputRefused, Rejection

#: Where the data set can be had.
ADDRESS = "https://tianchi.aliyun.com/dataset/408"

_SKELETON = ("sample_id", "click", "purchase", "common_id", "count", "features")
_COMMON = ("common_id", "count", "features")
#: Fields of the impressions themselves, and of what several of a user's impressions share.
_OWN_FIELDS = ("205", "206", "207", "210", "216", "508", "509", "702", "853", "301")
_COMMON_FIELDS = (
    "101", "109_14", "110_14", "127_14", "150_14", "121", "122", "124", "125", "126", "127", "128",
    "129",
)  # fmt: skip
#: Fields of which a row may have many values; AITM's code leaves these out.
_SEVERAL = ("109_14", "110_14", "127_14", "150_14", "210")
#: Files that AITM's public code makes of the raw ones, and their columns.
_MADE = ("ctr_cvr.train", "ctr_cvr.dev", "ctr_cvr.test")
_MADE_COLUMNS = (
    "click", "purchase", "101", "121", "122", "124", "125", "126", "127", "128", "129", "205",
    "206", "207", "216", "508", "509", "702", "853", "301",
)  # fmt: skip
_IMPOSSIBLE = "purchase without click"


class AliCCP(Reader):
    """Impressions joined with what a user's impressions have in common.

    ``path`` is the folder with the raw files, ``sample_skeleton_train.csv``,
    ``common_features_train.csv`` and both for test; or with ``ctr_cvr.train``, ``ctr_cvr.dev`` and
    ``ctr_cvr.test``, which AITM's public code makes of them. Gives the labels ``click`` and
    ``purchase`` (on all impressions) and the fields by their numbers, ``101``, ``205`` and so on.

    Of the raw files a field has the id that stands last in its row, as in AITM's code; of
    ``109_14``, ``110_14``, ``127_14``, ``150_14`` and ``210`` all ids, ``a|b|c``, and
    ``109_14.weights`` has their values, ``1.5|0.7|1.0``. Rows with a purchase and no click, which
    AITM's code leaves out, are malformed, and so are those whose common features are missing.
    """

    address = ADDRESS
    alternatives = True

    def patterns(self, path: str) -> list[str]:
        """The raw files, or those of AITM's code."""
        folder = path if is_remote(path) else as_written(path)
        raw = [name for part in ("train", "test") for name in _raw(part)]
        return [os.path.join(folder, name) for name in (*raw, *_MADE)]

    def shards(self, files: list[str]) -> list[Shard]:
        """Training and test; of AITM's files three."""
        folder = os.path.dirname(files[0])
        names = {os.path.basename(file) for file in files}
        wanted: list[tuple[str, ...]] = [_raw("train"), _raw("test")]
        if not any(name in names for pair in wanted for name in pair):
            wanted = [(name,) for name in _MADE]
        for name in (name for group in wanted for name in group):
            if name not in names:
                raise InputRefused(
                    f"{folder}: {name} is missing; get Ali-CCP from {ADDRESS} and unpack it there"
                )
        return [Shard(tuple(os.path.join(folder, name) for name in group)) for group in wanted]

    def read(self, shard: Shard, columns: list[str]) -> Iterator[Rows]:
        """See `Reader.read`; lines are those of the impressions' file."""
        file = shard.files[0]
        if len(shard.files) == 1:
            self.check_columns(file, columns, _MADE_COLUMNS)
            yield from self._made(file, columns)
            return
        weights = [f"{field}.weights" for field in _SEVERAL]
        fields = [*_OWN_FIELDS, *_COMMON_FIELDS, *weights]
        self.check_columns(file, columns, ["click", "purchase", *fields])
        common = [c for c in columns if c.partition(".")[0] in _COMMON_FIELDS]
        own = [c for c in columns if c.partition(".")[0] in _OWN_FIELDS]
        table, read = self._common(shard.files[1], common)
        layout = TextLayout(",", _SKELETON, quoted=False)
        wanted = ["click", "purchase", "common_id", "features"]
        for rows in read_text_table(file, lambda: self.open(file), wanted, layout):
            values = {
                **_fields(rows.columns["features"], own),
                **{name: rows.columns[name] for name in ("click", "purchase", "common_id")},
            }
            found = table.find(values["common_id"], file)
            taken = table.take(found)
            values |= {name: taken[name] for name in common}
            kept = list(dict.fromkeys([*columns, "common_id"]))
            lacking = {"common_id": found < 0} if (found < 0).any() else {}
            joined = dataclasses.replace(
                rows,
                columns=pa.table({name: values[name] for name in (*kept, "click", "purchase")}),
                unjoined=lacking,
                read=rows.counted + read,
                aside={**rows.aside, **({"joined": read} if read else {})},
            )
            read = 0  # What is common is told with the first impressions.
            yield _possible(joined, file, kept)

    def _made(self, file: str, columns: list[str]) -> Iterator[Rows]:
        """A file of AITM's code; one that was cut may have lost its header."""
        with self.open(file) as stream:
            has_header = stream.read(len("click,")) == b"click,"
        layout = TextLayout(",", None if has_header else _MADE_COLUMNS, quoted=False)
        yield from read_text_table(file, lambda: self.open(file), columns, layout)

    def _common(self, file: str, columns: list[str]) -> tuple[JoinedTable, int]:
        """What impressions have in common, by its id, and how many lines it has."""
        layout, parts, read = TextLayout(",", _COMMON, quoted=False), [], 0
        for rows in read_text_table(
            file, lambda: self.open(file), ["common_id", "features"], layout
        ):
            found = _fields(rows.columns["features"], columns)
            table = pa.table({"common_id": rows.columns["common_id"], **found})
            parts.append(dataclasses.replace(rows, columns=table))
            read += rows.counted
        if not parts:
            raise InputRefused(f"{file}: is empty; get Ali-CCP from {ADDRESS}")
        return table_of([(file, parts)], "common_id", columns), read


def _raw(part: str) -> tuple[str, str]:
    return f"sample_skeleton_{part}.csv", f"common_features_{part}.csv"


def _fields(features: pa.ChunkedArray, columns: list[str]) -> dict[str, pa.Array]:
    """Fields out of texts of ``field 0x02 id 0x03 value``, with 0x01 between."""
    lists = pc.split_pattern(pc.fill_null(features.combine_chunks(), ""), "\x01")
    rows = len(lists)
    row = np.repeat(np.arange(rows), np.diff(lists.offsets.to_numpy()))
    parts = pc.extract_regex(
        lists.flatten(), "^(?P<field>[^\x02]*)\x02(?P<id>[^\x03]*)\x03?(?P<value>.*)$"
    )
    field, ids, values = (pc.struct_field(parts, [place]) for place in range(3))
    found = {}
    for column in columns:
        name, _, weights = column.partition(".")
        here = pc.fill_null(pc.equal(field, name), False)
        counts = np.bincount(row[here.to_numpy(zero_copy_only=False)], minlength=rows)
        ends = np.cumsum(counts)
        own = (values if weights else ids).filter(here)
        if name in _SEVERAL:
            offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32))
            found[column] = pc.binary_join(pa.ListArray.from_arrays(offsets, own), "|")
        else:
            found[column] = own.take(pa.array(ends - 1, mask=counts == 0))
    return found


def _possible(rows: Rows, file: str, columns: list[str]) -> Rows:
    """Rows without those that have a purchase and no click, which are rejected."""
    click, purchase = (
        pc.equal(pc.utf8_trim_whitespace(rows.columns[name]), value)
        for name, value in (("click", "0"), ("purchase", "1"))
    )
    wrong = pc.fill_null(pc.and_(click, purchase), False).to_numpy()
    table = rows.columns.select(columns)
    if not wrong.any():
        return dataclasses.replace(rows, columns=table)
    rejected = [
        Rejection(file, int(line), "purchase", "1", _IMPOSSIBLE) for line in rows.lines[wrong]
    ]
    return dataclasses.replace(
        rows,
        columns=table.filter(pa.array(~wrong)),
        lines=rows.lines[~wrong],
        unjoined={name: lacking[~wrong] for name, lacking in rows.unjoined.items()},
        rejected=[*rows.rejected, *rejected],
    )
