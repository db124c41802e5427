"""A replay of three planted days: on the second of them what people like turns over."""

import json
import shutil
from types import SimpleNamespace

import pytest
import tensorflow_transform as tft

from mtlx.pipeline.command_line import EXIT_OK, EXIT_WRONG_INPUT, main
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.replay import replay as module
from mtlx.pipeline.replay.curves import Curves
from mtlx.pipeline.replay.day_record import RECORD_FILE, ReplayRecord
from mtlx.pipeline.replay.replay import Replay
from mtlx.pipeline.replay.way import Way, experiment_of
from mtlx.pipeline.run.run_result import RunFailed
from mtlx.trainer.validation.history import read_history
from tests.pipeline.replay.planted_days import (
    BEST,
    NEW,
    OLD,
    ROWS,
    write_days,
    write_experiment,
)

WAYS = "warm_start,stale"


class _Killed(RuntimeError):
    pass


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """The replay, which was killed on its second day between the run and what comes after."""
    folder = tmp_path_factory.mktemp("replay")
    write_days(folder, 5)
    path, out = write_experiment(folder), folder / "out"
    scored, results = [], {}
    score, run = module.score_models, module.run_experiment

    def killing(experiment, *arguments):
        scored.append(experiment.data.span)
        if scored == [3, 4]:
            raise _Killed
        return score(experiment, *arguments)

    def running(experiment, **arguments):
        results.setdefault(experiment.data.span, []).append(run(experiment, **arguments))
        return results[experiment.data.span][-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "score_models", killing)
        patch.setattr(module, "run_experiment", running)

        def begin():
            return Replay(str(path), (), None, out, Way.read(WAYS))

        with pytest.raises(_Killed):
            begin().run([3, 4, 5])
        at_the_kill = ReplayRecord.read(out)
        begin().run([3, 4, 5])
    days = ReplayRecord.read(out).days["warm_start"]
    return SimpleNamespace(
        path=path, out=out, at_the_kill=at_the_kill, scored=scored, results=results, days=days
    )


def _vocabulary(result):
    output = tft.TFTransformOutput(result.output("Transform", "transform_graph"))
    return [value.decode() for value in output.vocabulary_by_name("item_id_vocabulary")]


def test_a_day_reads_and_trains_on_one_span_only(replayed):
    assert [day.trained_on for day in replayed.days] == [(1, 2), (3,), (4,)]
    assert [day.rows for day in replayed.days] == [3 * ROWS, ROWS, ROWS]
    epochs = {
        span: [epoch["examples"] for epoch in read_history(runs[-1].output("Trainer", "model_run"))["epochs"]]
        for span, runs in replayed.results.items()
    }  # fmt: skip
    # One pass over a day; the first model had its epochs on both.
    assert len(epochs[4]) == len(epochs[5]) == 1 < len(epochs[3])
    assert 0.8 * ROWS < epochs[5][0] < ROWS < epochs[3][0] < 2 * ROWS
    before = replayed.results[5][-1].window["before"]
    assert before == [1, 2, 3]


def test_the_base_model_s_vocabulary_is_kept_and_grows(replayed):
    found = {span: _vocabulary(runs[-1]) for span, runs in replayed.results.items()}
    assert OLD in found[3] and NEW not in found[3]
    # None of the days after had the one; the fifth day's model read the first day of the other.
    assert found[4] == found[3]
    assert found[5] == [*found[4], NEW]


def test_the_retrained_model_beats_the_stale_one_once_preferences_turn(replayed):
    third, fourth, fifth = replayed.days
    assert third.value("today", "click") == pytest.approx(BEST, abs=0.06)
    assert third.value("first", "click") == third.value("today", "click")
    # The day itself comes as a surprise to all.
    assert fourth.value("today", "click") < 0.35
    assert fifth.value("today", "click") > 0.65
    assert fifth.value("first", "click") < 0.35 and fifth.value("yesterday", "click") < 0.35
    assert fifth.value("older", "click") == fifth.value("first", "click")


def test_models_of_earlier_days_are_scored_as_the_run_scored_its_baseline(replayed):
    """The run's own evaluation held yesterday's model, the one blessed last, against the day's."""
    record = json.loads((replayed.results[5][-1].folder / "run.json").read_text())
    (baseline,) = [
        one for one in record["metrics"]
        if one["model"] == "baseline" and one["slice"] == "overall"
    ]  # fmt: skip
    own = (baseline["auc"], baseline["auc_lower"], baseline["auc_upper"])
    assert replayed.days[2].auc["yesterday"]["click"] == pytest.approx(own, abs=1e-9)


def test_a_killed_replay_goes_on_and_counts_what_was_done_before(replayed):
    assert [day.span for day in replayed.at_the_kill.days["warm_start"]] == [3]
    assert replayed.scored == [3, 4, 4, 5]
    first, again = replayed.results[4]
    states = {node.node_id: node.state for node in again.nodes}
    assert states["Trainer"] == states["Transform"] == states["LogExampleGen"] == "cached"
    (trainer,) = [node.seconds for node in first.nodes if node.node_id == "Trainer"]
    assert replayed.days[1].nodes["Trainer"] == pytest.approx(trainer, rel=0.01)
    assert replayed.days[1].rows == ROWS


