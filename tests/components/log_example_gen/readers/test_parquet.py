"""Parquet as others write it, and damaged."""

import decimal
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.parquet_process import ParquetProcess
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.row_checks import RowChecks
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {
            "item": {"kind": "categorical"},
            "price": {"kind": "numeric"},
            "seq": {"kind": "sequence", "of": "item"},
        },
        "tasks": {"click": {"label": "click"}},
    }
)
RIGHT = {"item": ["5", "7"], "price": [1.0, 2.0], "seq": [["5"], []], "click": [0, 1]}


def _write(path, table=None, **options):
    pq.write_table(pa.table(RIGHT) if table is None else table, path, **options)
    return str(path)


def _read(file, columns):
    reader = READERS.build("parquet", {})
    batches = [rows for shard in reader.shards([file]) for rows in reader.read(shard, columns)]
    return pa.concat_tables([rows.columns for rows in batches]).to_pydict()


def _examples(file):
    """Checked rows of all shards, as Python values."""
    reader, checks = READERS.build("parquet", {}), RowChecks(CONTRACT)
    found = [
        checks.check(rows, file).examples
        for shard in reader.shards([file])
        for rows in reader.read(shard, checks.columns())
    ]
    return pa.Table.from_batches(found).to_pydict()


EXPECTED = {
    "item": [[b"5"], [b"7"]],
    "price": [[1.0], [2.0]],
    "seq": [[b"5"], []],
    "click": [[0], [1]],
}


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "brotli", "lz4"])
def test_every_compression(tmp_path, compression):
    file = _write(tmp_path / "a.parquet", compression=compression, data_page_version="2.0")
    assert _examples(file) == EXPECTED


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("item", pa.array(["5", "7"]).dictionary_encode()),
        ("item", pa.array(["5", "7"], pa.large_string())),
        ("item", pa.array([5, 7], pa.int32())),
        ("item", pa.array([5, 7], pa.int64())),
        ("item", pa.array([5, 7], pa.float64())),
        ("item", pa.array([decimal.Decimal("5.00"), decimal.Decimal("7.00")])),
        ("item", pa.array([b"5", b"7"])),
        ("price", pa.array([decimal.Decimal("1.00"), decimal.Decimal("2.00")])),
        ("price", pa.array([1, 2], pa.int8())),
        ("seq", pa.array([["5"], []], pa.large_list(pa.large_string()))),
        ("seq", pa.array([[5, None], None], pa.list_(pa.float64()))),
        ("seq", pa.array([["5", None], [None, None]], pa.list_(pa.string(), 2))),
        ("click", pa.array([False, True])),
        ("click", pa.array([decimal.Decimal("0"), decimal.Decimal("1")])),
        ("click", pa.array(["false", "true"]).dictionary_encode()),
    ],
)
def test_a_column_of_another_type_is_the_same(tmp_path, column, values):
    file = _write(tmp_path / "a.parquet", pa.table({**RIGHT, column: values}))
    assert _examples(file) == EXPECTED


def test_a_null_among_lists_of_a_fixed_size_is_refused_with_the_remedy(tmp_path):
    lists = pa.array([["5", "7"], None], pa.list_(pa.string(), 2))
    file = _write(tmp_path / "a.parquet", pa.table({**RIGHT, "seq": lists}))
    with pytest.raises(InputRefused, match="a.parquet: row group 0.*write lists of any size"):
        _read(file, ["seq"])


def test_a_column_of_nulls_only_has_no_values(tmp_path):
    table = pa.table({**RIGHT, "item": pa.nulls(2), "price": pa.nulls(2), "seq": pa.nulls(2)})
    found = _examples(_write(tmp_path / "a.parquet", table))
    assert found == EXPECTED | {name: [[], []] for name in ("item", "price", "seq")}


def test_text_that_is_no_utf_8_makes_malformed_rows(tmp_path):
    def text(*values):
        """A string column whose bytes nobody has checked."""
        binary = pa.array(values, pa.binary())
        return pa.Array.from_buffers(pa.string(), len(values), binary.buffers())

    lists = pa.ListArray.from_arrays([0, 1, 2, 3], text(b"5", b"7", b"\xff"))
    table = pa.table({"item": text(b"5", b"\xe9", b"7"), "price": [1.0] * 3, "seq": lists})
    table = table.append_column("click", pa.array([0, 1, 0]))
    file = _write(tmp_path / "a.parquet", table)
    reader, checks = READERS.build("parquet", {}), RowChecks(CONTRACT)
    (shard,) = reader.shards([file])
    (rows,) = reader.read(shard, checks.columns())
    checked = checks.check(rows, file)
    assert checked.kept.tolist() == [True, False, False]
    assert [(row.line, row.column, row.reason) for row in checked.rejected] == [
        (2, "item", "not UTF-8"),
        (3, "seq", "not UTF-8"),
    ]


