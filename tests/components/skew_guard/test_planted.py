"""What is planted between log and service is found and named, and nothing else is."""

import numpy as np
import pytest

from tests.components.skew_guard.served_day import (
    ROWS,
    guarded,
    logged,
    made_rows,
    save_versions,
    scored,
    write_served,
)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The serving folder, with two versions."""
    return save_versions(tmp_path_factory.mktemp("serving"), (0.0, 0.05))


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """Rows of a day, and the artifacts that they were ingested as."""
    rows = made_rows(np.random.default_rng(1))
    return rows, logged(tmp_path_factory.mktemp("day"), rows)


def named(skew):
    """Features and tasks that lie beyond, and nothing else."""
    return {movement.of for movement in skew.moved} | {
        one.task for one in skew.scores if one.beyond
    }


def test_what_was_served_as_it_was_logged_is_no_alarm_on_ten_days(service, tmp_path):
    random = np.random.default_rng(2)
    for number in range(10):
        (folder := tmp_path / str(number)).mkdir()
        rows = made_rows(random, 600, first=600 * number)
        artifacts = logged(folder, rows)
        # On odd days the service has logged other rows of the same traffic.
        served = made_rows(random, 600) if number % 2 else rows
        log = write_served(folder / "served.csv", scored(served, service))
        skew, _ = guarded(folder, artifacts, log, service, key=None if number % 2 else "impression")
        assert skew.beyond == [] and skew.notes == ()
        assert [(one.compared, one.differing, one.unusable) for one in skew.scores] == 2 * [
            (600, 0, 0)
        ]
        assert max(one.largest for one in skew.scores) < 1e-6


def test_a_feature_that_is_served_a_hundredfold(service, day, tmp_path):
    rows, artifacts = day
    served = [row | {"price": row["price"] and f"{100 * float(row['price']):.4f}"} for row in rows]
    log = write_served(tmp_path / "served.csv", scored(served, service))
    skew, _ = guarded(tmp_path, artifacts, log, service)
    assert named(skew) == {"price"} and skew.comparison.features[0].name == "price"
    assert [movement.measure for movement in skew.moved] == ["jensen_shannon"]
    assert skew.line.startswith(
        "Serving skew, what was served against the newest logs: price: jensen shannon "
    )


def test_a_feature_that_arrives_missing(service, day, tmp_path):
    rows, artifacts = day
    random = np.random.default_rng(3)
    served = [row | {"age": "" if random.random() < 0.2 else row["age"]} for row in rows]
    log = write_served(tmp_path / "served.csv", scored(served, service))
    skew, _ = guarded(tmp_path, artifacts, log, service, key="impression")
    assert named(skew) == {"age"}
    assert [movement.measure for movement in skew.moved] == ["missing", "unequal"]
    assert skew.moved[0].new == pytest.approx(0.2, abs=0.03) and skew.moved[0].before == 0.0
    # The rows' scores are those of what was served: nothing is wrong with them.
    assert [one.differing for one in skew.scores] == [0, 0]


def test_scores_of_another_version_than_the_log_says(service, day, tmp_path):
    rows, artifacts = day
    half = len(rows) // 2
    served = scored(rows[:half], service) + [
        row | {"version": "1"} for row in scored(rows[half:], service, "2")
    ]
    log = write_served(tmp_path / "served.csv", served)
    skew, _ = guarded(tmp_path, artifacts, log, service)
    assert named(skew) == {"click", "buy"}
    assert all(0.45 < one.share <= 0.5 for one in skew.scores)
    assert "score of click (p_click): 50 % of 2,000 rows differ by more than 0.0001" in skew.line
    # With the right numbers both versions are asked, and agree.
    right = served[:half] + [row | {"version": "02"} for row in served[half:]]
    log = write_served(tmp_path / "right.csv", right)
    skew, _ = guarded(tmp_path, artifacts, log, service)
    assert named(skew) == set()
    assert skew.scores[0].versions == {"1": (half, 0), "2": (half, 0)}


def test_scores_that_were_cut_to_two_decimals(service, day, tmp_path):
    rows, artifacts = day
    served = [
        row | {"p_click": str(int(100 * float(row["p_click"])) / 100)}
        for row in scored(rows, service)
    ]
    log = write_served(tmp_path / "served.csv", served)
    skew, message = guarded(tmp_path, artifacts, log, service, on_skew="stop")
    assert named(skew) == {"click"}
    click = skew.scores[0]
    assert click.share > 0.95 and 0.009 < click.largest < 0.011
    first, second, last = message.splitlines()
    assert first == "what was served differs in 1 places:" and second.startswith("  score of click")
    assert last.endswith("--set skew.on_skew=warn")
    # Where that is how the service logs, it is no alarm.
    skew, _ = guarded(tmp_path, artifacts, log, service, tolerance=0.011)
    assert skew.beyond == []


def test_values_that_were_served_to_other_rows_are_seen_by_their_key_alone(service, day, tmp_path):
    rows, artifacts = day
    ages = np.random.default_rng(4).permutation([row["age"] for row in rows[:200]])
    served = [row | {"age": str(age)} for row, age in zip(rows, ages, strict=False)] + rows[200:]
    # The service logs the features that it should have served, and the scores of what it did.
    true = scored(rows, service)
    wrong = [
        row | {name: other[name] for name in ("p_click", "p_buy")}
        for row, other in zip(true, scored(served, service), strict=True)
    ]
    log = write_served(tmp_path / "scores.csv", wrong)
    skew, _ = guarded(tmp_path, artifacts, log, service, key="impression")
    assert named(skew) == {"click", "buy"}
    log = write_served(tmp_path / "features.csv", scored(served, service))
    assert guarded(tmp_path, artifacts, log, service)[0].beyond == []
    skew, _ = guarded(tmp_path, artifacts, log, service, key="impression")
    assert named(skew) == {"age"} and skew.joined.found == ROWS
    (moved,) = skew.moved
    assert moved.measure == "unequal" and moved.value == pytest.approx(0.1, abs=0.01)


def test_where_scores_and_features_are_both_wrong_the_rows_tell_which_feature(
    service, day, tmp_path
):
    rows, artifacts = day
    true = scored(rows, service)
    # Of every fifth row the log has another brand than the one that was scored.
    served = [row | ({"brand": "b999"} if place % 5 == 0 else {}) for place, row in enumerate(true)]
    log = write_served(tmp_path / "served.csv", served)
    skew, _ = guarded(tmp_path, artifacts, log, service, key="impression")
    assert named(skew) == {"brand", "click", "buy"}
    brand, *others = skew.joined.features
    assert brand.movement.of == "brand" and brand.of_differing == 1.0
    assert all(one.of_differing == 0.0 for one in others)
