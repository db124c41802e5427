"""Damaged logs with columns of several values, vectors, behaviours, weights and conditions.

Besides bytes that change anywhere, single values are drawn from what logs hold by mistake.
"""

import io
import random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fuzz_damage import TOKENS, Case, damaged, quoted

COLUMNS = (
    "user", "shop", "tags", "tag_weights", "marked", "text", "users", "shops", "importance",
    "watch", "country", "price",
)  # fmt: skip

#: The data contract, and the conditions of ``data.where``.
CONTRACT: dict[str, Any] = {
    "features": {
        "user": {"kind": "categorical"},
        "shop": {"kind": "categorical"},
        "tags": {"kind": "categorical", "multiple": True, "weights": "tag_weights"},
        "marked": {"kind": "categorical", "multiple": True, "weight_mark": ":"},
        "text": {"kind": "vector", "size": 3},
        "clicks": {"kind": "sequence", "of": ["user", "shop"], "columns": ["users", "shops"]},
        "user_shop": {"kind": "cross", "of": ["user", "shop"], "hash_buckets": 9},
    },
    "weight": {"column": "importance", "clip": 5},
    "tasks": {
        "long": {"label": {"column": "watch", "at_least": 30}},
        "watch": {"label": "watch", "kind": "regression", "loss": "log_normal"},
    },
}
WHERE = ({"column": "country", "one_of": ["de", "ö"]}, {"column": "price", "at_most": 100})

_ODD = (
    "", "  ", "|", "||", "a", "a|", "|a", "a|b", "a|b|c|d", "a:", ":1", "a:b:2", "a:-1",
    "a:nan|b:1", "0.5", "-1", "1|2|3", "1|2|x", "1||3", "nan", "inf", "1e400", "1|2|3|4",
    "+1.5|.5|2.", " 1 | 2 | 3 ", "NULL", "0", "-0", "1e39|0|0", '"', 'x"y', "1;2;3", "٣",
)  # fmt: skip
#: Columns in which a wrong value refuses the file, so that few have one.
_REFUSING = ("watch", "price")


def columns_case(seed: int) -> Case:
    """A damaged CSV file."""
    draw = random.Random(f"columns {seed}")
    delimiter = draw.choice((",", ",", ";"))
    lines, whole = [delimiter.join(COLUMNS)], set()
    for row in _rows(draw, draw.choice((1, 5, 40)), _as_text, _ODD):
        line = delimiter.join(quoted(row[name], delimiter, False) for name in COLUMNS)
        lines.append(line)
        whole.add(line.encode())
    data = ("\n".join(lines) + "\n").encode()
    if draw.random() < 0.5:
        data = damaged(draw, data, TOKENS)
    return Case("log.csv", data, frozenset(whole), delimiter)


def lists_case(seed: int) -> Case:
    """A Parquet file with list columns of one type or another, some of it damaged."""
    draw = random.Random(f"lists {seed}")
    number = draw.choice((pa.float64(), pa.float32(), pa.decimal128(12, 3)))
    of = draw.choice((pa.list_, pa.large_list))
    types = {
        "user": draw.choice((pa.string(), pa.dictionary(pa.int32(), pa.string()))),
        "tags": of(draw.choice((pa.string(), pa.large_string(), pa.binary()))),
        "tag_weights": of(number),
        "marked": draw.choice((of(pa.string()), pa.string())),
        "text": of(number),
        "users": of(pa.string()),
        "shops": of(pa.string()),
        "importance": number,
        "watch": number,
        "country": draw.choice((pa.string(), pa.binary())),
        "price": pa.float64(),
    }
    rows = _rows(draw, draw.choice((1, 5, 40)), lambda values: values, _odd_lists(draw))
    arrays = [_array([row[name] for row in rows], types.get(name, pa.string())) for name in COLUMNS]
    stream = io.BytesIO()
    pq.write_table(pa.table(arrays, names=list(COLUMNS)), stream, row_group_size=16)
    data = stream.getvalue()
    return Case("log.parquet", damaged(draw, data, TOKENS) if draw.random() < 0.3 else data)


def _rows(draw: random.Random, count: int, form: Any, odd: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Rows of which a quarter holds a value of another kind, or one too few or many."""
    rows = []
    for _ in range(count):
        tags, behaviours = draw.randrange(4), draw.randrange(3)
        row = {
            "user": f"u{draw.randrange(9)}",
            "shop": draw.choice(("s1", "s2", "größer")),
            "tags": form([draw.choice("abc") for _ in range(tags)]),
            "tag_weights": form([round(draw.random(), 3) for _ in range(tags)]),
            "marked": form([f"{draw.choice('abc')}:{draw.random():.2f}" for _ in range(2)]),
            "text": form([round(draw.uniform(-2, 2), 3) for _ in range(draw.choice((3, 3, 0)))]),
            "users": form([f"u{draw.randrange(9)}" for _ in range(behaviours)]),
            "shops": form([draw.choice(("s1", "s2")) for _ in range(behaviours)]),
            "importance": draw.choice((0.5, 1, 9)),
            "watch": round(draw.uniform(1, 60), 2),
            "country": draw.choice(("de", "de", "ö", "fr")),
            "price": draw.choice((3, 99.5, 100, 101)),
        }
        if odd is _ODD:
            row = {name: str(value) for name, value in row.items()}
        if draw.random() < 0.25:
            name = draw.choice(COLUMNS)
            if name not in _REFUSING or draw.random() < 0.1:
                row[name] = draw.choice(odd)
        rows.append(row)
    return rows


def _as_text(values: list[Any]) -> str:
    return "|".join(map(str, values))


def _odd_lists(draw: random.Random) -> tuple[Any, ...]:
    """Values that columns of lists or numbers may hold; of another type they become null."""
    numbers = (None, float("nan"), float("inf"), -1.0, 0.0, 1e39, 2.5)
    texts = (None, "", " ", "a", "a:1", "a:", ":", "b:-1")
    some = [[draw.choice(numbers) for _ in range(draw.randrange(5))] for _ in range(6)]
    some += [[draw.choice(texts) for _ in range(draw.randrange(5))] for _ in range(6)]
    return (None, [], [None], *some, *numbers, *texts)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Values as a type; null where one has none of it."""
    if pa.types.is_string(kind):
        values = [_as_text(value) if isinstance(value, list) else value for value in values]
    return pa.array([value if _fits(value, kind) else None for value in values], kind)


def _fits(value: Any, kind: pa.DataType) -> bool:
    try:
        pa.array([value], kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError, OverflowError):
        return False
    return True
