"""What columns of every type become, and what is malformed or refused."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.rejection import REMEDIES, UNEQUAL_LENGTHS, InputRefused
from mtlx.components.log_example_gen.row_checks import RowChecks
from mtlx.transform.contract.data_contract import DataContract


def _contract(**sections):
    return DataContract.read(
        {
            "features": {
                "item": {"kind": "categorical"},
                "price": {"kind": "numeric"},
                "seq": {"kind": "sequence", "of": "item"},
            },
            "tasks": {"click": {"label": "click"}},
            **sections,
        }
    )


def _check(contract=None, missing_label="refuse", **columns):
    """Checks rows that are right but for the given columns."""
    count = max(len(values) for values in columns.values())
    right = {"item": ["a"] * count, "price": ["1"] * count, "seq": ["a"] * count}
    right |= {"click": ["0"] * count}
    table = pa.table({**right, **columns})
    checks = RowChecks(contract or _contract(), missing_label)
    return checks.check(Rows(table, np.arange(2, count + 2)), "f")


def _values(checked, name):
    column = checked.examples.column(checked.examples.schema.get_field_index(name))
    rows = [[v.decode() if isinstance(v, bytes) else v for v in row] for row in column.to_pylist()]
    return [row[0] if row else None for row in rows]


def _sequences(checked):
    column = checked.examples.column(checked.examples.schema.get_field_index("seq"))
    return [[item.decode() for item in row] for row in column.to_pylist()]


BEHAVIOURS = {
    "item": {"kind": "categorical"},
    "kind": {"kind": "categorical"},
    "price": {"kind": "numeric"},
    "seq": {"kind": "sequence", "of": ["item", "kind"], "columns": ["seq", "kinds"]},
}


def _lists(checked, *names):
    index = checked.examples.schema.get_field_index
    columns = [checked.examples.column(index(name)).to_pylist() for name in names]
    return [[[item.decode() for item in row] for row in column] for column in columns]


def test_the_values_of_behaviours_stay_beside_each_other():
    """What one of them lacks is an empty text; a behaviour without any value tells nothing."""
    contract = _contract(features=BEHAVIOURS)
    rows = {
        "seq": ["a|b|c", "a||c", "|", "", "a", "|b||"],
        "kinds": ["x|y|z", "|y|", "|", "", "", "x|||"],
    }
    expected = [
        [["a", "b", "c"], ["a", "", "c"], [], [], ["a"], ["", "b"]],
        [["x", "y", "z"], ["", "y", ""], [], [], [""], ["x", ""]],
    ]
    right = {"kind": ["k"] * 6}
    assert _lists(_check(contract, **right, **rows), "seq", "seq.kind") == expected
    lists = {
        "seq": [["a", "b", "c"], ["a", None, "c"], [None, None], None, ["a"], ["", "b", None, ""]],
        "kinds": [["x", "y", "z"], [None, "y", ""], ["", ""], [], [None], ["x", "", None, None]],
    }
    assert _lists(_check(contract, **right, **lists), "seq", "seq.kind") == expected
    markers = _contract(features=BEHAVIOURS, missing=("-", "-1"))
    numbers = {"seq": [[1, 2, -1]], "kinds": ["-|7|-"]}
    assert _lists(_check(markers, kind=["k"], **numbers), "seq", "seq.kind") == [
        [["1", "2"]], [["", "7"]],
    ]  # fmt: skip


def test_lists_of_unequal_length_make_a_row_malformed():
    checked = _check(
        _contract(features=BEHAVIOURS),
        kind=["k"] * 6,
        seq=[["a", "b"], ["a"], ["a", "b"], [], ["c"], ["", None]],
        kinds=[["x", "y"], ["x", "y"], [], ["x"], ["z"], []],
    )
    # The last row has no value at all, whatever its lengths are.
    assert checked.kept.tolist() == [True, False, False, False, True, True]
    assert _lists(checked, "seq", "seq.kind") == [
        [["a", "b"], ["c"], []], [["x", "y"], ["z"], []],
    ]  # fmt: skip
    assert [(r.line, r.column, r.value, r.reason) for r in checked.rejected] == [
        (3, "kinds", "['x', 'y']", UNEQUAL_LENGTHS),
        (4, "kinds", "[]", UNEQUAL_LENGTHS),
        (5, "kinds", "['x']", UNEQUAL_LENGTHS),
    ]
    assert "empty text" in REMEDIES[UNEQUAL_LENGTHS]


def _moments(*values):
    return [datetime.datetime.fromisoformat(value) for value in values]


IDS = [5, 0, -7, 1234567890123, 2**53]


@pytest.mark.parametrize(
    "kind",
    [pa.int64(), pa.float64(), pa.decimal128(20, 0), pa.decimal128(22, 3), pa.decimal256(40, 2)],
)
def test_an_id_is_the_same_category_whatever_the_type_of_its_shard(kind):
    """A null among integers makes doubles of them."""
    checked = _check(
        item=pa.array([*IDS, None], kind), seq=pa.array([[i, None] for i in [*IDS, 1]])
    )
    assert _values(checked, "item") == [*map(str, IDS), None]
    assert _sequences(checked)[:5] == [[str(i)] for i in IDS]


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint64(), pa.float16(), pa.float32()]
)
def test_small_ids_of_every_type_are_one_category(kind):
    dtype = {"halffloat": np.float16}.get(str(kind))
    values = pa.array(np.array([1, 100], dtype)) if dtype else pa.array([1, 100], kind)
    assert _values(_check(item=values), "item") == ["1", "100"]
    if not dtype:  # Arrow has no dictionaries of them.
        assert _values(_check(item=values.dictionary_encode()), "item") == ["1", "100"]


def test_nan_and_null_are_no_category_and_no_item():
    assert _values(_check(item=[1.0, float("nan"), None]), "item") == ["1", None, None]
    lists = pa.array([[1.0, float("nan"), None, 2.0], None, []])
    assert _sequences(_check(seq=lists)) == [["1", "2"], [], []]


def test_minus_zero_is_zero():
    assert _values(_check(item=[-0.0, 0.0]), "item") == ["0", "0"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [1.0, 2.5, 3.5],
            r"f:3: column 'item': .*fraction.*numeric.*Received: '2.5' \(2 such rows",
        ),
        ([1.0, float("inf")], r"f:3: column 'item': .*fraction.*Received: 'inf'"),
        ([1.0, 2.0**53 + 2], r"f:3: column 'item': a double holds whole .*up to 9007199254740992"),
        (pa.array([2.0**24 + 2], pa.float32()), "f:2: .*a float holds whole .*up to 16777216 only"),
        ([{"a": 1}], r"f:2: column 'item': its type struct.*does not fit"),
        ([[1]], r"f:2: column 'item': its type list.*does not fit"),
        ([datetime.timedelta(1)], r"f:2: column 'item': its type duration.*does not fit"),
    ],
)
def test_a_category_without_an_exact_text_is_refused_by_name(values, message):
    with pytest.raises(InputRefused, match=message):
        _check(item=values if isinstance(values, pa.Array) else pa.array(values))


@pytest.mark.parametrize(("item", "message"), [(2.5, "fraction"), (2.0**53 + 2, "exactly up to")])
def test_so_is_an_item_of_a_sequence(item, message):
    with pytest.raises(InputRefused, match=f"f:4: column 'seq': .*{message}.*1 such rows"):
        _check(seq=pa.array([[1.0], [], [3.0, item, item]]))


def test_a_malformed_row_is_not_refused_for_its_fractions_too():
    checked = _check(
        _contract(features={"price": {"kind": "numeric"}, "item": {"kind": "categorical"}}),
        price=["cheap", "1"],
        item=[2.5, 1.0],
    )
    assert checked.kept.tolist() == [False, True] and _values(checked, "item") == ["1"]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([True, False], ["true", "false"]),
        (pa.array([decimal.Decimal("5.250"), decimal.Decimal("1E+3")]), ["5.25", "1000"]),
        ([datetime.date(2026, 1, 31)], ["2026-01-31"]),
        (pa.array([datetime.date(2026, 1, 31)], pa.date64()), ["2026-01-31"]),
        ([datetime.time(1, 2, 3)], ["01:02:03"]),
        ([b"caf\xc3\xa9"], ["café"]),
        (pa.array(["a"], pa.large_string()), ["a"]),
        (pa.array([b"abc"], pa.binary(3)), ["abc"]),
        (pa.nulls(2), [None, None]),
        (["5345439.0", "5345439"], ["5345439.0", "5345439"]),
    ],
)
def test_texts_of_other_types(values, texts):
    """Text stays as it is written: only types know what is a number."""
    array = values if isinstance(values, pa.Array) else pa.array(values)
    assert _values(_check(item=array), "item") == texts


def test_timestamps_have_one_text_in_every_unit():
    moments = _moments("2026-01-31T12:30:00.500", "2026-01-31T00:00:00", "2026-01-31T12:30:10")
    texts = ["2026-01-31 12:30:00.5", "2026-01-31 00:00:00", "2026-01-31 12:30:10"]
    for unit in ("ms", "us", "ns"):
        plain = pa.array(moments).cast(pa.timestamp(unit))
        assert _values(_check(item=plain), "item") == texts
        zoned = pa.array(moments).cast(pa.timestamp(unit, "Europe/Berlin"))
        assert _values(_check(item=zoned), "item") == [f"{text}Z" for text in texts]
    seconds = pa.array(moments[1:]).cast(pa.timestamp("s"))
    assert _values(_check(item=seconds), "item") == texts[1:]


@pytest.mark.parametrize(
    "lists",
    [
        pa.array([["a", None, "", "b"], None, ["c", None, None, None]], pa.list_(pa.string())),
        pa.array([["a", None, "", "b"], None, ["c", None, None, None]], pa.large_list(pa.string())),
        pa.array([["a", None, "", "b"], None, ["c", None, None, None]], pa.list_(pa.string(), 4)),
    ],
)
def test_lists_of_every_kind_are_sequences_without_their_nulls(lists):
    assert _sequences(_check(seq=lists)) == [["a", "b"], [], ["c"]]
    sliced = pa.concat_arrays([lists[:1], lists])[1:]
    assert _sequences(_check(seq=sliced)) == [["a", "b"], [], ["c"]]


def test_text_and_single_values_as_sequences():
    assert _sequences(_check(seq=["a|b", "", None, "|a||b|"])) == [["a", "b"], [], [], ["a", "b"]]
    assert _sequences(_check(seq=[5.0, None, 7.0])) == [["5"], [], ["7"]]


MARKED = ["NULL", "nan", "None", "\\N", "", "  ", " NULL ", "null"]


@pytest.mark.parametrize(
    ("missing", "found"),
    [
        ([], [False] * 4 + [True, True, False, False]),
        (["NULL", "nan", "None", "\\N"], [True] * 7 + [False]),
    ],
)
def test_one_list_says_what_is_missing_in_categories_sequences_and_numbers(missing, found):
    contract = _contract(missing=missing)
    texts = [*MARKED, "5"]
    expected = [None if gone else text for gone, text in zip([*found, False], texts, strict=True)]
    assert _values(_check(contract, item=texts), "item") == expected
    present = [text for text in expected if text is not None]
    assert _sequences(_check(contract, seq=pa.array([texts]))) == [present]
    assert _sequences(_check(contract, seq=["|".join(texts)])) == [present]
    numbers = _check(contract, price=texts)
    malformed = [text for text in present if text != "5"]
    assert [row.value for row in numbers.rejected] == malformed
    assert all(row.reason == "not a number" for row in numbers.rejected)
    assert all("add it to data.options.missing" in row.hint for row in numbers.rejected)
    assert _values(numbers, "price") == [None] * sum(found) + [5.0]
    labels = _check(
        contract, "quarantine", click=[t for t, gone in zip(texts, found, strict=False) if gone]
    )
    assert {row.reason for row in labels.rejected} == {"missing label"}


def test_a_marker_that_is_a_number_stands_for_the_number():
    contract = _contract(missing=["-1", "0.1"])
    for values in (
        ["-1", "-1.0", " -1e0", "0.10", "5"],
        [-1.0, -1.0, -1.0, 0.1, 5.0],
        pa.array([-1, -1, -1, 0.1, 5], pa.float32()),
        pa.array([decimal.Decimal(x) for x in ("-1.0", "-1.0", "-1.0", "0.1", "5.0")]),
    ):
        assert _values(_check(contract, price=values), "price") == [None] * 4 + [5.0]
    assert _values(_check(contract, item=pa.array([-1, 5])), "item") == [None, "5"]
    assert _values(_check(contract, item=["-1", "-1.0"]), "item") == [None, "-1.0"]


@pytest.mark.parametrize(
    "values",
    [
        ["1", "0", "1.0", "0.0"],
        ["true", "False", "TRUE", " false "],
        [True, False, True, False],
        [1.0, 0.0, 1.0, -0.0],
        pa.array([1, 0, 1, 0], pa.int8()),
        pa.array([1, 0, 1, 0], pa.decimal128(3, 1)),
        pa.array(["true", "0", "1", "false"]).dictionary_encode(),
    ],
)
def test_labels_of_every_type(values):
    array = values if isinstance(values, pa.Array) else pa.array(values)
    assert _values(_check(click=array), "click") == [1, 0, 1, 0]


@pytest.mark.parametrize("values", [["1", ""], ["1", None], [1.0, float("nan")], [True, None]])
def test_a_missing_label_stops_the_run_or_is_a_malformed_row(values):
    with pytest.raises(InputRefused, match="f:3: .*'click': a label.*data.missing_label: quarant"):
        _check(click=pa.array(values))
    checked = _check(missing_label="quarantine", click=pa.array(values))
    assert checked.kept.tolist() == [True, False] and _values(checked, "click") == [1]
    (row,) = checked.rejected
    assert (row.line, row.column, row.reason) == (3, "click", "missing label")


@pytest.mark.parametrize("value", ["2", "yes", "0.5", "1,0", "inf"])
def test_a_wrong_label_stops_the_run_whatever_becomes_of_missing_ones(value):
    with pytest.raises(InputRefused, match="f:3: .*'click': a label should be 0 or 1. Rec"):
        _check(missing_label="quarantine", click=["1", value])
    with pytest.raises(InputRefused, match="column 'click': its type timestamp"):
        _check(click=_moments("2026-01-01"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1,234.5", "thousands separators"),
        ("1 234", "thousands separators"),
        ("1.234.567,5", "thousands separators"),
        ("3,14", "a decimal comma"),
        ("$5", "a currency"),
        ("5.20 €", "a currency"),
        ("USD 5", "a currency"),
        ("12%", "a percentage"),
        ("1e400", "too large for float32"),
        ("1e39", "too large for float32"),
        ("-inf", "it is infinite"),
        ("Infinity", "it is infinite"),
        ("0x1A", "a hexadecimal number"),
        ("n/a", "looks like a missing value"),
        ("true", "a truth value"),
        ("2026-01-31", "a date"),
        ("cheap", ""),
        ("1_000", "thousands separators"),
    ],
)
def test_a_malformed_number_says_what_it_looks_like(text, hint):
    checked = _check(price=["5", text])
    (row,) = checked.rejected
    assert (row.line, row.value, row.reason) == (3, text, "not a number")
    assert hint in row.hint and bool(hint) == bool(row.hint)
    assert str(row).startswith(f"f:3: price: not a number: {text!r}")
    assert _values(checked, "price") == [5.0]


def test_numbers_are_the_same_beside_malformed_ones():
    texts = ["+5", "5.", ".5", " 7 ", "1E5", "-0.1", "3.4028234e38", "1e-400", "16777217"]
    alone = _check(price=texts)
    beside = _check(price=["cheap", *texts])
    assert not alone.rejected and len(beside.rejected) == 1
    assert _values(alone, "price") == _values(beside, "price")
    assert _values(alone, "price") == [float(np.float32(float(text))) for text in texts]


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["5", "7"]).dictionary_encode(),
        pa.array(["5", "7"], pa.large_string()),
        pa.array([b"5", b"7"]),
        pa.array([decimal.Decimal("5.0"), decimal.Decimal("7.0")]),
        pa.array(np.array([5, 7], np.float16)),
        pa.array([5, 7], pa.uint64()),
    ],
)
def test_numbers_of_every_type(values):
    assert _values(_check(price=values), "price") == [5.0, 7.0]
    assert _values(_check(price=[True, False]), "price") == [1.0, 0.0]


def test_bytes_that_are_no_text_make_a_malformed_row():
    for column in ("item", "price"):
        checked = _check(**{column: pa.array([b"1", b"\xff", None])})
        assert [(row.line, row.column) for row in checked.rejected] == [(3, column)]
    checked = _check(seq=pa.array([[b"a", b"b"], [], [b"c", b"\xff"]]))
    assert [(row.line, row.reason) for row in checked.rejected] == [(4, "not UTF-8")]
    assert _sequences(checked) == [["a", "b"], []]


def test_domains_that_are_integers_in_one_shard_and_doubles_in_another():
    contract = _contract(domain={"feature": "item", "values": ["1", "2"]})
    for kind in (pa.int64(), pa.float64()):
        checked = _check(contract, item=pa.array([1, 2, None, 3], kind))
        assert _values(checked, "item") == ["1", "2"]
        assert [row.line for row in checked.rejected] == [4, 5]
