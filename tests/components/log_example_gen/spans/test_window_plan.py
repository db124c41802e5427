"""Which spans a run is made of: by what there is, what is asked for, and what gaps mean."""

import pytest

from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.spans.window_plan import plan_window
from mtlx.components.log_example_gen.spans.window_settings import WindowSettings


@pytest.fixture
def plan(tmp_path):
    """Plans over files of the given spans."""

    def function(*spans, train=3, test=1, gaps="refuse", span=None, pattern="d{SPAN}/*.csv"):
        for one in spans:
            (tmp_path / f"d{one}").mkdir(exist_ok=True)
            (tmp_path / f"d{one}/a.csv").touch()
        window = WindowSettings(train=train, test=test)
        return plan_window([f"{tmp_path}/{pattern}"], window, gaps, span)

    return function


def test_the_newest_spans_test_and_those_before_them_train(plan):
    found = plan(1, 2, 3, 4, 5, 6)
    assert (found.train, found.test, found.newest) == ((3, 4, 5), (6,), 6)
    assert found.spans == (3, 4, 5, 6) and not found.notices
    found = plan(test=2)
    assert (found.train, found.test) == ((2, 3, 4), (5, 6))
    assert found.words() == "trained on spans 2 to 4, tested on spans 5 to 6"


@pytest.mark.parametrize("span", [5, "5"])
def test_the_newest_may_be_an_older_one(plan, span):
    found = plan(1, 2, 3, 4, 5, 6, span=span)
    assert (found.train, found.test) == ((2, 3, 4), (5,))


def test_what_lies_before_the_logs_is_no_gap(plan):
    found = plan(5, 6)
    assert (found.train, found.test, found.missing, found.before) == ((5,), (6,), (), (3, 4))
    (notice,) = found.notices
    assert notice == "The logs begin with span 5: 2 of the window's 4 spans lie before it"


def test_a_gap_is_refused_with_what_to_do(plan, tmp_path):
    with pytest.raises(InputRefused) as caught:
        plan(1, 2, 4, 7)
    assert str(caught.value) == (
        "the logs lack spans 5 to 6, within the window of spans 4 to 7: put the files there "
        f"({tmp_path}/d{{SPAN}}/*.csv), or set data.gaps: allow to go on without"
    )


def test_at_the_beginning_of_a_window_a_gap_is_one_too(plan):
    with pytest.raises(InputRefused, match="lack span 3, within the window of spans 3 to 6"):
        plan(1, 2, 4, 5, 6)


def test_among_the_spans_that_test_a_gap_is_one_too(plan):
    with pytest.raises(InputRefused, match="lack span 5, within"):
        plan(1, 2, 3, 4, 6, train=2, test=2)


def test_an_allowed_gap_is_told(plan):
    found = plan(1, 4, 6, gaps="allow")
    assert (found.train, found.test, found.missing) == ((4,), (6,), (3, 5))
    assert found.notices == [
        "The logs lack spans 3, 5, within the window; the run goes on without (data.gaps: allow)"
    ]


@pytest.mark.parametrize(
    ("spans", "options", "message"),
    [
        ((), {}, "no file matches .*: check data.path, and --data or MTLX_DATA"),
        ((1, 2), {"span": 3}, "no file of span 3 matches .*; the logs hold spans 1 to 2"),
        ((4,), {}, "no span before 4 is there to train on"),
        ((1, 9), {"gaps": "allow"}, "no span before 9 is there to train on"),
        (("01", "02"), {}, "have zeros before them; .* such as {SPAN:2}"),
    ],
)
def test_what_cannot_be_run_is_refused(plan, spans, options, message):
    with pytest.raises(InputRefused, match=message):
        plan(*spans, **options)


def test_spans_that_are_dates_are_named_by_them(plan):
    days = [f"2024-10-{day:02d}" for day in (1, 2, 3, 5)]
    pattern = "d{YYYY}-{MM}-{DD}/*.csv"
    with pytest.raises(InputRefused, match="lack span 2024-10-04, within .* 2024-10-02 to 2024-1"):
        plan(*days, pattern=pattern)
    found = plan(pattern=pattern, span="2024-10-03")
    assert found.words() == "trained on spans 2024-10-01 to 2024-10-02, tested on span 2024-10-03"
    assert found.newest_words == "2024-10-03"


def test_a_span_that_is_empty_is_as_one_that_is_missing(plan):
    found = plan(1, 2, 3, 4).without(2)
    assert (found.train, found.test, found.missing) == ((1, 3), (4,), (2,))
    with pytest.raises(InputRefused, match="span 4, the newest, has no rows"):
        found.without(4)
    with pytest.raises(InputRefused, match="no span before 4 is there to train on"):
        found.without(1).without(3)


def test_a_window_without_a_known_label_of_a_task_is_refused(tmp_path, plan):
    plan(4, 5, 6)
    window, pattern = WindowSettings(train=3), [f"{tmp_path}/d{{SPAN}}/*.csv"]
    found = plan_window(pattern, window, "refuse", matures_after={"click": 0, "buy": 2})
    assert found.train == (4, 5)
    with pytest.raises(InputRefused) as caught:
        plan_window(pattern, window, "refuse", matures_after={"click": 0, "buy": 3})
    assert str(caught.value) == (
        "task buy: its labels are known 3 spans later (matures_after), and when 6 is the newest "
        "span, they are of none that trains (spans 4 to 5): run on a later span, when the logs "
        "hold more of them, or give data.window.train more"
    )
