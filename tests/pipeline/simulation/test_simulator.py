import filecmp
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder

from mtlx.pipeline.simulation.settings import SimulationSettings
from mtlx.pipeline.simulation.simulator import simulate

SMALL = {"rows": 1_003, "days": 3}
TASKS = ("click", "add_to_cart", "purchase")
SEQUENCES = {"click": "clicked_items", "add_to_cart": "carted_items", "purchase": "purchased_items"}
CATEGORIES = ["clicked_categories", "carted_categories", "purchased_categories"]
TRUTH = ("click", "add_to_cart_given_click", "purchase_given_add_to_cart")


def _small(folder, **changes):
    simulate(SimulationSettings(**{**SMALL, **changes}), folder, say=lambda line: None)
    return folder


def _files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_same_seed_same_bytes(tmp_path):
    first, second = (_small(tmp_path / name, gzip=True) for name in "ab")
    names = _files(first)
    assert "logs/day=03/part-00001-of-00002.csv.gz" in names
    assert names == _files(second)
    assert filecmp.cmpfiles(first, second, names, shallow=False)[0] == names


def test_all_but_the_tags_is_what_it_was_before_there_were_any(tmp_path, digest):
    assert digest(_small(tmp_path / "x")) == "d00400f5e7fe298f"


def test_another_seed_gives_other_rows(tmp_path, read_log):
    first, second = (read_log(_small(tmp_path / str(seed), seed=seed)) for seed in (1, 2))
    assert (first.item_id != second.item_id).mean() > 0.9


@pytest.mark.parametrize("changes", [{"gzip": True}, {"format": "parquet"}, {"shards": 3}])
def test_rows_do_not_depend_on_how_they_are_written(tmp_path, read_log, read_truth, changes):
    plain, other = _small(tmp_path / "plain"), _small(tmp_path / "other", **changes)
    expected, found = read_log(plain), read_log(other)
    assert len(expected) == SMALL["rows"]
    if changes.get("format") == "parquet":
        for column in [*SEQUENCES.values(), *CATEGORIES, "tags", "tag_weights"]:
            as_text = "{:g}".format if column == "tag_weights" else str
            texts = ["|".join(map(as_text, items)) for items in found[column]]
            found[column] = pd.Series(texts).replace("", np.nan)
    pd.testing.assert_frame_equal(expected, found, check_exact=True)
    pd.testing.assert_frame_equal(read_truth(plain), read_truth(other))
    assert (plain / "best_auc.json").read_text() == (other / "best_auc.json").read_text()


def test_layout(tmp_path):
    folder = _small(tmp_path / "x", shards=2)
    assert _files(folder) == [
        "best_auc.json",
        *(f"ground_truth/day=0{day}.parquet" for day in (1, 2, 3)),
        *(
            f"logs/day=0{day}/part-0000{shard}-of-00002.csv"
            for day in (1, 2, 3)
            for shard in (0, 1)
        ),
        "simulation.json",
    ]


def test_rates_are_realistic(log, default_log):
    assert 0.10 < log.click.mean() < 0.15
    assert 0.20 < log.add_to_cart[log.click == 1].mean() < 0.26
    assert 0.30 < log.purchase[log.add_to_cart == 1].mean() < 0.40
    assert log.purchase[log.day == 8].sum() > 100
    rates = json.loads((default_log / "simulation.json").read_text())["rates"]
    assert rates["click"] == pytest.approx(log.click.mean(), abs=1e-5)
    assert rates["purchase"] == pytest.approx(log.purchase.sum() / log.add_to_cart.sum(), abs=1e-5)


def test_no_action_without_the_one_before(log):
    assert not ((log.add_to_cart == 1) & (log.click == 0)).any()
    assert not ((log.purchase == 1) & (log.add_to_cart == 0)).any()


def test_domains_have_the_shares_of_the_mix(log):
    shares = log.scenario.value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx(
        {"home_feed": 0.5, "search": 0.3, "product_page": 0.2}, abs=0.01
    )


