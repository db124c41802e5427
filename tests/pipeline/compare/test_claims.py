import json

import pytest
import yaml

from benchmarks.claims import CLAIMS, found_of, read_records, text_of, verdicts
from mtlx.pipeline.compare.comparison_record import (
    OVERALL,
    ComparisonRecord,
    Difference,
    Row,
)
from mtlx.pipeline.compare.contender import Contender


def _record(reference, differences):
    """As `mtlx compare` writes it: by label the difference to the reference, and its p-value."""
    record = ComparisonRecord("planted", reference, 3, metrics={"click": "auc"})
    record.rows.append(Row(reference, reference))
    for label, (value, p_value) in differences.items():
        difference = Difference(value, value - 0.01, value + 0.02, p_value)
        record.rows.append(Row(label, label, over_reference={("click", OVERALL): difference}))
    return json.loads(json.dumps(record.as_json()))


def _claim(better, worse):
    return {"better": better, "worse": worse, "published": {"click": 0.004}}


def test_a_claim_is_confirmed_refuted_or_undecided():
    records = [
        _record("new", {"old": (-0.03, 0.001), "odd": (0.05, 0.001), "near": (-0.001, 0.4)}),
        _record("old", {"odd": (0.08, 0.0001)}),
    ]
    pairs = [("new", "old"), ("new", "odd"), ("new", "near"), ("odd", "old"), ("odd", "near")]
    found = [found_of(_claim(*pair), "click", records) for pair in pairs]
    assert verdicts(found, 0.05) == [
        "confirmed",
        "refuted",
        "undecided",
        "confirmed",
        "not measured",
    ]
    # The reference is above: what is written of the other is turned, its bounds with it.
    assert (found[0].value, found[0].lower, found[0].upper) == pytest.approx((0.03, 0.01, 0.04))
    assert (found[3].value, found[3].lower, found[3].upper) == pytest.approx((0.08, 0.07, 0.10))


def test_claims_of_a_data_set_are_decided_together():
    # 0.03 alone would be decided; beside four that are not, it is not.
    alone = [_record("new", {"old": (-0.03, 0.03)})]
    beside = [_record("new", {"old": (-0.03, 0.03)} | dict.fromkeys("abcd", (-0.01, 0.5)))]
    one = found_of(_claim("new", "old"), "click", alone)
    assert verdicts([one], 0.05) == ["confirmed"]
    found = [found_of(_claim("new", label), "click", beside) for label in ("old", *"abcd")]
    assert verdicts(found, 0.05)[0] == "undecided"


def test_the_table_says_what_the_paper_has_and_what_was_found():
    data_set = {"title": "Planted", "command": "mtlx compare", "claims": [_claim("new", "old")]}
    text = text_of(data_set, [_record("new", {"old": (-0.03, 0.001)})])
    assert text.splitlines()[0] == "**Planted**, 3 seeds"
    assert text.splitlines()[-1] == (
        "| `new` is better than `old` | click | +0.0040 | +0.0300 [+0.0100, +0.0400] | confirmed |"
    )
    assert "not measured" in text_of(data_set, [])


@pytest.mark.parametrize("name", yaml.safe_load(CLAIMS.read_text(encoding="utf-8")))
def test_what_is_claimed_is_of_models_that_the_command_compares(name):
    data_set = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))[name]
    models = data_set["command"].split("--models ")[1].strip('"').split(",")
    labels = {Contender.read(model).label for model in models}
    for claim in data_set["claims"]:
        assert {claim["better"], claim["worse"]} <= labels
    for record in read_records(data_set["records"]):
        assert {row["label"] for row in record["rows"]} == labels
        assert set(data_set["claims"][0]["published"]) <= set(record["metrics"])
