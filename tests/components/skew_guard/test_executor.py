"""What cannot be compared is counted and said; which version and which span is looked at."""

import os
import time

import numpy as np
import pytest

from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.model_pusher.serving_folder.push_lineage import PushLineage, SpanNote
from mtlx.components.model_pusher.serving_folder.push_record import PushRecord
from mtlx.components.skew_guard.served_versions import versions_by_then
from tests.components.skew_guard.served_day import (
    SCORES,
    guarded,
    logged,
    made_rows,
    save_versions,
    scored,
    write_served,
)

ROWS = 300


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The serving folder, with two versions."""
    return save_versions(tmp_path_factory.mktemp("serving"), (0.0, 0.05))


@pytest.fixture(scope="module")
def day(tmp_path_factory, service):
    """Rows that version 1 has scored, and the artifacts that they were ingested as."""
    rows = made_rows(np.random.default_rng(1), ROWS)
    return scored(rows, service), logged(tmp_path_factory.mktemp("day"), rows)


def test_scores_that_are_none_are_counted_and_named(service, day, tmp_path):
    rows, artifacts = day
    odd = ["", "nan", "inf", "1.5", "-0.2"]
    served = [row | {"p_buy": value} for row, value in zip(rows, odd, strict=False)] + rows[5:]
    log = write_served(tmp_path / "served.csv", served)
    skew, _ = guarded(tmp_path, artifacts, log, service)
    click, buy = skew.scores
    assert (buy.missing, buy.not_numbers, buy.outside, buy.compared) == (1, 2, 2, ROWS - 5)
    assert (click.unusable, click.compared, click.beyond) == (0, ROWS, [])
    (words,) = skew.beyond
    assert words == (
        "score of buy (p_buy): 1 missing, 2 no number, 2 outside of [0, 1], of 300 rows; at most "
        "1 % may be no probability"
    )
    assert guarded(tmp_path, artifacts, log, service, maximum_share=0.05)[0].beyond == []


def test_versions_that_cannot_be_asked_are_said(service, day, tmp_path):
    rows, artifacts = day
    told = {0: "7", 1: "7", 2: "", 3: "v1"}
    served = [row | {"version": told.get(n, "1")} for n, row in enumerate(rows)]
    log = write_served(tmp_path / "served.csv", served)
    skew, _ = guarded(tmp_path, artifacts, log, service)
    assert skew.notes == (
        "Serving skew: 2 of 300 drawn rows name no version in 'version': their scores were not "
        "compared",
        "Serving skew: version 7, which 2 drawn rows name, is not in the serving folder any more: "
        "their scores were not compared",
    )
    assert [one.compared for one in skew.scores] == [ROWS - 4, ROWS - 4]


def test_a_column_that_the_log_lacks_is_said_and_not_taken_for_missing(service, day, tmp_path):
    rows, artifacts = day
    served = [
        {name: row[name] for name in row if name not in ("price", "impression")} for row in rows
    ]
    log = write_served(tmp_path / "served.csv", served)
    skew, _ = guarded(tmp_path, artifacts, log, service)
    assert skew.beyond == [] and "price" not in {one.name for one in skew.comparison.features}
    assert skew.notes == (
        "Serving skew: the serving logs lack price, which was not compared",
        "Serving skew: version 1 reads price, which the serving logs lack: the scores of 300 drawn "
        "rows were not compared",
    )
    with pytest.raises(InputRefused, match="no column 'impression'"):
        guarded(tmp_path, artifacts, log, service, key="impression")
    with pytest.raises(InputRefused, match="no column 'p_clik', did you mean 'p_click'"):
        guarded(tmp_path, artifacts, log, service, scores={"click": "p_clik"})


def test_malformed_rows_and_a_log_without_rows(service, day, tmp_path):
    rows, artifacts = day
    served = [row | ({"age": "old"} if n < 30 else {}) for n, row in enumerate(rows)]
    log = write_served(tmp_path / "served.csv", served)
    skew, _ = guarded(tmp_path, artifacts, log, service)
    assert skew.malformed.startswith(
        "30 of 300 served rows are malformed, 0.10% may be (data.max_malformed_share): not a "
        f"number: 30, such as {log}:2: age: not a number: 'old'"
    )
    assert guarded(tmp_path, artifacts, log, service, limit=0.2)[0].beyond == []
    served = [row | {"age": "old"} for row in rows]
    skew, _ = guarded(tmp_path, artifacts, write_served(log, served), service)
    assert skew.line.startswith("Serving skew: 300 of 300 served rows are malformed")
    assert skew.notes == (f"Serving skew was not measured: {log}: no row that can be read",)
    (tmp_path / "served.csv").write_text(",".join(rows[0]) + "\n", encoding="utf-8")
    skew, _ = guarded(tmp_path, artifacts, log, service)
    assert skew.line is None and skew.notes == (f"Serving skew was not measured: {log}: no rows",)


def test_the_draw_is_bounded_and_the_same_whatever_the_files(service, day, tmp_path):
    rows, artifacts = day
    wrong = [row | ({"p_click": "0.5"} if n % 10 == 0 else {}) for n, row in enumerate(rows)]
    for part in range(3):
        write_served(tmp_path / f"{part}.csv", wrong[100 * part : 100 * part + 100])
    pattern = str(tmp_path / "*.csv")
    found = [guarded(tmp_path, artifacts, pattern, service, sample_rows=100)[0] for _ in range(2)]
    assert found[0] == found[1]
    click = found[0].scores[0]
    assert (click.compared, click.rows) == (100, ROWS) and 3 <= click.differing <= 20
    other, _ = guarded(tmp_path, artifacts, pattern, service, sample_rows=100, seed=2)
    assert other.scores != found[0].scores


def test_without_logs_of_the_newest_span_the_newest_that_there_are(service, day, tmp_path):
    rows, old = day
    new = logged(tmp_path, made_rows(np.random.default_rng(5), 50), number=2)
    pattern = str(tmp_path / "span={SPAN}" / "*.csv")
    skew, _ = guarded(tmp_path, new, pattern, service, older=old)
    assert skew.line is None and skew.beyond == []
    assert skew.notes == (
        "Serving skew: serving logs of span 2 are not there yet: no file of it matches " + pattern,
    )
    (tmp_path / "span=1").mkdir()
    write_served(tmp_path / "span=1" / "served.csv", rows)
    skew, _ = guarded(tmp_path, new, pattern, service, older=old)
    assert skew.notes == (
        "Serving skew: serving logs of span 2 are not there yet; those of span 1 are the newest",
    )
    assert skew.comparison.words == "what was served in span 1 against its logs"
    assert (skew.comparison.rows_before, skew.beyond) == (ROWS, [])


def test_without_a_window_the_examples_alone_tell_the_span(service, day, tmp_path):
    rows, _ = day
    examples, statistics = logged(tmp_path, made_rows(np.random.default_rng(1), ROWS), number=0)
    examples.set_int_custom_property("span", 4)
    for span in (4, 5):
        (tmp_path / f"span={span}").mkdir()
        write_served(tmp_path / f"span={span}" / "served.csv", rows)
    pattern = str(tmp_path / "span={SPAN}" / "*.csv")
    skew, _ = guarded(tmp_path, (examples, statistics), pattern, service)
    assert skew.comparison.words == "what was served in span 4 against its logs"
    assert skew.beyond == [] and skew.notes == ()


def _note(folder, number, pushed_at="2020-01-01T00:00:00+00:00", tested=(), restores=None):
    lineage = PushLineage(tested_on=tuple(SpanNote(span) for span in tested))
    record = PushRecord("m", "d", None, pushed_at, lineage, restores)
    record.save(f"{folder}/{number}")


def test_where_no_column_says_it_the_version_is_the_one_that_served_then(day, tmp_path):
    rows, artifacts = day
    folder = save_versions(tmp_path / "serving", (0.0, 0.05, 0.1, 0.2))
    log = write_served(tmp_path / "served.csv", [{**row, "version": "x"} for row in rows])
    _note(folder, 1, tested=[3])
    _note(folder, 2, tested=[5])  # made of the span itself
    _note(folder, 3, pushed_at="2999-01-01T00:00:00+00:00", tested=[3])
    assert [one.number for one in versions_by_then(folder, [log], 5)] == [1, 4]
    _note(folder, 4, tested=[6])
    assert [one.number for one in versions_by_then(folder, [log], 5)] == [1]
    assert [one.number for one in versions_by_then(folder, [log], None)] == [1, 2, 4]
    skew, _ = guarded(tmp_path, artifacts, log, folder, version=None, scores=SCORES)
    assert list(skew.scores[0].versions) == ["4"]
    os.utime(log, (time.time(), 10.0))  # before all of them
    skew, _ = guarded(tmp_path, artifacts, log, folder, version=None)
    assert skew.notes[0] == (
        f"Serving skew: scores were not compared: {folder} holds no version that was pushed before "
        "the serving logs were written"
    )
    assert [one.compared for one in skew.scores] == [0, 0]
