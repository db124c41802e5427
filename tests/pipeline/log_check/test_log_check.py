"""Planted faults are found, and nothing else is."""

import numpy as np
import pytest

from mtlx.pipeline.log_check import log_check
from mtlx.pipeline.log_sample import log_sample

ROWS = 8000


def _texts(result, error=None):
    return [one.text for one in result.findings if error is None or one.error == error]


def test_an_honest_log_has_no_findings(check, log):
    result = check()
    assert _texts(result) == []
    assert result.rows.rows == ROWS
    assert result.unnamed == ["request", "time"]
    profiles = {feature.name: feature for feature in result.features}
    assert (profiles["user"].distinct, profiles["item"].distinct) == (400, 50)
    assert [profiles[name].type for name in ("user", "strong")] == ["text", "number"]
    splits = [np.count_nonzero(result.rows.in_split(n)) for n in ("train", "validation", "test")]
    assert splits[2] == (log["time"] >= 1_700_600_000).sum()
    assert splits[1] == pytest.approx(0.1 * (ROWS - splits[2]), rel=0.2)
    ranges = result.rows.times.found(result.rows.split)["time"]
    assert ranges["test"][1] == log["time"].max()
    assert ranges["train"][0] <= ranges["validation"][0] < 1_700_600_000 <= ranges["test"][0]


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_what_is_written_after_the_event_is_a_leak(check, log, kind):
    spend = np.random.default_rng(2).integers(5, 99, ROWS)
    log["spend"] = np.where(log["buy"] == 1, spend, 0)
    result = check(log, features={"spend": {"kind": kind}})
    (text,) = _texts(result)
    assert text.startswith("feature spend tells buy almost by itself: AUC 1.0000 by its ")


def test_missing_where_nothing_happened_is_a_leak(check, log):
    log["order"] = np.where(log["buy"] == 1, [f"o{n}" for n in range(ROWS)], None)
    (text,) = _texts(check(log, features={"order": {"kind": "categorical"}}))
    assert "feature order tells buy almost by itself" in text


def test_what_is_not_monotone_is_a_leak(check, log):
    middle = np.random.default_rng(3).uniform(2, 3, ROWS)
    outside = np.random.default_rng(4).choice([-1, 1], ROWS) * middle + 2.5
    log["delay"] = np.where(log["click"] == 1, middle, outside)
    (text,) = _texts(check(log, features={"delay": {"kind": "numeric"}}))
    assert "feature delay tells click" in text


def test_a_history_that_holds_the_present_is_a_leak(check, log):
    log["history"] = np.where(log["click"] == 1, "i98|" + log["item"], "i98|i99")
    (text,) = _texts(check(log))
    assert text.startswith("feature history tells click almost by itself: AUC 1.0000 by whether")
    log["history"] = np.where(log["click"] == 1, "i97|i98|i99", "i98|i99")
    (text,) = _texts(check(log))
    assert "AUC 1.0000 by its length alone" in text


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_a_product_of_two_labels_is_named_though_it_tells_neither_alone(check, log, kind):
    """As a column for the whole of a funnel, which a public protocol leaves among the features."""
    drawn = np.random.default_rng(6)
    log["buy"] = (drawn.random(ROWS) < 0.3).astype(int)
    log["both"] = log["click"] * log["buy"]
    tasks = {"click": {"label": "click"}, "buy": {"label": "buy"}}
    features = {"both": {"kind": kind}}
    (text,) = _texts(check(log, features=features, tasks=tasks))
    assert text.startswith("feature both is computed from the labels: rows with the same labels")
    # One row of fifty otherwise, and it is a feature that may be known before.
    log["both"] = np.where(drawn.random(ROWS) < 0.02, 1 - log["both"], log["both"])
    assert _texts(check(log, features=features, tasks=tasks)) == []


def _inflated(drawn, share=0.94, value=0.0):
    """A number that is one value mostly, with a long tail besides."""
    tail = np.round(np.exp(drawn.uniform(2, 9, ROWS)), 2)
    return np.where(drawn.random(ROWS) < share, value, tail)


@pytest.mark.parametrize(
    ("share", "value", "transform"),
    [(0.94, 0.0, "log"), (0.3, 0.0, "zscore"), (0.94, -1.0, "quantile_buckets")],
)
def test_a_number_that_is_one_value_mostly_gets_a_setting(check, log, share, value, transform):
    log["gains"] = _inflated(np.random.default_rng(7), share, value)
    features = {"gains": {"kind": "numeric", "transform": transform}}
    (text,) = _texts(check(log, features=features))
    measured, others = (log["gains"] == value).mean(), log["gains"].nunique() - 1
    assert text == (
        f"feature gains is {value:g} in {measured:.1%} of the rows that have it, with {others:,} "
        "other values, which its transform leaves too close together; set in features.gains: "
        "transform: [log, quantile_buckets], buckets: 100, buckets_of: distinct"
    )
    features["gains"] |= {"transform": ["log", "quantile_buckets"], "buckets": 100}
    features["gains"]["buckets_of"] = "distinct"
    result = check(log, features=features)
    assert _texts(result) == []
    # The setting is one column, of which the trainer keeps a number and an id.
    assert [one.name for one in result.features].count("gains") == 1