def test_time_runs_forward_within_the_right_day(log):
    assert log.timestamp.is_monotonic_increasing
    assert (log.path == log.day.map("day={:02d}".format)).all()
    assert ((pd.to_datetime(log.timestamp, unit="s").dt.day) == log.day).all()
    assert (pd.to_datetime(log.timestamp, unit="s").dt.hour == log.hour).all()


def test_values_are_plausible(log):
    assert log.price.skew() > 1
    assert (log.price > 0).all()
    assert 0.02 < log.age.isna().mean() < 0.06
    assert log.rating.between(1, 5).all()
    assert log.position.between(1, 20).all()
    assert log.drop(columns="age").notna().all().all()
    assert log.groupby("item_id")[["category", "brand", "price"]].nunique().eq(1).all().all()
    assert log.groupby("user_id")[["gender", "city", "segment"]].nunique().eq(1).all().all()


@pytest.mark.parametrize("task", TASKS)
def test_histories_are_the_actions_before_the_day(log, task):
    """A sequence is that of the day before, continued by that day's actions, in order."""
    column, keep, compared = SEQUENCES[task], 20, 0
    for day in range(2, 9):
        before, now = log[log.day == day - 1], log[log.day == day]
        old = before.drop_duplicates("user_id").set_index("user_id")[column]
        new = now.drop_duplicates("user_id").set_index("user_id")[column]
        actions = before[before[task] == 1].groupby("user_id").item_id.agg(list)
        for user in new.index.intersection(old.index):
            expected = [*old[user], *actions.get(user, [])][-keep:]
            assert list(new[user]) == expected
            compared += len(expected)
        assert now.groupby("user_id")[column].agg(lambda rows: len({*map(tuple, rows)})).eq(1).all()
    assert compared > 1_000


def test_each_behaviour_has_its_category_beside_it(log):
    of_item = log.drop_duplicates("item_id").set_index("item_id").category
    for items, categories in zip(SEQUENCES.values(), CATEGORIES, strict=True):
        assert (log[items].map(len) == log[categories].map(len)).all()
        pairs = pd.DataFrame({"item": log[items].explode(), "category": log[categories].explode()})
        pairs = pairs[pairs.item.isin(of_item.index)]
        assert len(pairs) > 10_000 and (pairs.item.map(of_item) == pairs.category).all()


@pytest.mark.parametrize(("task", "truth"), zip(TASKS, TRUTH, strict=True))
def test_best_auc_is_that_of_the_truth_on_the_test_day(log, default_log, read_truth, task, truth):
    rows = log.merge(read_truth(default_log), on="impression_id", suffixes=("", "_true"))
    rows = rows[rows.day == 8]
    probability = "click_true" if truth == "click" else truth
    parent = {"add_to_cart": "click", "purchase": "add_to_cart"}.get(task)
    if parent:
        rows = rows[rows[parent] == 1]
    best = json.loads((default_log / "best_auc.json").read_text())[task]
    assert set(best) == {"overall", *(f"domain={name}" for name in set(log.scenario))}
    assert best["overall"] == pytest.approx(roc_auc_score(rows[task], rows[probability]))
    for domain, part in rows.groupby("scenario"):
        expected = roc_auc_score(part[task], part[probability])
        assert best[f"domain={domain}"] == pytest.approx(expected)


def test_who_does_not_know_the_position_reaches_less(log, default_log, read_truth):
    rows = log[log.day == 8].merge(read_truth(default_log), on="impression_id", suffixes=("", "_t"))
    best = json.loads((default_log / "best_auc.json").read_text())
    found = best["click without position"]["overall"]
    assert found == pytest.approx(roc_auc_score(rows.click, rows.click_without_position))
    # By far, and yet calibrated.
    assert found < best["click"]["overall"] - 0.01
    assert rows.click_without_position.mean() == pytest.approx(rows.click_t.mean(), rel=0.01)


def test_true_probabilities_are_calibrated(log, default_log, read_truth):
    rows = log.merge(read_truth(default_log), on="impression_id", suffixes=("", "_true"))
    for task in TASKS:
        probability = rows[f"{task}_true"]
        deciles = rows.groupby(pd.qcut(probability, 10, labels=False))
        expected, found = deciles[f"{task}_true"].sum(), deciles[task].sum()
        assert (abs(found - expected) < 4.5 * np.sqrt(expected)).all()


