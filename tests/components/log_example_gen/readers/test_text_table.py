"""Delimited text that is damaged, oddly written or not what it says: every line accounted for."""

import gzip
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.reader import Shard
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.transform.config.settings import SettingsError

ROOT = Path(__file__).parents[4]
HEADER = b"user,item,price,click\n"
ROWS = [b"u%d,tv,1.5,%d\n" % (index, index % 2) for index in range(5000)]


def _file(tmp_path, data, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(data)
    return str(path)


def _read(file, columns=("user", "item"), **options):
    """Values, their lines, rejected rows, and what else the lines are."""
    batches = list(READERS.build("csv", options).read(Shard((file,)), list(columns)))
    values = [
        row for batch in batches for row in zip(*batch.columns.to_pydict().values(), strict=True)
    ]
    lines = [line for batch in batches for line in batch.lines.tolist()]
    rejected = [(row.line, row.reason) for batch in batches for row in batch.rejected]
    aside = sum((Counter(batch.aside) for batch in batches), Counter())
    read = sum(batch.read for batch in batches)
    assert read == len(values) + len(rejected) + aside.total()
    return values, lines, rejected, aside


def _with(**changed):
    rows = list(ROWS)
    for place, row in changed.items():
        rows[int(place[3:])] = row
    return HEADER + b"".join(rows)


def test_a_quote_that_never_closes_costs_its_own_line(tmp_path):
    values, lines, rejected, _ = _read(_file(tmp_path, _with(row2499=b'u2499,"tv,1.5,1\n')))
    assert rejected == [(2501, "quote is not closed")]
    assert [line for line in range(2, 5002) if line != 2501] == lines
    assert values[-1] == ("u4999", "tv")


def test_two_stray_quotes_cost_no_line_between_them(tmp_path):
    data = _with(row2499=b'u2499,"5"" screen,1.5,1\n', row2599=b'u2599,"tv, 55""",1.5,1\n')
    values, lines, rejected, _ = _read(_file(tmp_path, data))
    assert rejected == [(2501, "quote is not closed")]
    assert len(values) == 4999 and values[lines.index(2601)] == ("u2599", 'tv, 55"')


def test_a_quote_closed_in_another_row_does_not_join_the_two(tmp_path):
    """Well-formed by RFC 4180, were it one row."""
    for last in (2500, 2501, 2599):
        data = _with(row2499=b'u,"tv,1.5,1\n', **{f"row{last}": b'v,tv",1.5,1\n'})
        values, lines, rejected, _ = _read(_file(tmp_path, data))
        assert rejected == [(2501, "quote is not closed")]
        assert len(values) == 4999 and values[lines.index(last + 2)] == ("v", 'tv"')


def test_values_with_line_breaks_are_read_and_counted(tmp_path):
    data = _with(row9=b'"u\n9","t\r\n""v"", 3\n",1.5,1\n', row10=b'u10,tv,"1\n.5",1\n', row20=b"\n")
    data = data.replace(b"u30,", b"u30;")
    values, lines, rejected, aside = _read(_file(tmp_path, data))
    assert values[9] == ("u\n9", 't\r\n"v", 3\n') and lines[9:13] == [11, 15, 17, 18]
    assert aside == {"header": 1, "continuation": 4, "blank": 1}
    assert rejected == [(36, "wrong number of values")]


def test_quotes_may_be_trusted(tmp_path):
    data = HEADER + b'u,"tv,1.5,1\nv,tv,1.5,1\nw,tv",1.5,1\nx,"tv,1.5,1\ny,tv,1.5,1\n'
    file = _file(tmp_path, data)
    assert [row[0] for row in _read(file)[0]] == ["v", "w", "y"]
    values, lines, rejected, aside = _read(file, trust_quotes=True)
    assert values == [("u", "tv,1.5,1\nv,tv,1.5,1\nw,tv"), ("y", "tv")] and lines == [2, 6]
    assert rejected == [(5, "quote is not closed")] and aside["continuation"] == 2


def test_blocks_cut_nothing_apart(tmp_path, monkeypatch):
    data = _with(
        row3=b'u3,"t\nv",1,1\n', row4=b'u4,"tv,1,1\n', row5=b"\xe9,tv,1,1\n", row6=b",,,\n"
    )
    for newline in (b"\n", b"\r\n", b"\r"):
        file = _file(tmp_path, data[:400].replace(b"\n", newline))
        whole = _read(file)
        assert len(whole[2]) == 4
        for size in (1, 2, 3, 7, 50):
            monkeypatch.setattr(
                "mtlx.components.log_example_gen.readers.text_table._BLOCK_BYTES", size
            )
            assert _read(file) == whole
        monkeypatch.undo()


def test_long_lines_and_long_values_are_malformed_and_not_held(tmp_path, monkeypatch):
    for module in ("text_lines", "text_records"):
        monkeypatch.setattr(f"mtlx.components.log_example_gen.readers.{module}.MAX_LINE_BYTES", 64)
    long = b"u1," + b"x" * 70 + b",1,1\n"
    spread = b'u2,"' + b"x\n" * 40 + b'",1,1\n'
    data = HEADER + ROWS[0] + long + ROWS[1] + spread + ROWS[2] + long.rstrip()
    for size in (16, 50, 64):
        monkeypatch.setattr("mtlx.components.log_example_gen.readers.text_table._BLOCK_BYTES", size)
        values, lines, rejected, _ = _read(_file(tmp_path, data))
        assert [value[0] for value in values] == ["u0", "u1", "u2"] and lines == [2, 4, 46]
        assert (
            rejected[0] == (3, "line of more than 4 MiB") == (rejected[-1][0] - 44, rejected[-1][1])
        )
        assert rejected[1] == (5, "quote is not closed") and len(rejected) == 43


def test_a_byte_of_another_encoding_costs_its_line(tmp_path):
    file = _file(tmp_path, _with(row0=b"caf\xe9,tv,1.5,1\n", row4999=b"caf\xe9,tv,1.5,1\n"))
    values, _, rejected, _ = _read(file)
    assert rejected == [(2, "not in its encoding"), (5001, "not in its encoding")]
    assert len(values) == 4998
    values, _, rejected, _ = _read(file, encoding="latin-1")
    assert values[0] == values[-1] == ("café", "tv") and not rejected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", ":? is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\n" + HEADER, ":1: the first line is blank"),
        (b"us\xe9r,item\n", r":1: the header is not UTF-8 \(byte 0xe9.*encoding: latin-1"),
        ("user,item\n".encode("utf-16"), "UTF-16: set data.options: {encoding: utf-16}"),
        ("user,item\n".encode("utf-16-le"), ":1: .*zero bytes.*utf-16-le"),
        (b"PAR1\x15\x04", "a Parquet file: set data.reader: parquet"),
        (b'user,"item\n', ":1: the header cannot be read"),
        (b"user,item,user\n1,2,3\n", ":1: column 'user' stands twice"),
        (b"user,itme\n1,2\n", "no column 'item', did you mean 'itme'"),
        (gzip.compress(HEADER + b"".join(ROWS))[:-30], "cannot be read from about line"),
        (b"\x1f\x8b\x08\x00garbage", "cannot be read from about line 1 on"),
    ],
)
def test_files_that_are_refused(tmp_path, data, message):
    with pytest.raises(
        InputRefused, match=f"a.csv{message}" if message[0] == ":" else f"a.csv.*{message}"
    ):
        _read(_file(tmp_path, data))