@pytest.mark.parametrize(
    ("columns", "names", "message"),
    [
        ([["a"], ["b"]], ["item", "item"], "column 'item' stands 2 times in the file"),
        ([[{"id": 5}]], ["item"], "column 'item' is a struct<id: int64>: .*columns of their own"),
        ([[[{"id": 5}]]], ["item"], "column 'item' is a list<.*struct"),
        ([[[["a"]]]], ["item"], "column 'item' is a list<.*list"),
        ([pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))], ["item"], ".*is a map<"),
    ],
)
def test_names_that_stand_for_several_columns_are_refused(tmp_path, columns, names, message):
    table = pa.Table.from_arrays(
        [pa.array(c) if isinstance(c, list) else c for c in columns], names
    )
    file = _write(tmp_path / "a.parquet", table)
    with pytest.raises(InputRefused, match=f"a.parquet: {message}"):
        _read(file, ["item"])


def test_so_are_no_columns_that_nobody_reads(tmp_path):
    columns = [pa.array([1]), pa.array([{"id": 5}]), pa.array([2]), pa.array([3])]
    table = pa.Table.from_arrays(columns, ["n", "item", "item", "n.x"])
    file = _write(tmp_path / "a.parquet", table)
    assert _read(file, ["n.x", "n"]) == {"n.x": [3], "n": [1]}
    with pytest.raises(InputRefused, match="a.parquet: no column 'item.id', did you mean 'item'"):
        _read(file, ["item.id"])


def test_an_empty_file_and_one_without_rows(tmp_path):
    table = pa.table({"n": pa.array([], pa.int64())})
    reader = READERS.build("parquet", {})
    file = _write(tmp_path / "a.parquet", table)
    assert (
        sum(rows.columns.num_rows for s in reader.shards([file]) for rows in reader.read(s, ["n"]))
        == 0
    )
    (tmp_path / "b.parquet").touch()
    with pytest.raises(InputRefused, match="b.parquet: cannot be read as Parquet: .*0 bytes"):
        reader.shards([str(tmp_path / "b.parquet")])


@pytest.mark.parametrize("damage", ["length", "metadata", "cut", "text"])
def test_a_broken_footer_is_refused_by_name(tmp_path, damage):
    file = tmp_path / "a.parquet"
    _write(file)
    data = bytearray(file.read_bytes())
    length = int.from_bytes(data[-8:-4], "little")
    if damage == "length":
        data[-8:-4] = b"\xff\xff\xff\x7f"
    elif damage == "metadata":
        data[-8 - length : -8] = b"\xff" * length
    file.write_bytes({"cut": data[:-50], "text": b"a,b\n1,2\n"}.get(damage, data))
    with pytest.raises(InputRefused, match="a.parquet: cannot be read as Parquet: .*again"):
        READERS.build("parquet", {}).shards([str(file)])


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
def test_broken_pages_are_refused_with_their_row_group(tmp_path, compression):
    file = tmp_path / "a.parquet"
    table = pa.table({"n": pa.array(np.random.default_rng(0).integers(0, 1 << 40, 400))})
    _write(file, table, row_group_size=200, compression=compression, use_dictionary=False)
    data = bytearray(file.read_bytes())
    start = pq.ParquetFile(file).metadata.row_group(1).column(0).data_page_offset
    data[start : start + 12] = b"\xff" * 12
    file.write_bytes(data)
    reader = READERS.build("parquet", {})
    first, second = reader.shards([str(file)])
    assert sum(rows.columns.num_rows for rows in reader.read(first, ["n"])) == 200
    with pytest.raises(InputRefused, match="a.parquet: row group 1 cannot be read to its end: "):
        list(reader.read(second, ["n"]))


def _crashing(folder, place, value, **options):
    """A file with one byte of a page's header changed."""
    rows = 200
    table = pa.table(
        {
            "a": pa.array([f"i{x % 17}" for x in range(rows)]),
            "n": pa.array([None if x % 9 == 0 else x / 3 for x in range(rows)]),
            "l": pa.array([[f"i{y}" for y in range(x % 4)] for x in range(rows)]),
            "k": pa.array(range(rows)),
        }
    )
    file = folder / "a.parquet"
    _write(file, table, **options)
    data = bytearray(file.read_bytes())
    data[place] = value
    file.write_bytes(data)
    return str(file)


