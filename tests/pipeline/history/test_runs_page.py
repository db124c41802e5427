"""The page of all runs: what the curves say, in words too, and nothing from elsewhere."""

import dataclasses
import re

from mtlx.pipeline.history.runs_page import charts, runs_page
from mtlx.pipeline.run.record.run_summary import NodeSummary, Outcome
from tests.pipeline.history.conftest import make_run


def test_curves_have_a_point_per_run_that_has_a_value(runs):
    drawn = charts(runs)
    assert [chart.title for chart in drawn.auc] == ["AUC, click"]
    candidate, baseline = drawn.auc[0].lines
    assert (candidate.model, len(candidate.points)) == ("candidate", 3)
    assert (baseline.model, len(baseline.points)) == ("baseline", 3)
    # The fifth run is at the right edge though two before it have no value: the axis is of runs.
    edges = [x for x, _ in candidate.points]
    assert edges[1] - edges[0] < (edges[2] - edges[1]) / 2
    assert len(candidate.band) == 6  # upper ends forth, lower ends back
    heights = [y for _, y in candidate.band]
    assert all(up < y < down for up, (_, y), down in
               zip(heights[:3], candidate.points, heights[:2:-1], strict=True))  # fmt: skip


def test_words_say_what_curves_say(runs):
    drawn = charts(runs)
    assert drawn.auc[0].description == (
        "AUC, click by run: candidate from 0.71 in run 2026-11-01 to 0.75 in run 2026-11-05, "
        "lowest 0.71, highest 0.75; baseline from 0.707 in run 2026-11-01 to 0.747 in run "
        "2026-11-05, lowest 0.707, highest 0.747"
    )
    (relaimp,) = drawn.relaimp
    assert relaimp.description.startswith("RelaImp (%), click by run: from 1.25 in run")


def test_seconds_are_of_nodes_that_worked_and_of_runs_that_ended(runs):
    cached = (NodeSummary("Trainer", "cached", 0.1), NodeSummary("SchemaGen", "complete", 0.4))
    drawn = charts([*runs, make_run(6, nodes=cached, seconds=20.0)])
    titles = [chart.title for chart in drawn.seconds]
    assert titles == ["Seconds, whole runs", "Seconds, Trainer"]
    assert [chart.title for chart in drawn.small_seconds] == ["Seconds, SchemaGen"]
    assert len(drawn.seconds[0].lines[0].points) == 4  # not the one that failed
    assert len(drawn.seconds[1].lines[0].points) == 4  # not the one from the cache


def test_the_page_holds_runs_and_curves(runs, open_page):
    dom, log = open_page(runs_page("Größe <i>", runs))
    assert "CONSOLE" not in log, log
    assert not re.search(r"url\(|@import|<script|https?://", dom)
    assert "<h1>Größe &lt;i&gt;: runs over time</h1>" in dom
    assert "2 blessed, 1 not blessed, 1 failed, 1 killed" in dom
    assert "&lt;b&gt;loss&lt;/b&gt; is no number" in dom and "<b>" not in dom
    assert 'aria-label="AUC, click by run: candidate from 0.71' in dom
    assert 'aria-label="Megabytes written by run: from 2.5' in dom
    assert dom.count("<polygon") == 2
    rows = re.findall(r'<th scope="row">(.*?)<', dom)
    assert rows[0] == "2026-11-05 03:00" and len(rows) == 5


def test_what_moved_stands_on_the_page(runs):
    runs[1] = dataclasses.replace(runs[1], drift=("price: psi <0.3>",))
    page = runs_page("shop", runs)
    assert ">Moved</th>" in page and "price: psi &lt;0.3&gt;" in page
    assert page.count('<td class="reason">drift') == 1
    assert ">Moved</th>" not in runs_page("shop", runs[2:])


def test_runs_without_any_number_make_a_page(open_page):
    bare = make_run(1, Outcome.KILLED, nodes=(), auc={}, relaimp={}, against_auc={}, against=None,
                    bytes=None, seconds=None, spans=None, pushed_to=None, model=None)  # fmt: skip
    dom, log = open_page(runs_page("new", [bare]))
    assert "CONSOLE" not in log and "killed" in dom and "<polyline" not in dom
