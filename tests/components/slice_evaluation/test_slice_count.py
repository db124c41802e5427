"""Too many slices are refused before a model is asked."""

import pathlib

import pytest

from mtlx.components.slice_evaluation import slice_count
from mtlx.components.slice_evaluation.slices import SliceCross
from mtlx.components.slice_evaluation.statistics.slice_totals import TooManySlicesError


@pytest.fixture(scope="module")
def helpers(request):
    """The helper functions of this folder's conftest."""
    return next(
        plugin
        for plugin in request.config.pluginmanager.get_plugins()
        if hasattr(plugin, "make_rows") and hasattr(plugin, "LogisticModel")
    )


def test_a_feature_with_many_values_is_refused_before_any_model_is_loaded(
    evaluate, helpers, tmp_path
):
    rows = helpers.make_rows(1, seed=1) * 12_000
    rows = [{**row, "user_id": f"u{number}"} for number, row in enumerate(rows)]
    uri = helpers.write_examples(tmp_path / "examples", rows)
    settings = {"slices": [["domain"], ["user_id"], ["domain", "user_id"]]}
    # There is no model at all: it would be the second thing to fail.
    with pytest.raises(TooManySlicesError) as refusal:
        evaluate(uri, settings, candidate=str(tmp_path / "nothing"))
    message = str(refusal.value)
    assert "more than 10000 slices in the first 12,000 rows" in message
    assert "[user_id] has 12,000" in message and "[domain, user_id] has 12,000" in message
    assert "[domain] has 1." in message and "evaluation.maximum_slices" in message


def test_so_many_as_are_allowed_pass(evaluate, log, models):
    # overall, three domains, two genders, and rows without one
    settings = {"slices": [["domain"], ["gender"]], "maximum_slices": 7}
    evaluate(log[1], settings, candidate=models["candidate"])
    settings["maximum_slices"] = 6
    with pytest.raises(TooManySlicesError, match="more than 6 slices"):
        evaluate(log[1], settings, candidate=models["candidate"])


BY_SCENARIO = SliceCross(("domain",), ("scenario",))
BY_USER = SliceCross(("user_id",), ("user_id",))
CROSSED = SliceCross(("domain", "user_id"), ("scenario", "user_id"))


@pytest.fixture
def count(helpers, tmp_path):
    """Counts the slices of a planted table, pairs of a scenario and a user, in batches of 10."""

    def function(rows, crosses, maximum):
        uri = helpers.write_examples(
            tmp_path / str(len(list(tmp_path.iterdir()))),
            [{"scenario": scenario, "user_id": user} for scenario, user in rows],
            shards=1,
        )
        files = [str(file) for file in pathlib.Path(uri).glob("Split-test/*")]
        slice_count.check_slice_count(files, crosses, maximum, batch_size=10)

    return function


#: 3 scenarios and rows without one, 5 users, and 8 pairs of them; each value in several batches.
TABLE = [("feed", "a"), ("feed", "b"), ("search", "a"), ("page", "c"),
         (None, "d"), (None, "e"), ("page", "a"), ("page", "e")] * 4  # fmt: skip


@pytest.mark.parametrize(
    ("crosses", "slices"),
    [
        ([BY_SCENARIO], 1 + 4),
        ([BY_USER], 1 + 5),
        ([CROSSED], 1 + 8),
        ([BY_SCENARIO, BY_USER, CROSSED], 1 + 4 + 5 + 8),
    ],
)
def test_each_slice_counts_once_and_the_overall_one_with_them(count, crosses, slices):
    count(TABLE, crosses, slices)
    with pytest.raises(TooManySlicesError, match=f"more than {slices - 1} slices in the first 32"):
        count(TABLE, crosses, slices - 1)


def test_the_largest_cross_is_the_one_to_take_out(count):
    with pytest.raises(TooManySlicesError) as refusal:
        count(TABLE, [BY_SCENARIO, CROSSED, BY_USER], 9)
    counts = "[domain, user_id] has 8, [user_id] has 5, [domain] has 4. Take [domain, user_id] out"
    assert counts in str(refusal.value)


def test_no_more_rows_are_counted_than_are_meant_to_be(count, monkeypatch):
    """Reading a long split twice would take as long as the evaluation, which refuses it too."""
    monkeypatch.setattr(slice_count, "COUNTED_ROWS", 40)
    rows = [("feed", f"u{number}") for number in range(100)]
    with pytest.raises(TooManySlicesError, match="first 40 rows of the split: .user_id. has 40"):
        count(rows, [BY_USER], 40)
    # One slice per counted row; the 60 behind them are left to the evaluation.
    count(rows, [BY_USER], 41)
    monkeypatch.setattr(slice_count, "COUNTED_ROWS", 100)
    with pytest.raises(TooManySlicesError, match="first 100 rows of the split: .user_id. has 100"):
        count(rows, [BY_USER], 41)


def test_without_crosses_nothing_is_read():
    slice_count.check_slice_count(["no such file"], [], 1, 10)
