"""Slice keys from feature columns."""

import hypothesis
import pyarrow as pa
import pytest
from hypothesis import strategies

from mtlx.components.slice_evaluation.settings import EvaluationSettings
from mtlx.components.slice_evaluation.slices import resolve_crosses, slice_columns, slice_text
from mtlx.transform.contract.data_contract import DataContract
from tests.components.slice_names import ODD_VALUES

BATCH = pa.RecordBatch.from_pydict(
    {
        "scenario": pa.array([[b"feed"], [b"search"], [b"feed"], None, [b"feed"]]),
        "gender": pa.array([[b"f"], [b"f"], [], [b"m"], [b"m"]]),
    }
)


def _slices_of_rows(contract, slices, batch=BATCH):
    crosses = resolve_crosses(EvaluationSettings(slices=slices), contract)
    return [
        [slice_text(column.keys[code]) for code in column.codes]
        for column in slice_columns(batch, crosses)
    ]


def test_rows_find_their_slices_and_missing_values_have_one_too(contract):
    assert _slices_of_rows(contract, [["domain"], ["gender", "domain"]]) == [
        ["overall"] * 5,
        ["domain=feed", "domain=search", "domain=feed", "domain=(missing)", "domain=feed"],
        [
            "gender=f,domain=feed", "gender=f,domain=search", "gender=(missing),domain=feed",
            "gender=m,domain=(missing)", "gender=m,domain=feed",
        ],
    ]  # fmt: skip


def test_a_feature_that_is_nowhere_present_is_missing(contract):
    empty = pa.RecordBatch.from_pydict(
        {
            "scenario": pa.array([[b"feed"], [b"x"]]),
            "gender": pa.array([None, []], pa.list_(pa.binary())),
        }
    )
    found = _slices_of_rows(contract, [["domain", "gender"]], empty)[1]
    assert found == ["domain=feed,gender=(missing)", "domain=x,gender=(missing)"]


def test_a_value_that_reads_like_missing_is_told_from_it(contract):
    values = [[b"(missing)"], [b"((missing))"], [b"missing"], [b""], [], [b"(missing"]]
    batch = pa.RecordBatch.from_pydict({"gender": pa.array(values)})
    found = _slices_of_rows(contract, [["gender"]], batch)[1]
    assert found == [
        "gender=((missing))", "gender=(((missing)))", "gender=missing", 'gender=""',
        "gender=(missing)", "gender=(missing",
    ]  # fmt: skip
    assert len(set(found)) == 6


_PARTS = strategies.one_of(
    strategies.sampled_from(ODD_VALUES), strategies.text('ab,="\\ \n\u202e', max_size=4)
)
_KEYS = strategies.lists(strategies.tuples(_PARTS, _PARTS), max_size=2).map(tuple)


@hypothesis.given(strategies.lists(_KEYS, min_size=2, max_size=2, unique=True))
def test_no_two_slices_have_one_name_and_no_name_breaks_a_line(keys):
    first, second = map(slice_text, keys)
    assert first != second
    for text in (first, second):
        assert text.isprintable() and text == text.strip()


def test_names_that_nobody_can_misread_are_written_as_they_are():
    assert slice_text(()) == "overall"
    assert slice_text((("domain", "home feed"), ("brand", "5*"))) == "domain=home feed,brand=5*"
    assert slice_text((("brand", "a,b=c"),)) == 'brand="a,b=c"'
    assert slice_text((("brand", 'é"\n\u202e'),)) == 'brand="é\\"\\n\\u202e"'


def test_several_values_are_refused(contract):
    several = pa.RecordBatch.from_pydict({"gender": pa.array([[b"f", b"m"]])})
    crosses = resolve_crosses(EvaluationSettings(slices=[["gender"]]), contract)
    with pytest.raises(ValueError, match="'gender' has 2 values"):
        slice_columns(several, crosses)


def test_without_domains_the_default_is_overall_only(contract):
    single = DataContract.read(contract.model_dump() | {"domain": None})
    assert resolve_crosses(EvaluationSettings(), single) == []
    with pytest.raises(ValueError, match="'domain' is no categorical feature"):
        resolve_crosses(EvaluationSettings(slices=[["domain", "gender"]]), single)
