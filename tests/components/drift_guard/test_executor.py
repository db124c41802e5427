"""The node over spans: newest against all before, and against the one before; what stops it."""

import numpy as np
import pytest
from tfx.types import artifact_utils, standard_artifacts

from mtlx.components.batch_statistics_gen.count_columns import CountColumns
from mtlx.components.drift_guard.drift_result import Drift, DriftResult
from mtlx.components.drift_guard.executor import DataDriftError, Executor
from mtlx.components.drift_guard.settings import DriftSettings
from tests.components.drift_guard.made_days import CONTRACT, batch, columns, combined, statistics

ROWS = 600


@pytest.fixture
def span(tmp_path):
    """Writes the statistics of a day as those of a span, in a split of any name."""

    def function(number, day, counted=True):
        artifact = standard_artifacts.ExampleStatistics()
        artifact.uri, artifact.span = str(tmp_path / f"span-{number}"), number
        artifact.split_names = artifact_utils.encode_split_names(["train"])
        folder = tmp_path / f"span-{number}" / "Split-train"
        folder.mkdir(parents=True)
        (folder / "FeatureStats.pb").write_bytes(statistics(day).SerializeToString())
        if counted:
            combined(CountColumns(CONTRACT), [batch(day)]).save(str(folder))
        return artifact

    return function


@pytest.fixture
def guard(tmp_path):
    """Runs the executor, and reads what it wrote."""

    def function(newest, before, dates=0, **settings):
        result = DriftResult()
        result.uri = str(tmp_path / "drift")
        properties = {
            "drift_settings": DriftSettings.read(settings).to_json(),
            "data_contract": CONTRACT.to_json(),
            "split": "",
            "baseline_split": "",
            "kept_apart": "",
            "dates": dates,
        }
        inputs = {"statistics": newest, "baseline_statistics": before}
        try:
            Executor().Do(inputs, {"drift": [result]}, properties)
        finally:
            found = Drift.load(result.uri)
        return found

    return function


def test_a_day_that_is_like_the_one_before_and_unlike_the_week(span, guard):
    random = np.random.default_rng(4)
    days = [span(number, columns(random, ROWS)) for number in range(1, 6)]
    days += [span(number, columns(random, ROWS, price=1.5)) for number in (6, 7)]
    drift = guard(days[6:], days[:6])
    week, yesterday = drift.comparisons
    assert (week.words, yesterday.words) == (
        "span 7 against spans 1 to 6",
        "span 7 against span 6",
    )
    assert (week.rows_new, week.rows_before, yesterday.rows_before) == (ROWS, 6 * ROWS, ROWS)
    assert [m.of for m in week.beyond] == ["price"] and yesterday.beyond == []
    assert week.features[0].name == "price" and week.features[0].new
    first, second = drift.lines()
    assert first.startswith("Drift, span 7 against spans 1 to 6: price: jensen shannon 0.")
    assert second == (
        "Drift, span 7 against span 6: none of 7 features and 6 label rates moved beyond its "
        "threshold"
    )


def test_of_two_newest_spans_the_one_before_the_last_is_the_other(span, guard):
    random = np.random.default_rng(4)
    days = [span(number, columns(random, ROWS)) for number in range(1, 5)]
    found = [one.words for one in guard(days[2:], days[:2]).comparisons]
    assert found == ["spans 3 to 4 against spans 1 to 2", "span 4 against span 3"]
    # As people name them, where the logs lie in folders by date; days that were left out show.
    found = [one.words for one in guard(days[3:], [*days[:1], days[2]], dates=1).comparisons]
    assert found == [
        "span 1970-01-05 against spans 1970-01-02, 1970-01-04",
        "span 1970-01-05 against span 1970-01-04",
    ]


def test_what_stops_the_run_names_all_that_moved_and_is_written_down(span, guard, tmp_path):
    random = np.random.default_rng(4)
    before = span(1, columns(random, ROWS))
    new = span(2, columns(random, ROWS, price=0.8, price_missing=0.3))
    with pytest.raises(DataDriftError) as caught:
        guard([new], [before], on_drift="stop")
    lines = str(caught.value).splitlines()
    assert lines[0] == "the data moved in 2 places:" and len(lines) == 4
    assert {line.split(" 0.")[0] for line in lines[1:3]} == {
        "  span 2 against span 1: price: missing",
        "  span 2 against span 1: price: jensen shannon",
    }
    assert len(Drift.load(str(tmp_path / "drift")).beyond) == 2


def test_statistics_of_an_earlier_version_are_said_to_be_such(span, guard):
    random = np.random.default_rng(4)
    before = span(1, columns(random, ROWS), counted=False)
    drift = guard([span(2, columns(random, ROWS))], [before], on_drift="stop")
    assert drift.comparisons == () and drift.beyond == []
    assert "--set run.cache=false" in drift.lines()[0]


def test_labels_that_are_not_known_yet_are_in_no_rate(span, guard, monkeypatch):
    """The newest day's purchases are all 0, and those of the one before."""
    random = np.random.default_rng(4)
    days = []
    for number in range(1, 6):
        day = columns(random, ROWS)
        if number > 3:
            day["bought"] = [[0] for _ in day["bought"]]
        days.append(span(number, day))
    bounds = {"label_rates": {"buy": 0.3}}
    (moved,) = guard(days[4:], days[:4], **bounds).comparisons[0].beyond
    assert moved.of == "buy"
    tasks = {name: task.model_dump() for name, task in CONTRACT.tasks.items()}
    tasks["buy"]["matures_after"] = 2
    values = {**CONTRACT.model_dump(), "tasks": tasks}
    monkeypatch.setattr(f"{__name__}.CONTRACT", type(CONTRACT).model_validate(values))
    drift = guard(days[4:], days[:4], **bounds)
    assert not drift.beyond
    assert {m.of for one in drift.comparisons for m in one.labels} == {"click"}
    assert drift.notes == (
        "Labels that are not known yet are in no label rate: buy of spans 4 to 5",
    )
    # A day that tests with two that are not known: those that are on both sides are compared.
    drift = guard(days[2:], days[:2], **bounds)
    assert {m.of for m in drift.comparisons[0].labels} == {"click", "buy"} and not drift.beyond
