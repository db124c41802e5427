"""Days that go on: the same whichever follow, drifting as asked, with their best AUC known."""

import filecmp
import itertools
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mtlx.pipeline.simulation.days.day_folder import STATE, StateLost, only_writer
from mtlx.pipeline.simulation.days.settings import DailySettings
from mtlx.pipeline.simulation.days.simulator import simulate_days

TASKS = ("click", "add_to_cart", "purchase")
CONDITIONAL = ("click_true", "add_to_cart_given_click", "purchase_given_add_to_cart")
#: Nothing changes but what preferences do.
STILL = {"new_items": 0.0, "new_users": 0.0, "weekly": 0.0}


def _files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _same(one, other):
    names = _files(one)
    return names == _files(other) and filecmp.cmpfiles(one, other, names, shallow=False)[0] == names


@pytest.fixture(scope="module")
def ten_days(simulate_some, tmp_path_factory):
    return simulate_some(tmp_path_factory.mktemp("days") / "x", days=10, rows_per_day=3_000)


def test_layout(simulate_some, tmp_path):
    folder = simulate_some(tmp_path / "x", days=2, rows_per_day=300, format="csv", shards=2)
    assert _files(folder) == [
        "best_auc/day=2024-01-01.json",
        "best_auc/day=2024-01-02.json",
        "ground_truth/day=2024-01-01.parquet",
        "ground_truth/day=2024-01-02.parquet",
        "logs/day=2024-01-01/part-00000-of-00002.csv",
        "logs/day=2024-01-01/part-00001-of-00002.csv",
        "logs/day=2024-01-02/part-00000-of-00002.csv",
        "logs/day=2024-01-02/part-00001-of-00002.csv",
        "simulation.json",
        "state.npz",
    ]
    log = pd.read_csv(folder / "logs/day=2024-01-02/part-00000-of-00002.csv")
    assert (log.tags.str.count("[|]") == log.tag_weights.astype(str).str.count("[|]")).all()
    assert set(log.weekday) == {"tuesday"} and set(log.day) == {2}
    assert (pd.to_datetime(log.timestamp, unit="s").dt.strftime("%F") == "2024-01-02").all()


def test_a_day_is_the_same_whichever_days_follow_and_however_they_are_asked_for(
    simulate_some, tmp_path
):
    at_once = simulate_some(tmp_path / "a", days=6)
    step_by_step = tmp_path / "b"
    for days in (1, 4, 6):
        simulate_some(step_by_step, days=days)
    assert _same(at_once, step_by_step)
    fewer = simulate_some(tmp_path / "c", days=3)
    for name in _files(fewer):
        if "day=" in name:
            assert filecmp.cmp(fewer / name, at_once / name, shallow=False)
    other = simulate_some(tmp_path / "d", days=3, seed=2)
    name = "ground_truth/day=2024-01-03.parquet"
    assert not filecmp.cmp(fewer / name, other / name, shallow=False)


def test_all_but_the_tags_is_what_it_was_before_there_were_any(simulate_some, tmp_path, digest):
    folder = simulate_some(tmp_path / "x", days=3, rows_per_day=400, format="csv", shards=2)
    assert digest(folder) == "39935128cdcd8920"


def test_what_is_there_is_left_alone_and_said(simulate_some, tmp_path):
    folder, said = simulate_some(tmp_path / "x", days=2), []
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    settings = DailySettings.read({"rows_per_day": 1_000, "format": "parquet", "shards": 1})

    def again(days):
        return simulate_days(settings.model_copy(update={"days": days}), folder, say=said.append)

    assert not again(2) and not again(1)
    assert said[0].endswith("holds these 2 days already; nothing to do")
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert again(3)
    assert said[2].startswith("Wrote 1 days up to Wednesday, 2024-01-03, 920 rows, to ")
    with pytest.raises(FileExistsError, match=r"rows_per_day 1000 → 999.*--overwrite"):
        simulate_some(folder, rows_per_day=999)


def test_histories_and_keys_go_on_over_the_days(ten_days, read_day):
    log = pd.concat([read_day(ten_days, day) for day in range(1, 11)])
    assert log.impression_id.tolist() == list(range(1, len(log) + 1))
    compared = 0
    for day in (2, 7, 10):
        before, now = log[log.day == day - 1], log[log.day == day]
        old = before.drop_duplicates("user_id").set_index("user_id").clicked_items
        new = now.drop_duplicates("user_id").set_index("user_id").clicked_items
        clicks = before[before.click == 1].groupby("user_id").item_id.agg(list)
        for user in new.index.intersection(old.index):
            assert list(new[user]) == [*old[user], *clicks.get(user, [])][-20:]
            compared += 1
    assert compared > 300
    # Who comes new has no past, and is there the next day too.
    first_seen = log.groupby("user_id").day.min()
    late = log[log.user_id.str[1:].astype(int) > 1200]
    assert len(late) > 500
    assert (late[late.day == late.user_id.map(first_seen)].clicked_items.map(len) == 0).mean() > 0.9