def test_the_command_shows_what_is_done_and_repeats_nothing(replayed, capsys, monkeypatch):
    monkeypatch.setattr(module, "run_experiment", None)  # which is not called
    arguments = ["--spans", "3..5", "--compare", WAYS, "--out", str(replayed.out)]
    assert main(["replay", str(replayed.path), *arguments]) == EXIT_OK
    shown = capsys.readouterr().out
    assert "AUC, click" in shown and "stale" in shown
    assert f"{replayed.days[2].value('today', 'click'):.4f}" in shown
    page = (replayed.out / "replay.html").read_text(encoding="utf-8")
    assert "replay of 3 to 5" in page and "Ways compared" in page and "best possible" in page
    assert "<td>1 to 2</td>" in page
    assert "http" not in page.replace("http-equiv", "") and "<script" not in page
    numbers = json.loads((replayed.out / RECORD_FILE).read_text())
    assert numbers["days"]["warm_start"][2]["best"] == {"click": BEST}


def test_the_curves_have_the_stale_model_and_the_best(replayed):
    curves = Curves(ReplayRecord.read(replayed.out))
    compared = curves.compared("click")
    assert set(compared) == {"warm_start", "stale", "best_possible"}
    assert compared["stale"][5][0] == replayed.days[2].value("first", "click")
    assert [value for value, _, _ in compared["best_possible"].values()] == [BEST] * 3
    assert curves.median(lambda day: float(day.rows), "warm_start") == ROWS


def test_a_day_that_fails_is_noted_and_the_first_one_ends_the_replay(replayed, tmp_path):
    shutil.copytree(replayed.out, tmp_path / "out", symlinks=True)
    later = Replay(str(replayed.path), (), None, tmp_path / "out", [Way.WARM_START])
    later.run([6])
    failed = ReplayRecord.read(tmp_path / "out").days["warm_start"][-1]
    assert (failed.span, failed.outcome) == (6, "failed at LogExampleGen")
    assert "no file of span 6 matches" in failed.message
    assert (failed.model, failed.rows, failed.auc) == (None, 0, {})
    first = Replay(str(replayed.path), (), None, tmp_path / "new", [Way.WARM_START])
    with pytest.raises(RunFailed, match="no file of span 6 matches"):
        first.run([6])
    assert not (tmp_path / "new" / RECORD_FILE).exists()


def test_nothing_of_the_experiment_s_own_is_touched(replayed):
    assert not (replayed.path.parent / "root").exists()
    assert {path.name for path in replayed.out.iterdir()} == {
        "warm_start", RECORD_FILE, "replay.html", "log.txt",
    }  # fmt: skip


def test_other_settings_are_refused_in_the_same_folder(replayed, capsys):
    arguments = ["--spans", "3..6", "--compare", WAYS, "--out", str(replayed.out)]
    for more in ([], ["--compare", "from_scratch"]):
        changed = [*arguments, *more, "--set", "training.epochs=9"]
        assert main(["replay", str(replayed.path), *changed]) == EXIT_WRONG_INPUT
        assert "holds a replay with other settings (warm start)" in capsys.readouterr().err


@pytest.fixture
def written(tmp_path):
    (tmp_path / "logs").mkdir()
    return write_experiment(tmp_path, serving={"push_to": "serving"})


def test_each_way_has_a_place_and_a_training_of_its_own(written, tmp_path):
    found = {
        way: experiment_of(way, tmp_path / way.value, str(written), span=3)[0]
        for way in (Way.AS_WRITTEN, Way.FROM_SCRATCH, Way.WARM_START)
    }
    for way, experiment in found.items():
        assert experiment.run.pipeline_root == str(tmp_path / way.value / "root")
        assert experiment.serving.push_to == str(tmp_path / way.value / "serving")
        assert experiment.data.span == 3
    assert found[Way.FROM_SCRATCH].training.warm_start is None
    assert found[Way.WARM_START].training.warm_start.incremental
    assert found[Way.AS_WRITTEN].training == read_experiment(written).training


def test_warm_start_is_incremental_where_the_file_says_nothing(tmp_path):
    path = write_experiment(tmp_path, training={"epochs": 1}, notify={"command": ["./tell.sh"]})
    experiment, _ = experiment_of(Way.WARM_START, tmp_path, str(path))
    assert experiment.training.warm_start.incremental
    assert not experiment.notify.command


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--spans", "3"], "give the first and the last day"),
        (["--spans", "5..3"], "give the first and the last day"),
        (["--spans", "a..b"], "span should be a whole number"),
        (["--spans", "3..5", "--compare", "stale"], "name that as well"),
        (["--spans", "3..5", "--compare", "fresh"], "choose among"),
        (["--spans", "3..5", "--compare", "stale,stale"], "each way once"),
    ],
)
def test_wrong_input_is_one_line(written, tmp_path, capsys, arguments, words):
    code = main(["replay", str(written), *arguments, "--out", str(tmp_path / "out")])
    assert code == EXIT_WRONG_INPUT
    message = capsys.readouterr().err
    assert words in message and len(message.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_logs_without_spans_are_refused(tmp_path, capsys):
    data = {"path": "/l/*", "split": {"by": "row", "train": 0.8, "validation": 0.1, "test": 0.1}}
    path = write_experiment(tmp_path, data=data, training={"epochs": 1})
    code = main(["replay", str(path), "--spans", "1..2", "--out", str(tmp_path / "out")])
    assert code == EXIT_WRONG_INPUT
    assert "needs logs in spans" in capsys.readouterr().err


def test_a_day_before_the_last_one_is_refused(replayed, tmp_path):
    shutil.copy(replayed.out / RECORD_FILE, tmp_path)
    later = Replay(str(replayed.path), (), None, tmp_path, [Way.WARM_START])
    later.record.days["warm_start"] = later.record.days["warm_start"][1:]
    with pytest.raises(module.ReplayRefused, match="span 3 lies before 5"):
        later.run([3])