def test_gzip_that_is_damaged_in_the_middle(tmp_path):
    data = bytearray(gzip.compress(HEADER + b"".join(ROWS)))
    data[len(data) // 2 : len(data) // 2 + 40] = b"\xff" * 40
    with pytest.raises(InputRefused, match="a.csv: cannot be read from about line"):
        _read(_file(tmp_path, bytes(data)))


def test_other_text_is_read_as_its_encoding_says(tmp_path, monkeypatch):
    monkeypatch.setattr("mtlx.components.log_example_gen.readers.text_table._BLOCK_BYTES", 5)
    text = "user,item\nsöfa,枕\n1,2\n"
    for encoding in ("utf-16", "utf-16-le", "utf-32", "gb18030"):
        values, *_ = _read(_file(tmp_path, text.encode(encoding)), encoding=encoding)
        assert values == [("söfa", "枕"), ("1", "2")]
    # Half a character at the end, and a byte that the encoding does not know.
    cut = _read(_file(tmp_path, text.encode("utf-16-le") + b"a"), encoding="utf-16-le")
    assert cut[2] == [(4, "not in its encoding")] and len(cut[0]) == 2
    unknown = _read(_file(tmp_path, b"user,item\n\x81,1\n2,2\n"), encoding="cp1252")
    assert unknown[2] == [(2, "not in its encoding")] and unknown[0] == [("2", "2")]
    for wrong in ("utf-99", "hex", "undefined"):
        with pytest.raises(SettingsError, match="encoding of text that Python knows"):
            READERS.build("csv", {"encoding": wrong})


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfuser,item\n1,2\n3,4\n",
        b"user,item\r\n1,2\r\n3,4\r\n",
        b"user,item\r1,2\r3,4\r",
        b"user,item\n1,2\n3,4",
        b"item,user\n2,1\n4,3\n",
        b"user,item,,\n1,2,,\n3,4,,\n",
        b"user,item,x,x\n1,2,5,6\n3,4,5,6\n",
        gzip.compress(b"user,item\n1,2\n3,4\n"),
        gzip.compress(b"user,it") + gzip.compress(b"em\n1,2\n") + gzip.compress(b"3,4\n"),
        gzip.compress(b"user,item\n1,2\n3,4\n") + b"\0" * 500,
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_ways_to_write_the_same_rows(tmp_path, data, name):
    values, lines, rejected, aside = _read(_file(tmp_path, data, name))
    assert values == [("1", "2"), ("3", "4")] and lines == [2, 3]
    assert not rejected and aside == {"header": 1}


@pytest.mark.parametrize("data", [b"user,item\n", b"user,item", b"user,item\r\n\r\n"])
def test_a_header_alone_is_no_rows(tmp_path, data):
    values, _, rejected, aside = _read(_file(tmp_path, data))
    assert not values and not rejected and aside["header"] == 1


def test_lines_without_values_and_blank_ones(tmp_path):
    values, lines, rejected, aside = _read(_file(tmp_path, b'user,item\n1,2\n\n,\n"",""\n,3\n  \n'))
    assert values == [("1", "2"), ("", "3")] and lines == [2, 6] and aside["blank"] == 1
    reasons = {4: "no values", 5: "no values", 7: "wrong number of values"}
    assert dict(rejected) == reasons
    # Which columns are wanted makes no difference: positions are counted with one of them.
    again = _read(_file(tmp_path, b'user,item\n1,2\n\n,\n"",""\n,3\n  \n'), ("user",))
    assert again[1:] == (lines, rejected, aside)


def test_a_delimiter_is_one_byte():
    for wrong in ("", "::", '"', "\n", "é"):
        with pytest.raises(SettingsError, match="one ASCII character"):
            READERS.build("csv", {"delimiter": wrong})


def test_a_reader_left_early_does_not_hang(tmp_path):
    """As a run leaves it where a row is refused.

    Arrow's streaming reader of a Python file hangs then, or aborts the process at its end: its
    read-ahead thread waits for the interpreter's lock.
    """
    row = b"u,tv,1.5,2\n"
    # Hardly packed, so that the thread has much to do.
    digits = random.Random(1).randbytes(9 << 20).hex().encode()
    lines = b"".join(digits[at : at + 60] + b",tv,1,2\n" for at in range(0, len(digits), 60))
    _file(tmp_path, gzip.compress(HEADER + lines, 1), "a.csv.gz")
    field = b"u," + b"x" * (5 << 20) + b",1,1\n"
    _file(tmp_path, HEADER + row * 1_000_000 + field + row, "b.csv")
    script = (
        "import sys\n"
        "from mtlx.components.log_example_gen.readers.csv import Csv\n"
        "from mtlx.components.log_example_gen.readers.reader import Shard\n"
        "def first(file):\n"
        "    for rows in Csv().read(Shard((file,)), ['item']):\n"
        "        if len(rows.lines):\n"
        "            raise ValueError('refused')\n"
        "for file in sys.argv[1:] * 5:\n"
        "    try:\n"
        "        first(file)\n"
        "    except ValueError:\n"
        "        pass\n"
        "for rows in Csv().read(Shard((sys.argv[2],)), ['item']):\n"
        "    print(*(row.line for row in rows.rejected), end='')\n"
    )  # fmt: skip
    files = [str(tmp_path / name) for name in ("a.csv.gz", "b.csv")]
    done = subprocess.run(
        [sys.executable, "-c", script, *files],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1000002"), done.stderr