@pytest.mark.parametrize("day", [1, 7, 10])
def test_the_best_auc_of_each_day_is_that_of_its_truth(ten_days, read_day, best_auc, day):
    """By counting pairs: no library that the simulator uses."""

    def area(labels, scores):
        ahead = scores[labels == 1][:, np.newaxis] - scores[labels == 0]
        return np.mean((ahead > 0) + 0.5 * (ahead == 0))

    rows, best, compared = read_day(ten_days, day), best_auc(ten_days, day), 0
    for task, truth in zip(TASKS, CONDITIONAL, strict=True):
        slices = {"overall": rows, **{f"domain={d}": p for d, p in rows.groupby("scenario")}}
        assert set(best[task]) == set(slices)
        judged = [(task, truth)]
        judged += [(f"{task} without position", "click_without_position")] * (task == "click")
        for (name, part), (key, column) in itertools.product(slices.items(), judged):
            expected = area(part[task].to_numpy(), part[column].to_numpy())
            assert best[key][name] == pytest.approx(expected, abs=1e-9)
            compared += 1
        rows = rows[rows[task] == 1]
    assert compared == 16
    # And the labels are drawn from that truth.
    rows = read_day(ten_days, day)
    expected = rows.click_true.sum()
    assert abs(rows.click.sum() - expected) < 4.5 * np.sqrt(expected)


@pytest.mark.parametrize("share", [0.0, 0.03, 0.1])
def test_new_items_take_the_share_of_impressions_that_was_asked_for(
    simulate_some, tmp_path, read_day, share
):
    settings = {"days": 14, "rows_per_day": 2_000, "items": 400, "new_items": share, "drift": 0.0}
    folder = simulate_some(tmp_path / "x", **settings)
    number = {day: read_day(folder, day).item_id.str[1:].astype(int) for day in (7, 10, 14)}
    in_first_week = json.loads((folder / "simulation.json").read_text())["days"][6]["items_ever"]
    for day in (7, 10, 14):
        expected = 1 - (1 - share) ** (day - 7)
        found = (number[day] > in_first_week).mean()
        assert found == pytest.approx(expected, abs=0.0 if expected == 0.0 else 0.1)
        gone = len(set(range(1, 401)) - set(number[day]))
        assert share == 0.0 or gone > 400 * (1 - (1 - share) ** (day - 1)) * 0.9


def test_items_that_left_come_back_in_histories_alone(simulate_some, tmp_path, read_day):
    folder = simulate_some(tmp_path / "x", days=8, items=300, new_items=0.2)
    last = read_day(folder, 8)
    old = last.item_id.str[1:].astype(int) <= 300
    remembered = last.clicked_items.explode().dropna().str[1:].astype(int)
    assert old.mean() < 0.4 and (remembered <= 300).mean() > 0.6