def test_ordinary_numbers_are_no_inflated_ones(check, log):
    drawn = np.random.default_rng(8)
    sparse = np.where(drawn.random(ROWS) < 0.9, np.nan, drawn.normal(size=ROWS).round(3))
    columns = {
        "uniform": drawn.uniform(0, 1e6, ROWS).round(1),
        "normal": drawn.normal(50, 9, ROWS).round(),
        "skewed": drawn.lognormal(3, 2, ROWS).round(2),
        "code": drawn.choice(6, ROWS, p=[0.9, 0.02, 0.02, 0.02, 0.02, 0.02]),
        "few": drawn.poisson(0.2, ROWS),
        "many": drawn.geometric(0.05, ROWS),
        "heavy": drawn.geometric(0.5, ROWS) - 1,
        "weeks": np.where(drawn.random(ROWS) < 0.7, drawn.choice([0, 52], ROWS),
                          drawn.integers(0, 53, ROWS)),
        "sparse": sparse,
    }  # fmt: skip
    log = log.assign(**columns)
    assert _texts(check(log, features={name: {"kind": "numeric"} for name in columns})) == []


def test_ids_are_no_leak_by_what_was_memorised(check, log):
    """An id of the row tells all of the rows that it was learnt on; so does a user's constant."""
    rate = np.random.default_rng(5).random(400) < 0.2
    constant = rate[log["user"].str[1:].astype(int)].astype(int)
    log["click"], log["buy"] = constant, constant * (np.arange(ROWS) % 3 == 0)
    features = {"request": {"kind": "categorical"}, "user": {"kind": "categorical"}}
    (text,) = _texts(check(log, features=features, evaluation={"user_key": "user"}))
    assert text.startswith("feature request has 8,000 different values: nearly every row")
    # Without the key, a user's rows in one half tell those in the other.
    texts = _texts(check(log, features=features))
    assert any("feature user tells click" in text for text in texts)


def test_few_positives_are_no_proof_of_a_leak(check, log):
    log["buy"] = 0
    log.loc[log.index[log["click"] == 1][:5], "buy"] = 1
    log["spend"] = log["buy"] * 9
    gate = {"minimum_positives": 1, "thresholds": [{"rule": "auc", "task": "click", "minimum": 0}]}
    texts = _texts(check(log, features={"spend": {"kind": "numeric"}}, gate=gate))
    assert not any("almost by itself" in text for text in texts)


def test_constant_and_empty_columns(check, log):
    log["country"], log["nothing"] = "de", ""
    features = {"country": {"kind": "categorical"}, "nothing": {"kind": "numeric"}}
    result = check(log, features=features)
    assert _texts(result, error=False) == ["feature country is constant: every row has 'de'"]
    (text,) = _texts(result, error=True)
    assert text.startswith("feature nothing has no value in any row")


