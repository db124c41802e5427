"""What is noted of a model's origin, and the spans as people read them."""

import dataclasses
import json

import pytest

from mtlx.components.model_pusher.serving_folder.push_lineage import PushLineage, SpanNote
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord

NOVEMBER_27 = 20784


def _spans(*numbers, is_date=False):
    return tuple(SpanNote(number, is_date) for number in numbers)


@pytest.mark.parametrize(
    ("trained", "tested", "words"),
    [
        (_spans(1, 2, 3, 4, 5, 6, 7), _spans(8), "1-7 → 8"),
        (_spans(8), _spans(8), "8"),
        (_spans(7, 1, 2, 4), _spans(9, 8), "1-2, 4, 7 → 8-9"),
        (_spans(3), (), "3"),
        ((), (), ""),
        (
            _spans(NOVEMBER_27 - 2, NOVEMBER_27 - 1, is_date=True),
            _spans(NOVEMBER_27, is_date=True),
            "2026-11-25 to 2026-11-26 → 2026-11-27",
        ),
    ],
)
def test_spans_are_ranges_for_people(trained, tested, words):
    assert PushLineage(trained_on=trained, tested_on=tested).spans == words


def test_a_record_with_its_lineage_comes_back_as_it_was(tmp_path):
    lineage = PushLineage(
        "name", _spans(1, 2), _spans(3, is_date=True), ("time", 4.5), "abc+changed",
        {"blessed": True, "against": "baseline", "checks": 3},
        {"click": {"auc": {"value": 0.6, "lower": None, "upper": None}}}, "digest",
        {"buy": _spans(2)}, {"buy": _spans(1), "like": _spans(1)},
    )  # fmt: skip
    record = PushRecord.now("/model", "digest", "run", lineage)
    record = dataclasses.replace(record, restores=2, rollback="name")
    record.save(str(tmp_path))
    assert PushRecord.load(str(tmp_path)) == record
    values = json.loads((tmp_path / "assets.extra/push.json").read_text(encoding="utf-8"))
    assert values["lineage"]["tested_on"] == [{"number": 3, "is_date": True}]