def test_the_week_shows_in_the_counts_and_in_what_people_do(simulate_some, tmp_path, read_day):
    settings = {"days": 14, "rows_per_day": 4_000, "drift": 0.0, "new_items": 0.0, "seed": 3}
    folder = simulate_some(tmp_path / "x", **settings)
    rows = [len(read_day(folder, day)) for day in range(1, 15)]
    expected = [3600, 3520, 3680, 3800, 4200, 4720, 4480]
    assert rows == expected * 2 and sum(expected) == 7 * 4_000
    days = json.loads((folder / "simulation.json").read_text())["days"]
    assert [day["rows"] for day in days] == rows
    assert [day["weekday"] for day in days][4:8] == ["friday", "saturday", "sunday", "monday"]
    both = {name: pd.concat([read_day(folder, day) for day in numbers])
            for name, numbers in (("work", (2, 3, 4, 9, 10, 11)), ("free", (6, 7, 13, 14)))}  # fmt: skip
    # The true probability of a click differs by category, and by more than chance.
    by_category = {name: part.groupby("category").click_true.mean() for name, part in both.items()}
    still = simulate_some(tmp_path / "y", **settings, weekly=0.0)
    assert {len(read_day(still, day)) for day in range(1, 15)} == {4_000}
    plain = {name: pd.concat([read_day(still, day) for day in numbers]).groupby("category")
             .click_true.mean() for name, numbers in (("work", (2, 3, 4, 9)), ("free", (6, 7, 13)))}  # fmt: skip
    moved = (by_category["free"] / by_category["work"]).std()
    assert moved > 0.1 > 0.06 > (plain["free"] / plain["work"]).std()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_model_of_the_first_day_loses_by_drift_and_by_nothing_else(
    simulate_some, tmp_path, read_day, click_model, seed
):
    """Distance to the best possible AUC of clicks, in the first days and after two weeks."""

    def loss(drift):
        settings = {"days": 14, "rows_per_day": 8_000, "drift": drift, "seed": seed, **STILL}
        folder = simulate_some(tmp_path / str(drift), **settings)
        model = click_model(read_day(folder, 1))
        behind = []
        for days in ((2, 3), (13, 14)):
            rows = pd.concat([read_day(folder, day) for day in days])
            behind.append(roc_auc_score(rows.click, rows.click_true) - model.auc(rows))
        return behind[1] - behind[0]

    assert abs(loss(0.0)) < 0.012
    assert loss(0.3) > 0.02


def test_a_kill_leaves_whole_days_and_the_same_command_goes_on(simulate_some, tmp_path):
    folder = tmp_path / "x"
    code = (
        "from mtlx.pipeline.simulation.days.settings import DailySettings\n"
        "from mtlx.pipeline.simulation.days.simulator import simulate_days\n"
        "simulate_days(DailySettings(days=300, rows_per_day=3000, format='parquet', shards=1), "
        f"{str(folder)!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 300
    while len(list(folder.glob("logs/day=*"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    written = len(list((folder / "logs").iterdir()))
    assert 3 <= written < 300
    simulate_some(folder, days=written + 1, rows_per_day=3_000)
    assert _same(folder, simulate_some(tmp_path / "y", days=written + 1, rows_per_day=3_000))


@pytest.mark.parametrize("after", ["ground_truth", "logs"])
def test_a_kill_between_a_days_files_and_its_state_changes_nothing(
    simulate_some, tmp_path, monkeypatch, after
):
    """The day is made again, and its files that are in their places are the same."""
    folder = simulate_some(tmp_path / "x", days=2)
    expected = simulate_some(tmp_path / "y", days=3)
    for name in ("ground_truth", "best_auc", "logs")[: 1 if after == "ground_truth" else 3]:
        (made,) = (expected / name).glob("day=2024-01-03*")
        os.rename(made, folder / name / made.name)
    (folder / ".unfinished").mkdir()
    (folder / ".unfinished/half").write_text("x")
    simulate_some(folder, days=3)
    assert _same(folder, simulate_some(tmp_path / "z", days=3))


def test_an_error_in_a_day_leaves_the_days_before(simulate_some, tmp_path, monkeypatch):
    from mtlx.pipeline.simulation.days import simulator

    folder = simulate_some(tmp_path / "x", days=2)
    before = _files(folder)

    def full(*unused):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(simulator, "truth_table", full)
    with pytest.raises(OSError, match="No space"):
        simulate_some(folder, days=3)
    assert _files(folder) == before
    monkeypatch.undo()
    assert _same(simulate_some(folder, days=3), simulate_some(tmp_path / "y", days=3))


def test_a_lost_state_and_another_writer_are_named(simulate_some, tmp_path):
    folder = simulate_some(tmp_path / "x", days=1)
    with only_writer(folder), pytest.raises(FileExistsError, match="adds days to .* just now"):
        simulate_some(folder, days=2)
    (folder / STATE).write_bytes(b"half")
    with pytest.raises(StateLost, match=r"state.npz cannot be read .*--overwrite"):
        simulate_some(folder, days=2)
    (folder / STATE).unlink()
    with pytest.raises(StateLost, match="state.npz cannot be read"):
        simulate_some(folder, days=2)


def test_other_settings_replace_only_when_asked(simulate_some, tmp_path):
    folder = simulate_some(tmp_path / "x", days=2)
    settings = DailySettings(days=1, rows_per_day=500, format="parquet", shards=1)
    assert simulate_days(settings, folder, overwrite=True, say=lambda line: None)
    assert len(list((folder / "logs").iterdir())) == 1
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/a.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="no simulated log"):
        simulate_days(settings, tmp_path / "thesis", overwrite=True)
