import dataclasses

from mtlx.pipeline.history.runs_table import runs_table
from mtlx.pipeline.run.record.run_summary import Outcome, RunSummary


def test_a_line_per_run_with_all_that_is_known(runs):
    title, *lines = runs_table(runs)
    assert title.split() == [
        "run", "spans", "model", "ended", "seconds", "wrote", "click", "AUC", "RelaImp", "%",
        "buy", "[%]", "AUC",
    ]  # fmt: skip
    assert lines[0].split("  ")[0] == "20261101-030000-000000"
    assert "8, trained on 7 spans" in lines[0] and "blessed, pushed" in lines[0]
    assert "2.5 MB" in lines[0] and "0.7100" in lines[0] and "+1.25" in lines[0]
    assert "failed at Trainer" in lines[2] and "0.7" not in lines[2]
    assert "killed" in lines[3]
    assert len({line.index("dtn") for line in lines if "dtn" in line}) == 1


def test_a_day_on_which_something_moved_is_marked(runs):
    assert "moved" not in next(runs_table(runs)).split()
    runs[1] = dataclasses.replace(runs[1], drift=("price: psi 0.3",), skew=("age",))
    title, *lines = runs_table(runs)
    place = title.index("moved")
    assert [line[place:].split("  ")[0] for line in lines[:2]] == ["–", "drift, skew"]


def test_tasks_that_do_not_fit_come_below(runs):
    lines = list(runs_table(runs, width=100))
    assert max(map(len, lines)) <= 100
    blank = lines.index("")
    assert blank == len(runs) + 1
    assert "AUC" not in lines[0] and lines[blank + 1].startswith("run ")
    assert "click AUC" in lines[blank + 1] and "0.7100" in lines[blank + 2]
    # However narrow it is, all is shown.
    assert sum("AUC" in line for line in runs_table(runs, width=1)) == 2


def test_colours_do_not_move_the_columns(runs):
    plain, coloured = list(runs_table(runs)), list(runs_table(runs, coloured=True))
    assert coloured[1] == plain[1].replace("blessed, pushed", "\x1b[32mblessed, pushed\x1b[0m")
    assert "\x1b[31mkilled\x1b[0m" in coloured[4]


def test_what_no_run_has_is_left_out():
    title, line = runs_table([RunSummary("rehearsal-1", Outcome.KILLED, "2026-11-04T03:00:00")])
    assert title.split() == ["run", "began", "ended"]
    assert line.split() == ["rehearsal-1", "2026-11-04", "03:00", "killed"]