@pytest.mark.parametrize(
    ("place", "value", "options"),
    [
        (771, 237, {"compression": "zstd"}),
        (1558, 1, {"use_dictionary": False, "data_page_version": "2.0"}),
    ],
)
def test_a_page_that_crashes_the_reader_is_refused_and_the_next_file_is_read(
    tmp_path, place, value, options
):
    """Found by mutation: pyarrow 10 ends with SIGSEGV and with SIGABRT."""
    file = _crashing(tmp_path, place, value, **options)
    with pytest.raises(InputRefused, match="a.parquet: row group 0 cannot be read to its end: "):
        _read(file, ["l", "a", "n", "k"])
    assert _examples(_write(tmp_path / "b.parquet")) == EXPECTED


def test_a_crash_in_the_middle_is_one_clear_refusal(tmp_path):
    file = _write(tmp_path / "a.parquet", pa.table({"n": range(200_000)}))
    reader = READERS.build("parquet", {})
    (shard,) = reader.shards([file])
    batches = reader.read(shard, ["n"])
    process = ParquetProcess._idle[-1]
    next(batches)
    os.kill(process._process.pid, signal.SIGSEGV)
    with pytest.raises(
        InputRefused, match=r"row group 0 .*: .*crashed \(SIGSEGV\)\. Write or copy"
    ):
        list(batches)
    assert _read(file, ["n"])["n"][-1] == 199_999


def test_processes_are_used_again_and_end_when_nobody_asks_or_a_reader_is_given_up(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(ParquetProcess, "_idle", [])
    file = _write(tmp_path / "a.parquet", pa.table({"n": range(200_000)}))
    assert len(_read(file, ["n"])["n"]) == 200_000
    (process,) = ParquetProcess._idle
    pid = process._process.pid
    assert _read(file, ["n"]) and ParquetProcess._idle[0]._process.pid == pid
    with pytest.raises(InputRefused):
        _read(str(tmp_path), ["n"])
    assert ParquetProcess._idle[0]._process.pid == pid, "an error is an answer, no end"
    # One that has ended, as idle ones do, is not lent.
    process._process.terminate()
    process._process.wait()
    assert _read(file, ["n"]) and ParquetProcess._idle[0]._process.pid != pid
    # One whose answer nobody hears to the end is not lent again.
    reader = READERS.build("parquet", {})
    batches = reader.read(reader.shards([file])[0], ["n"])
    process = ParquetProcess._idle[-1]
    next(batches)
    batches.close()
    assert not ParquetProcess._idle and process._process.returncode is not None


def test_the_process_ends_with_its_parent(tmp_path):
    file = _write(tmp_path / "a.parquet")
    code = (
        "import sys, os, signal\n"
        "from mtlx.components.log_example_gen.readers.parquet_process import ParquetProcess\n"
        f"with ParquetProcess.borrow() as process: process.describe({file!r})\n"
        "print(process._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    pid = int(done.stdout)
    for _ in range(200):
        if not _runs(pid):
            return
        time.sleep(0.05)
    pytest.fail("the process outlives its parent")


def _runs(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class _Payload:
    def __reduce__(self):
        return os.mkdir, (_Payload.target,)


def test_a_file_cannot_bring_code_along(tmp_path):
    """Arrow 10 unpickles the type of an extension column as soon as the schema is read."""
    _Payload.target = str(tmp_path / "owned")
    field = pa.field(
        "n",
        pa.int64(),
        metadata={
            "ARROW:extension:name": "arrow.py_extension_type",
            "ARROW:extension:metadata": pickle.dumps(_Payload(), 0),
        },
    )
    table = pa.Table.from_arrays([pa.array([1])], schema=pa.schema([field]))
    file = _write(tmp_path / "a.parquet", table)
    try:
        assert _read(file, ["n"]) == {"n": [1]}
    except InputRefused as error:
        assert "a.parquet" in str(error)
    assert not os.path.exists(_Payload.target)


def test_the_readers_process_imports_no_tensorflow_and_no_beam():
    code = (
        "import sys, mtlx.components.log_example_gen.readers.parquet_process\n"
        "heavy = {'tensorflow', 'apache_beam', 'tfx', 'pandas'} & sys.modules.keys()\n"
        "assert not heavy, heavy\nassert 'pyarrow_hotfix' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