def _with_matches(log):
    """Adds how often the item's category occurs in each behaviour sequence."""
    category = log.drop_duplicates("item_id").set_index("item_id").category
    for column in SEQUENCES.values():
        items = log[[column, "category"]].explode(column)
        same = items[column].map(category) == items.category
        log = log.assign(**{f"{column}_matches": same.groupby(level=0).sum().clip(upper=5)})
    return log


def test_a_simple_model_is_good_but_below_the_best(log, default_log):
    log = _with_matches(log)
    best = json.loads((default_log / "best_auc.json").read_text())
    text = ["scenario", "gender", "city", "segment", "category", "brand", "device", "hour"]
    text += [f"{column}_matches" for column in SEQUENCES.values()]
    numbers = ["age", "activity", "price", "popularity", "rating", "discount", "position"]
    log[numbers] = log[numbers].fillna(log[numbers].median())
    bins = KBinsDiscretizer(10, encode="ordinal", strategy="kmeans", random_state=0).fit(
        log[numbers]
    )
    values = np.hstack([log[text].astype(str), bins.transform(log[numbers]).astype(str)])
    rows = np.ones(len(log), bool)
    for task in TASKS:
        train, test = rows & (log.day < 8), rows & (log.day == 8)
        model = make_pipeline(
            OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=0.3, max_iter=300)
        )
        model.fit(values[train], log[task][train])
        reached = roc_auc_score(log[task][test], model.predict_proba(values[test])[:, 1])
        assert 0.65 < reached < best[task]["overall"] - 0.01, task
        rows = rows & (log[task] == 1)


def test_a_second_call_does_nothing_and_says_so(tmp_path):
    folder, said = tmp_path / "x", []
    assert simulate(SimulationSettings(**SMALL), folder, say=said.append)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert not simulate(SimulationSettings(**SMALL), folder, overwrite=True, say=said.append)
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert said[0].startswith("Wrote 1,003 rows")
    assert said[1].endswith("nothing to do")


def test_other_settings_need_overwrite(tmp_path, read_log):
    folder = _small(tmp_path / "x")
    with pytest.raises(FileExistsError, match=r"rows 1003 → 999.*--overwrite"):
        _small(folder, rows=999)
    assert len(read_log(folder)) == 1003
    assert simulate(SimulationSettings(**{**SMALL, "rows": 999}), folder, overwrite=True)
    assert len(read_log(folder)) == 999
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_folder_of_something_else_is_never_overwritten(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="no simulated log"):
        simulate(SimulationSettings(**SMALL), tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_interrupted_simulation_leaves_nothing(tmp_path):
    code = (
        # A shell that starts the tests in the background has SIGINT ignored in all its children.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from mtlx.pipeline.simulation.simulator import simulate\n"
        "from mtlx.pipeline.simulation.settings import SimulationSettings\n"
        f"simulate(SimulationSettings(rows=800_000), {str(tmp_path / 'x')!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob(".x.*/new/logs/day=01/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(tmp_path.glob(".x.*/new/logs/day=01/*"))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_days_larger_than_a_chunk(tmp_path, read_log):
    folder = _small(tmp_path / "x", rows=150_000, days=2, shards=3, format="parquet")
    log = read_log(folder)
    assert log.impression_id.tolist() == list(range(1, 150_001))
    assert log.timestamp.is_monotonic_increasing
    sizes = [len(pd.read_parquet(path)) for path in (folder / "logs").rglob("*.parquet")]
    assert sizes == [25_000] * 6


def test_one_domain_alone_and_a_tiny_log(tmp_path, read_log):
    mix = {"home_feed": 0.0, "search": 1.0, "product_page": 0.0}
    folder = _small(tmp_path / "x", rows=4, days=2, domain_mix=mix)
    assert set(read_log(folder).scenario) == {"search"}
    best = json.loads((folder / "best_auc.json").read_text())
    assert best["click"]["domain=home_feed"] is None


def test_starts_without_tensorflow():
    code = "import sys, mtlx.pipeline.simulation.simulator; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
