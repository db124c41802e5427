"""Vocabularies that grow: what stays, what comes, what goes."""

import numpy as np
import pytest

from mtlx.components.one_pass_transform.base_vocabularies import (
    EMPTY_VOCABULARY,
    checked_base,
    grown_vocabulary,
    without_markers,
)
from mtlx.trainer.warm_start.base_model import BaseModelError
from mtlx.transform.analysis.analysis import VocabularyRequest
from mtlx.transform.contract.data_contract import DataContract

BASE = [b"a", b"b", b"c", b"d"]
#: Of a day: the frequent first.
DAY = {b"x": 9, b"c": 5, b"y": 2, b"a": 1, b"z": 1}


def _grown(base, day, top_k=None, min_count=1):
    values, counts = np.array(list(day), object), np.array(list(day.values()), np.int64)
    return grown_vocabulary(base, values, counts, VocabularyRequest(("f",), top_k, min_count))


def test_known_values_keep_their_places_though_the_day_lacks_them():
    assert _grown(BASE, DAY) == [*BASE, b"x", b"y", b"z"]
    assert _grown(BASE, {}) == BASE


def test_new_values_need_their_count_and_known_ones_none():
    assert _grown(BASE, DAY, min_count=2) == [*BASE, b"x", b"y"]


def test_what_occurs_least_today_goes_where_there_is_no_room():
    # Of b and d, which do not occur, the last goes first; a and z occur once, and a is known.
    assert _grown(BASE, DAY, top_k=6) == [b"a", b"b", b"c", b"x", b"y", b"z"]
    assert _grown(BASE, DAY, top_k=4) == [b"a", b"c", b"x", b"y"]
    assert _grown(BASE, DAY, top_k=2) == [b"c", b"x"]


def test_an_empty_vocabulary_is_filled():
    assert _grown([EMPTY_VOCABULARY], DAY, min_count=2) == [b"x", b"c", b"y"]
    assert _grown([EMPTY_VOCABULARY], {}) == []


def test_what_stands_for_a_missing_value_since_is_no_value_any_more():
    contract = DataContract.read(
        {
            "features": {"f": {"kind": "categorical"}},
            "tasks": {"click": {"label": "click"}},
            "missing": ["?"],
        }
    )
    assert without_markers([b"a", b"?", b" ? ", b"?b", b" "], contract) == [b"a", b"?b"]


def test_a_base_model_that_is_gone_is_said_before_rows_are_read(tmp_path):
    with pytest.raises(BaseModelError, match="--set training.warm_start=null"):
        checked_base(str(tmp_path / "gone"))
