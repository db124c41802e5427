"""Rows that share a value: noticed where they are alike, and not where they are not."""

import dataclasses

import numpy as np
import pytest

from benchmarks.simulated_scorers import Scorers
from components.slice_evaluation.cluster_sums import ClusterSums
from components.slice_evaluation.evaluation_batch import EvaluationBatch
from components.slice_evaluation.paired_pass import PairedPass
from components.slice_evaluation.shared_rows import (
    GroupedPlacements,
    SharedRows,
    find_shared_rows,
    grouping_features,
)
from components.slice_evaluation.slice_totals import SliceTotals
from components.slice_evaluation.slices import SliceColumn
from transform.data_contract import DataContract

FEATURES = ["user_id", "city"]
CONTRACT = DataContract.read(
    {
        "features": {
            "scenario": {"kind": "categorical"},
            "city": {"kind": "categorical"},
            "price": {"kind": "numeric"},
            "user_id": {"kind": "categorical", "embed": False},
        },
        "tasks": {"click": {"label": "click"}},
        "domain": {"feature": "scenario", "values": ["feed", "search"]},
    }
)


def _find(scorers, groupings=None, seed=1):
    """The findings where `user_id` tells the users apart, and `city` is anything."""
    rng = np.random.default_rng(seed)
    labels, scores, users = (drawn for drawn in scorers.draw(rng, 1))
    rows = labels.size
    hashes = (users.ravel() + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    groupings = groupings or {
        "user_id": hashes,
        "city": rng.permutation(hashes),
    }
    batch = EvaluationBatch(
        [SliceColumn(np.zeros(rows, np.int64), ((),))],
        labels, np.ones((1, rows), bool), scores.reshape(2, 1, rows), None, groupings,
    )  # fmt: skip
    totals = SliceTotals(2, 1, 10)
    totals.add(batch)
    passed, grouped = PairedPass(totals), GroupedPlacements(tuple(FEATURES), 1)
    sums = ClusterSums(2)
    for part in np.array_split(np.arange(rows), 3):
        sums.merge(grouped.sums(_part(batch, part), passed))
    return find_shared_rows(sums, passed, FEATURES, ("click",), CONTRACT)


def _part(batch, rows):
    return dataclasses.replace(
        batch,
        slices=[SliceColumn(np.zeros(len(rows), np.int64), ((),))],
        labels=batch.labels[:, rows],
        population=batch.population[:, rows],
        scores=batch.scores[:, :, rows],
        groupings={name: values[rows] for name, values in batch.groupings.items()},
    )


def test_rows_of_alike_users_are_noticed_with_the_factor():
    (found,) = _find(Scorers(6000, 300))
    assert (found.feature, found.task, found.embedded) == ("user_id", "click", False)
    assert found.values == 300
    # 20 rows a user at this likeness: intervals that are about half as wide again.
    assert 1.2 < found.factor < 2.0
    assert found.notice.endswith("too narrow; name it in evaluation.user_key.")


@pytest.mark.parametrize("seed", range(8))
def test_independent_rows_are_not(seed):
    # The users are there, but their rows have nothing in common.
    alone = Scorers(6000, 300, score_effect=0.0, own_effect=0.0, label_effect=0.0)
    assert _find(alone, seed=seed) == []


def test_few_values_are_no_users():
    assert _find(Scorers(6000, 40)) == []


def test_a_feature_that_models_read_with_many_rows_a_value_is_no_user():
    """A trade, say: its rows are alike because the scores follow it."""
    scorers = Scorers(18_000, 60)
    labels, scores, users = scorers.draw(np.random.default_rng(1), 1)
    trade = (users.ravel() + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    nothing = np.zeros_like(trade)
    assert _find(scorers, {"user_id": nothing, "city": trade}) == []
    # The same rows under a name that no model reads are a user's.
    assert [shared.feature for shared in _find(scorers, {"user_id": trade, "city": nothing})] == [
        "user_id"
    ]


def test_a_sample_of_the_values_tells_as_much(monkeypatch):
    (whole,) = _find(Scorers(12_000, 600))
    monkeypatch.setattr("components.slice_evaluation.shared_rows._SAMPLED_ROWS", 6000)
    (part,) = _find(Scorers(12_000, 600))
    assert 200 < part.values < 400 < whole.values == 600
    assert part.factor == pytest.approx(whole.factor, abs=0.3)


def test_what_no_model_embeds_comes_first_and_domains_do_not_count():
    assert grouping_features(CONTRACT) == ["user_id", "city"]
    shared = SharedRows("city", "click", 80, 1.44, True)
    assert "1.4 times too narrow if city tells users apart; name it" in shared.notice