def test_missing_shares_are_measured(check, log):
    log.loc[: ROWS // 4 - 1, "weak"] = None
    log.loc[: ROWS // 2 - 1, "history"] = ""
    profiles = {one.name: one for one in check(log).features}
    assert profiles["weak"].missing == pytest.approx(0.25)
    assert profiles["history"].missing == pytest.approx(0.5)


def test_too_few_positives_for_the_gate(check, log):
    test = log["time"] >= 1_700_600_000
    positives = {}
    for domain in ("feed", "search"):
        chosen = log[test & (log["scenario"] == domain) & (log["click"] == 1)]
        positives["click", domain], positives["buy", domain] = len(chosen), int(chosen["buy"].sum())
    gate = {"thresholds": [{"rule": "auc", "minimum": 0.5, "slice": "domain=*"}]}
    found = _texts(check(log, gate=gate))
    few = {key: count for key, count in positives.items() if count < 50}
    assert {"search"} == {domain for _, domain in few}
    assert found == [
        f"the gate will not decide {task} in domain={domain}, and so block: {count} positives in "
        "split test, at least 50 are needed (gate.minimum_positives)"
        for (task, domain), count in few.items()
    ]
    gate["minimum_positives"] = min(few.values())
    assert _texts(check(log, gate=gate)) == []
    # A domain without any row is expected by the gate, and missed.
    log["scenario"] = "feed"
    texts = _texts(check(log, gate=gate))
    assert "domain search has no row: correct domain.values, or take it out" in texts
    assert sum("in domain=search, and so block: 0 positives" in text for text in texts) == 2


def test_an_error_rate_that_holds_for_no_check(check, log):
    auc = {"rule": "auc", "minimum": 0.5}
    gate = {"error_rate": 0.05, "thresholds": [auc]}
    (text,) = _texts(check(log, gate=gate), error=False)
    assert text.startswith("gate.error_rate holds for no threshold")
    gate["thresholds"].append({**auc, "bound": "upper"})
    assert _texts(check(log, gate=gate)) == []


def test_counts_of_a_sample_are_extrapolated(check, log, monkeypatch):
    monkeypatch.setattr(log_sample, "_BLOCK_BYTES", 4000)
    gate = {"minimum_positives": 1, "thresholds": [{"rule": "auc", "minimum": 0}]}
    test = log["time"] >= 1_700_600_000
    clicks = int(log["click"][test].sum())
    result = check(log, wanted=4000, gate={**gate, "minimum_positives": 3 * clicks})
    assert 0.4 < result.sample.share < 0.6
    (text,) = [text for text in _texts(result) if "decide click in overall" in text]
    assert ": about " in text
    estimated = int(text.split("about ")[1].split(" ")[0].replace(",", ""))
    assert estimated == pytest.approx(clicks, rel=0.15)
    whole = check(log, gate=gate)
    assert result.memory == pytest.approx(whole.memory, rel=0.1)


def test_rows_that_would_stop_the_run(check, log):
    log["weak"] = log["weak"].astype(object)
    log.loc[:99, "weak"] = "a lot"
    result = check(log)
    (text,) = _texts(result, error=True)
    assert text.startswith("100 of 8,000 rows are malformed (1.25%, the limit is 0.10%)")
    assert str(result.rows.examples["not a number"]).endswith(
        "log.csv:2: weak: not a number: 'a lot'"
    )
    log["weak"] = 1.0
    log.loc[4000, "click"] = 3
    assert "column 'click': a label should be 0 or 1" in _texts(check(log), error=True)[0]


def test_behaviours_of_several_features(check, log):
    """Each has a line of its own; rows whose lists are out of step are malformed."""
    kinds = np.random.default_rng(3).integers(0, 4, (ROWS, 3))
    log["kind"], log["kinds"] = "k" + log["item"].str[-1], ["k{}|k{}|k{}".format(*k) for k in kinds]
    log.loc[:9, "kinds"] = "k1||k2"
    history = {"kind": "sequence", "of": ["item", "kind"], "columns": ["history", "kinds"]}
    features = {"kind": {"kind": "categorical"}, "history": history}
    result = check(log, features=features)
    assert _texts(result) == []
    profiles = {feature.name: feature for feature in result.features}
    assert (profiles["history"].distinct, profiles["history.kind"].distinct) == (50, 4)
    assert result.unnamed == ["request", "time"]
    log.loc[:99, "kinds"] = "k1|k2"
    result = check(log, features=features)
    assert _texts(result, error=True)[0].startswith("100 of 8,000 rows are malformed")
    reason = "not as many values as its sequence has"
    assert str(result.rows.examples[reason]).endswith(f"log.csv:2: kinds: {reason}: 'k1|k2'")
    log["history"] = np.where(log["click"] == 1, "i98||" + log["item"], "i98|i97|i99")
    log["kinds"] = "k1|k2|"
    constant, leak = _texts(check(log, features=features))
    assert constant == "feature history.kind is constant: every row has 'k1|k2|'"
    assert "history tells click almost by itself: AUC 1.0000 by whether it holds the row's" in leak


def test_empty_splits_and_one_sided_labels(check, log):
    log.loc[log["time"] < 1_700_600_000, "buy"] = 0
    texts = _texts(check(log))
    assert any(text.startswith("task buy has no positive in split train") for text in texts)
    log["time"] = 1_700_000_000
    (text,) = _texts(check(log), error=True)
    assert text == "split test has no row: change data.split"


def test_memory(check, monkeypatch):
    result = check()
    # Ids, lists of 50 ids, two numbers, the domain's index and two labels.
    per_row = 3 * 8 + 50 * 8 + 2 * 4 + 8 + 2 * 8
    trained = ROWS - np.count_nonzero(result.rows.in_split("test"))
    assert result.memory == trained * per_row
    monkeypatch.setattr(log_check, "available_bytes", lambda: trained * per_row)
    assert any("set training.cache: none" in text for text in _texts(check()))
    assert _texts(check(training={"cache": "none"})) == []
