import shlex

import pytest

from mtlx.pipeline.compare.contender import read_contenders
from mtlx.pipeline.tune.report.findings import compare_command, findings
from mtlx.pipeline.tune.report.tuning_page import tuning_page
from mtlx.pipeline.tune.report.tuning_table import trial_line, tuning_table
from mtlx.pipeline.tune.tuning_record import SeedCheck, TrialRow, TuningRecord


def record(**changes):
    space = {"training.learning_rate": "from 0.0001 to 1", "model.options.hidden": "[4], [8, 4]"}

    def row(number, rate, hidden, state, value, **more):
        settings = dict(zip(space, (rate, hidden), strict=True))
        return TrialRow(number, settings, state, value=value, seconds=2.0, kept=1, **more)

    trials = [
        row(1, 0.01, [4], "complete", 0.9, own=True),
        row(2, 1e-5, [8, 4], "complete", 0.8),
        row(3, 1.0, [4], "pruned", 1.2, reason="stopped after epoch 2: others"),
        row(4, 0.5, [4], "failed", None, reason="the <loss> is nan"),
    ]
    given = {
        "experiment": "planted",
        "objective": "normalised entropy",
        "planned": 4,
        "space": space,
        "trials": trials,
        "no_importances": "What mattered is not said",
        "best_by_seed": SeedCheck({2: 0.81, 3: 0.82, 4: 0.83}),
        "own_by_seed": SeedCheck({2: 0.9, 3: 0.91, 4: 0.92}),
        **changes,
    }
    return TuningRecord(**given)


def test_best_is_by_the_direction_and_among_those_that_ended():
    assert record().best.number == 2
    assert record(lower_is_better=False).best.number == 1
    assert record().best_so_far() == [(1, 0.9), (2, 0.8)]
    assert record(lower_is_better=False).best_so_far() == [(1, 0.9), (2, 0.9)]


def test_what_the_further_seeds_say_of_the_choice():
    def said(best, own):
        changed = record(
            best_by_seed=SeedCheck(dict(enumerate(best))),
            own_by_seed=SeedCheck(dict(enumerate(own))),
        )
        return findings(changed)[1]

    assert "better from every seed than the file's own from any" in said([0.8, 0.81], [0.9, 0.92])
    assert "the ranges overlap, so that it may all be chance" in said([0.8, 0.91], [0.9, 0.92])
    assert "worse from every seed" in said([0.95, 0.96], [0.9, 0.92])
    assert "reach 0.82000 in the mean (0.81000 to 0.83000)" in findings(record())[1]
    none = record(
        best_by_seed=None, own_by_seed=None, not_by_seed="no further seeds were asked for"
    )
    assert "was not measured (no further seeds were asked for)" in findings(none)[1]
    failed = record(best_by_seed=SeedCheck({}, "seed 2: it diverged"))
    assert "it gave nothing from further seeds: seed 2: it diverged" in findings(failed)[1]


def test_counts_and_why_there_are_fewer():
    assert findings(record())[-1] == (
        "Of 4 trials 2 came to their end, 1 was stopped early and 1 failed"
    )
    text = findings(record(planned=9, ended="the time was over"))[-1]
    assert text.endswith("; 9 were asked for, but the time was over")


def test_the_command_that_judges_names_the_best_settings():
    command = compare_command(record(), "a b.yaml", ["training.epochs=3"], "/data")
    words = shlex.split(command)
    assert words[:3] == ["mtlx", "compare", "a b.yaml"]
    assert words[words.index("--set") + 1] == "training.epochs=3"
    own, best = read_contenders(words[words.index("--models") + 1])
    assert own.label == own.name == "file" and best.label == "best"
    assert best.settings == ("model.options.hidden=[8, 4]", "training.learning_rate=1.0e-05")
    assert compare_command(record(lower_is_better=False), "file.yaml") is None


@pytest.mark.parametrize("changes", [{}, {"importances": {"model.options.hidden": 1.0}}])
def test_terminal_and_page_show_all_of_it(changes):
    found = record(**changes)
    table, page = "\n".join(tuning_table(found)), tuning_page(found, "mtlx compare x")
    for text in (table, page):
        assert "0.80000" in text and "[8, 4]" in text and "better from every seed" in text
    assert "trial 4 failed: the <loss> is nan" in table
    assert "the &lt;loss&gt; is nan" in page and "mtlx compare x" in page
    assert page.count("<circle") == 4 * 3  # the course, and a drawing for each setting
    assert ("What mattered is not said" in page) == (not changes)
    assert "<script" not in page and "http" not in page.split("<main")[1].replace("www.w3.org", "")


def test_a_search_in_which_all_failed_has_a_page():
    failed = record(trials=record().trials[3:], best_by_seed=None, own_by_seed=None)
    assert "No trial came to its end" in tuning_page(failed, None)
    assert "No trial came to its end." in list(tuning_table(failed))


def test_a_line_is_told_of_each_trial_as_it_ends():
    found = record()
    lines = [trial_line(row, found) for row in found.trials]
    assert lines[0].startswith("trial 1 (the file as it is): normalised entropy 0.90000; ")
    assert "0.80000, the best so far; training.learning_rate 1e-05" in lines[1]
    assert "1.20000, stopped after epoch 2; " in lines[2]
    assert lines[3].endswith(": the <loss> is nan")
