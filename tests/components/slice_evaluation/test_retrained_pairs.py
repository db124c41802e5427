"""The A/A benchmark of whole retrainings: that it goes on where it stopped, and what it counts."""

import json

import numpy as np
import pytest

from benchmarks import retrained_pairs
from benchmarks.retrained_pairs import Records, go_on, scored_rows, summary

SETTINGS = {"seeds": 3}


def _score(between, rows=800):
    """In the place of trainings: scores whose quality hangs on the model as on a seed."""

    def score(trial):
        rng = np.random.default_rng(trial)
        test = {"click": (rng.random(rows) < 0.5).astype(int)}
        test["conversion"] = test["click"] * (rng.random(rows) < 0.4)
        gains = 1.2 + between * rng.normal(size=6)
        scores = [
            [
                1 / (1 + np.exp(-gain * test[task] - 0.7 * common - 0.3 * rng.normal(size=rows)))
                for task in ("click", "conversion")
            ]
            for common in [rng.normal(size=rows)]
            for gain in gains
        ]
        return scored_rows(test, np.array(scores))

    return score


def test_it_goes_on_where_it_was_stopped(tmp_path):
    path = tmp_path / "var" / "pairs.jsonl"
    records = Records(path, SETTINGS)
    assert list(go_on(records, 3, _score(0.1))) == [0, 1, 2]
    whole = path.read_text(encoding="utf-8")
    # Stopped in the middle of a line.
    path.write_text(whole[:-40], encoding="utf-8")
    again = Records(path, SETTINGS)
    assert sorted(again.trials) == [0, 1]
    assert list(go_on(again, 4, _score(0.1))) == [2, 3]
    assert path.read_text(encoding="utf-8").startswith(whole)
    read = Records(path, SETTINGS)
    for task, scored in records.trials[2].items():
        np.testing.assert_array_equal(read.trials[2][task].aucs, scored.aucs)
        np.testing.assert_array_equal(
            read.trials[2][task].spread.covariance, scored.spread.covariance
        )
    assert summary(read, 3) == summary(again, 3)


def test_trials_of_other_settings_are_refused(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"trial": 0, "settings": {"seeds": 5}, "tasks": {}}) + "\n")
    with pytest.raises(SystemExit, match="other settings"):
        Records(path, SETTINGS)


def test_it_counts_what_seeds_do_to_one_training_and_not_to_means_over_them(tmp_path):
    records = Records(tmp_path / "pairs.jsonl", SETTINGS)
    list(go_on(records, 60, _score(0.25)))
    one, several = summary(records, 3).values()
    assert one.decided > 0.95 and several.decided > 0.95
    # 95 % is asked for; three standard errors of 120 intervals are 6 %.
    assert one.covered < 0.75 < 0.89 < several.covered
    assert one.any_blocks > 0.2 and several.family_blocks < 0.14
    assert several.width > one.width


def test_without_anything_there_is_nothing_to_sum_up(tmp_path, monkeypatch):
    path = str(tmp_path / "none.jsonl")
    monkeypatch.setattr("sys.argv", ["retrained_pairs", "--only-summary", "--results", path])
    with pytest.raises(SystemExit, match="holds no trial yet"):
        retrained_pairs.main()
