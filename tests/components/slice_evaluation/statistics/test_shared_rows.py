"""Rows that share a value: noticed where they are alike, and not where they are not."""

import numpy as np
import pytest

from benchmarks.shared_rows_notice import CONTRACT, findings, hashes, share_noticed
from benchmarks.simulated_scorers import Scorers
from mtlx.components.slice_evaluation.statistics.shared_rows import SharedRows, grouping_features


def _find(scorers, groupings=None, seed=1):
    """The findings where `user_id` tells the users apart, and `city` is anything."""
    return findings(scorers, np.random.default_rng(seed), groupings)


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


@pytest.mark.parametrize("users", [12, 20, 50])
def test_few_users_are_noticed_where_no_model_reads_their_id(users):
    """With the variance of the AUC alone, at least 50 values were asked for."""
    assert share_noticed(Scorers(1000, users), "user_id", 40) > 0.5
    alone = Scorers(1000, users, score_effect=0.0, own_effect=0.0, label_effect=0.0)
    assert share_noticed(alone, "user_id", 40) < 0.1


def test_fewer_values_are_no_users():
    assert _find(Scorers(6000, 11)) == []
    # Nor are so few of a feature that models read.
    few = Scorers(6000, 40)
    _, _, users = few.draw(np.random.default_rng(1), 1)
    nothing = np.zeros(6000, np.uint64)
    assert _find(few, {"user_id": nothing, "city": hashes(users)}) == []


def test_a_feature_that_models_read_with_many_rows_a_value_is_no_user():
    """A trade, say: its rows are alike because the scores follow it."""
    scorers = Scorers(18_000, 60)
    labels, scores, users = scorers.draw(np.random.default_rng(1), 1)
    trade = hashes(users)
    nothing = np.zeros_like(trade)
    assert _find(scorers, {"user_id": nothing, "city": trade}) == []
    # The same rows under a name that no model reads are a user's.
    assert [shared.feature for shared in _find(scorers, {"user_id": trade, "city": nothing})] == [
        "user_id"
    ]


def test_a_sample_of_the_values_tells_as_much(monkeypatch):
    (whole,) = _find(Scorers(12_000, 600))
    monkeypatch.setattr(
        "mtlx.components.slice_evaluation.statistics.shared_rows._SAMPLED_ROWS", 6000
    )
    (part,) = _find(Scorers(12_000, 600))
    assert 200 < part.values < 400 < whole.values == 600
    assert part.factor == pytest.approx(whole.factor, abs=0.3)


def test_what_no_model_embeds_comes_first_and_domains_do_not_count():
    assert grouping_features(CONTRACT) == ["user_id", "city"]
    shared = SharedRows("city", "click", 80, 1.44, True)
    assert "1.4 times too narrow if city tells users apart; name it" in shared.notice
    # So few values may be anything, say devices, even where no model reads them.
    shared = SharedRows("user_id", "click", 20, 1.44, False)
    assert "too narrow if user_id tells users apart; name it" in shared.notice
