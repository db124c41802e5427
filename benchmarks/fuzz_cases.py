"""Damaged files, each drawn from a seed: well-formed ones with bytes changed here and there."""

import gzip
import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fuzz_columns import columns_case, lists_case
from benchmarks.fuzz_damage import TOKENS, Case, damaged, quoted

CONFIGS = Path(__file__).parents[1] / "configs"

COLUMNS = ("user", "item", "price", "seq", "note", "click")

_ITEMS = ("tv", "10-inch tv", "söfa", "枕", 'the "best" one', "a, b", "", "  x ", "NULL", "5'")
_YAML_TOKENS = (
    b":", b"- ", b"&a ", b"*a", b"<<: *a\n", b"{", b"}", b"[", b"]", b"!!python/name:os.system ",
    b"!!binary ", b"? ", b"|", b">", b"#", b"%", b"@", b"`", b"\t", b"\n", b"  ", b"~",
    b"2026-13-45", b"0x1F",
    b"1e999", b".nan", b"\xe9", b"\xff\xfe", b"\0", b"null", b"yes", b"'", b'"', b"---\n",
)  # fmt: skip


def csv_case(seed: int) -> Case:
    """A damaged CSV file."""
    draw = random.Random(f"csv {seed}")
    data, whole, delimiter = _csv(draw)
    if draw.random() < 0.1:
        data = _around_rows(draw, data, delimiter.encode())
    return Case("log.csv", damaged(draw, data, TOKENS), whole, delimiter)


def gzip_case(seed: int) -> Case:
    """A packed CSV file, damaged before or after it was packed, or badly packed."""
    draw = random.Random(f"gzip {seed}")
    data, whole, delimiter = _csv(draw)
    kind = draw.randrange(8)
    name = draw.choice(("log.csv.gz", "log.csv.gz", "log.csv"))
    if kind == 0:
        packed = data  # Plain text under gzip's name.
    elif kind == 1:
        packed = gzip.compress(damaged(draw, data, TOKENS))
    elif kind == 2:
        cut = draw.randrange(len(data))
        packed = gzip.compress(data[:cut]) + gzip.compress(data[cut:])
        packed += draw.choice((b"", b"\0" * draw.randrange(1, 99), draw.randbytes(9)))
    elif kind == 3 and draw.random() < 0.05:
        # One value of some MB.
        size = draw.choice((3 << 20, 5 << 20, 9 << 20))
        lines = data.split(b"\n")
        lines.insert(draw.randrange(1, len(lines) + 1), b"u,'" + b"x" * size + b"',1,a,n,0")
        packed = gzip.compress(b"\n".join(lines), 1)
    elif kind == 4:
        packed = gzip.compress(data)[: draw.randrange(1, 400)]
    else:
        packed = damaged(draw, gzip.compress(data, draw.choice((0, 1, 9))), TOKENS)
    return Case(name, packed, whole, delimiter)


def parquet_case(seed: int) -> Case:
    """A damaged Parquet file."""
    draw = random.Random(f"parquet {seed}")
    return Case("log.parquet", damaged(draw, _parquet(draw.randrange(6)), TOKENS))


def yaml_case(seed: int) -> Case:
    """A damaged experiment file."""
    draw = random.Random(f"yaml {seed}")
    files = sorted(CONFIGS.rglob("*.yaml"))
    data = draw.choice(files).read_bytes()
    if draw.random() < 0.3:
        lines = data.splitlines(keepends=True)
        for _ in range(draw.randrange(1, 4)):
            first, second = draw.randrange(len(lines)), draw.randrange(len(lines))
            lines[first] = draw.choice((lines[second], b"  " + lines[first], lines[first].lstrip()))
        data = b"".join(lines)
    return Case("experiment.yaml", damaged(draw, data, _YAML_TOKENS))


#: How a case of every kind is drawn from its seed.
CASES: dict[str, Callable[[int], Case]] = {
    "csv": csv_case,
    "gzip": gzip_case,
    "parquet": parquet_case,
    "yaml": yaml_case,
    "columns": columns_case,
    "lists": lists_case,
}


def _around_rows(draw: random.Random, data: bytes, delimiter: bytes) -> bytes:
    """Opens a quote before an item and closes it behind that of a later row."""
    lines = data.splitlines(keepends=True)
    plain = [bool(place) and b'"' not in line for place, line in enumerate(lines)]
    reach = draw.randrange(1, 4)  # A quote between the two would close the value.
    starts = [at for at in range(len(lines) - reach) if all(plain[at : at + reach + 1])]
    if not starts:
        return data
    first = draw.choice(starts)
    last = first + reach
    lines[first] = lines[first].replace(delimiter, delimiter + b'"', 1)
    user, item, rest = lines[last].split(delimiter, 2)
    lines[last] = delimiter.join((user, item + b'"', rest))
    return b"".join(lines)


def _csv(draw: random.Random) -> tuple[bytes, frozenset[bytes], str]:
    """A well-formed file, its rows that fill one line each, and its delimiter."""
    delimiter = draw.choice((",", ",", ",", ";", "\t"))
    newline = draw.choice(("\n", "\n", "\r\n", "\r"))
    always, breaks = draw.random() < 0.2, draw.random() < 0.3
    lines, whole = [delimiter.join(COLUMNS)], set()
    for index in range(draw.choice((0, 1, 5, 40, 80))):
        note = draw.choice(("", "fine", "so, so", 'he said "no"', "a\nb" if breaks else "ab"))
        values = (
            f"u{index}", draw.choice(_ITEMS), f"{draw.random():.3f}", "a|b", note,
            str(draw.randrange(2)),
        )  # fmt: skip
        line = delimiter.join(quoted(value, delimiter, always) for value in values)
        lines.append(line)
        if "\n" not in line:
            whole.add(line.encode())
    mark = draw.choice(("", "", "", "\ufeff"))
    text = mark + newline.join(lines) + draw.choice((newline, newline, ""))
    return text.encode(), frozenset(whole), delimiter


def _parquet(kind: int) -> bytes:
    """A well-formed file, in one of a few ways to write it."""
    draw = np.random.default_rng(kind)
    rows = 200
    table = pa.table(
        {
            "user": [f"u{index % 17}" for index in range(rows)],
            "item": pa.array(draw.integers(0, 50, rows), pa.int64()),
            "price": pa.array(draw.random(rows), mask=draw.random(rows) < 0.1),
            "seq": [["a", "b"][: index % 3] for index in range(rows)],
            "note": pa.array(["fine", None] * (rows // 2)).dictionary_encode(),
            "click": draw.integers(0, 2, rows),
        }
    )
    stream = io.BytesIO()
    pq.write_table(
        table,
        stream,
        row_group_size=64,
        compression=("none", "snappy", "zstd", "gzip", "lz4", "none")[kind],
        use_dictionary=kind % 2 == 0,
        data_page_version="2.0" if kind >= 4 else "1.0",
        data_page_size=512,
    )
    return stream.getvalue()
