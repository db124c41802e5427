"""A search with real trainings, in this process; and one whose command is killed."""

import contextlib
import dataclasses
import io
import json
import os
import shlex
import shutil
import signal

import pytest

from mtlx.pipeline.command_line import main
from mtlx.pipeline.commands.command import EXIT_OK
from mtlx.pipeline.experiment.checked_experiment import checked_experiment
from mtlx.pipeline.process.prompt_stop import STOPPED
from mtlx.pipeline.trainings import work
from mtlx.pipeline.trainings.prepared import prepare
from mtlx.pipeline.trainings.processes import Processes, TaskFailed
from mtlx.pipeline.trainings.task import Prepared, Training
from mtlx.pipeline.tune import tune as module
from mtlx.pipeline.tune.tune import Tune
from mtlx.trainer.validation.history import read_history
from tests.forked_process import FORKED_PYTHON, start_for_all
from tests.pipeline.compare import planted_domains
from tests.pipeline.trainings import fake_work

SPACE = {"training.learning_rate": {"choices": [0.02, 0.0001, 1.0e30]}}
MODEL = {
    "network": "star",
    "options": {"hidden": [8], "tower_hidden": [8], "normalize": False},
    "embedding_size": 4,
}
TRAINING = {"epochs": 3, "batch_size": 128, "learning_rate": 0.02, "patience": None}


class Lines(io.TextIOBase):
    """Passes on whole lines of standard output, as a process's are."""

    def __init__(self, take):
        self._take, self._text = take, ""

    def write(self, text):
        *lines, self._text = (self._text + text).split("\n")
        for line in lines:
            self._take(line)
        return len(text)


def run(task, folder, on_progress):
    """A task in this process."""
    try:
        with contextlib.redirect_stdout(Lines(on_progress)):
            work.do(type(task).__name__, dataclasses.asdict(task), folder)
    except Exception as error:
        raise TaskFailed(str(error)) from error


def _tune(folder, **changes):
    given = {"trials": 3, "seeds": 0, "run": run, **changes}
    return Tune(str(folder / "experiment.yaml"), (), None, folder / "search", **given)


def _told(record):
    return [(row.settings, row.state, row.value, row.kept) for row in record.trials]


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("searched")
    planted_domains.write_log(folder)
    planted_domains.write_experiment(folder, search=SPACE, model=MODEL, training=TRAINING)
    tune = _tune(folder)
    tune.run()
    return folder, tune.record


def test_the_rate_that_learns_wins_and_one_that_diverges_is_a_row(searched):
    _, record = searched
    assert record.best is record.own and record.best.settings == {"training.learning_rate": 0.02}
    # By the file's own: what is liked in one domain is not in the other, and it has learnt that.
    assert record.best.value < 0.8
    by_rate = {row.settings["training.learning_rate"]: row for row in record.trials}
    assert by_rate[1e-4].value > 0.95
    assert by_rate[1e30].state == "failed"
    assert "lower training.learning_rate" in by_rate[1e30].reason


def test_the_test_split_is_never_read(searched, monkeypatch):
    """With test rows that nobody could read, all is as it was."""
    folder, record = searched

    def poisoned(experiment, on_progress):
        prepared = prepare(experiment, on_progress)
        found = list((folder / "search/root").rglob("Split-test/*.gz"))
        assert found, "no examples of the test split"
        for path in found:
            path.write_bytes(b"no examples")
        return prepared

    monkeypatch.setattr(module, "prepare", poisoned)
    for done in ("trainings", "searches"):
        shutil.rmtree(folder / "search" / done)
    tune = _tune(folder)
    tune.run()
    assert _told(tune.record) == _told(record)
    assert not list((folder / "search/root/artifacts/Transform").rglob("Split-test"))


def test_the_command_tells_what_is_finished_and_writes_an_experiment(searched, capsys):
    folder, record = searched
    out = folder / "search"
    file = folder / "experiment.yaml"
    arguments = ["tune", str(file), "--trials", "3", "--seeds", "0", "--out", str(out)]
    assert main(arguments) == EXIT_OK
    shown = capsys.readouterr().out
    assert f"{record.best.value:.5f}" in shown and "failed: the loss of task" in shown
    assert "3 were asked for" not in shown
    page = (out / "tuning.html").read_text(encoding="utf-8")
    assert f"{record.best.value:.5f}" in page and "lower training.learning_rate" in page
    assert "<script" not in page and "http" not in page.split("<main")[1].replace("www.w3.org", "")
    numbers = json.loads((out / "tuning.json").read_text(encoding="utf-8"))
    assert numbers["trials"][0]["value"] == record.best.value
    found, own = checked_experiment(out / "best.yaml"), checked_experiment(file)
    assert (found.training, found.model) == (own.training, own.model)


def test_trees_on_days_of_logs_are_searched_and_have_no_seeds(tmp_path):
    options = "training.method_options"
    planted_domains.write_experiment(
        tmp_path,
        data=planted_domains.write_days(tmp_path, days=2, rows=300),
        model={"network": "lightgbm"},
        training={"method_options": {"rows_per_leaf": 5, "learning_rate": 0.3, "trees": 1}},
        search={f"{options}.trees": {"choices": [1, 20]}},
    )
    tune = _tune(tmp_path, trials=2, seeds=3)
    tune.run()
    own, best = tune.record.trials
    assert own.own and tune.record.best is best
    assert best.settings == {f"{options}.trees": 20} and best.value < own.value < 1
    assert tune.record.not_by_seed == "its method gives the same model from every seed"
    found = checked_experiment(tmp_path / "search/best.yaml")
    assert found.training.method_options["trees"] == 20 and found.data.window.train == 1


@pytest.fixture(scope="module")
def by_two(tmp_path_factory):
    """A search for numbers by two workers, each trial in a process of its own."""
    folder = tmp_path_factory.mktemp("by_two")
    planted_domains.write_days(folder, days=1, rows=400)
    split = {"by": "hash", "of": "user_id", "train": 0.5, "validation": 0.4, "test": 0.1}
    planted_domains.write_experiment(
        folder,
        data={"path": str(folder / "logs/*/*.csv"), "split": split},
        tasks={"watch": {"label": "watch", "kind": "regression"}},
        model={"network": "single_task", "options": {"hidden": []}, "embedding_size": 4},
        training={**TRAINING, "batch_size": 16, "learning_rate": 0.05},
        search={"training.learning_rate": {"choices": [0.05, 1e-6]}},
        gate={"thresholds": [{"rule": "calibration", "task": "watch", "minimum": 0.5}]},
    )
    start_for_all()
    command = (*shlex.split(FORKED_PYTHON), "-m", "mtlx.pipeline.trainings.work")
    tune = _tune(folder, trials=2, workers=2, objective="loss:watch", run=Processes(command).run)
    tune.run()
    return folder, tune.record


def test_numbers_are_searched_by_their_error_and_two_workers_write_all_of_it(by_two):
    folder, record = by_two
    assert record.objective == "squared error of watch" and record.lower_is_better
    assert record.best is record.own
    slow = next(row for row in record.trials if not row.own)
    assert record.best.value < 0.9 * slow.value
    written = [json.loads(path.read_text()) for path in folder.glob("search/searches/*/*.json")]
    assert sorted(one["number"] for one in written) == [1, 2]
    for row in record.trials:
        (own,) = (one for one in written if one["number"] == row.number)
        assert (own["state"], own["value"], own["kept"]) == ("complete", row.value, row.kept)
        assert [epoch for epoch, _ in own["reached"]] == [1, 2, 3]
    assert len(list(folder.glob("search/trainings/*/trained.json"))) == 2
    assert not list(folder.glob("search/trainings/*/checkpoints"))


def test_what_two_workers_have_trained_is_not_trained_again(by_two):
    folder, record = by_two
    begun = []
    shutil.rmtree(folder / "search/searches")
    again = _tune(folder, trials=2, objective="loss:watch", run=lambda *task: begun.append(task))
    again.run()
    assert not begun and _told(again.record) == _told(record)


def test_the_best_settings_reach_in_a_run_what_they_reached_in_their_trial(by_two):
    folder, record = by_two
    experiment = checked_experiment(folder / "search/best.yaml")
    training = Training(
        experiment.contract.to_json(),
        experiment.model.to_json(),
        experiment.training.to_json(),
        prepare(experiment, lambda node: None),
    )
    work.do("Training", dataclasses.asdict(training), folder / "run")
    epochs = read_history(str(folder / "run/run"))["epochs"]
    found = {epoch["epoch"]: epoch["validation_loss"]["watch"] for epoch in epochs}
    assert found[record.best.kept] == pytest.approx(record.best.value, rel=1e-5)


SEARCH = "search={training.learning_rate: {log: [0.001, 1.0]}}"
TRIALS = 8


def _started(folder, *options):
    """The command, whose trials are processes that train nothing."""
    command = ["tune", str(folder / "experiment.yaml"), "--out", str(folder / "killed")]
    command += ["--set", SEARCH, "--trials", str(TRIALS), "--seeds", "0"]
    return fake_work.started([*command, *options])


def _by_processes(folder, out, run=None):
    """The same, here."""
    run = run or Processes(fake_work.COMMAND).run
    given = str(folder / "experiment.yaml"), (SEARCH,), None, folder / out
    return Tune(*given, trials=TRIALS, seeds=0, run=run)


@pytest.fixture()
def beside(tmp_path, monkeypatch):
    prepared = Prepared("graph", ("examples",), "[]", False)
    monkeypatch.setattr(module, "prepare", lambda *_: prepared)
    planted_domains.write_log(tmp_path)
    planted_domains.write_experiment(tmp_path)
    return tmp_path


def test_after_sigkill_of_the_command_the_same_trials_are_found(beside):
    process = _started(beside)
    fake_work.wait_until_begun(process, beside / "killed", 4)
    process.kill()
    assert process.wait() == -signal.SIGKILL and fake_work.all_gone(beside / "killed")
    resumed, whole = _by_processes(beside, "killed"), _by_processes(beside, "whole")
    resumed.run()
    whole.run()
    assert _told(resumed.record) == _told(whole.record)
    begun = fake_work.begun(beside / "killed").values()
    # The one that was at work was begun again, and no other.
    assert len(begun) == TRIALS and sum(begun) <= TRIALS + 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_with_two_at_work_it_says_so_and_goes_on(beside, number):
    process = _started(beside, "--workers", "2")
    fake_work.wait_until_begun(process, beside / "killed", 4)
    process.send_signal(number)
    said, _ = process.communicate(60)
    assert process.returncode == 128 + number and said.rstrip().endswith(STOPPED)
    assert "Traceback" not in said and "failed" not in said
    assert fake_work.all_gone(beside / "killed")
    process = _started(beside, "--workers", "2")
    said, _ = process.communicate(60)
    assert process.returncode == EXIT_OK, said
    told = json.loads((beside / "killed/tuning.json").read_text(encoding="utf-8"))
    assert [row["number"] for row in told["trials"]] == list(range(1, TRIALS + 1))
    assert {row["state"] for row in told["trials"]} <= {"complete", "pruned"}
    begun = fake_work.begun(beside / "killed").values()
    # Two were at work.
    assert len(begun) == TRIALS and sum(begun) <= TRIALS + 2


def test_after_sigkill_of_a_trial_it_goes_on_by_itself(beside):
    killed = []
    processes = Processes(fake_work.COMMAND)

    def run(task, folder, on_progress):
        def listen(line):
            if not killed:
                killed.append(1)
                (process,) = processes._at_work
                os.kill(process.pid, signal.SIGKILL)
            on_progress(line)

        processes.run(task, folder, listen)

    tune, whole = _by_processes(beside, "one", run), _by_processes(beside, "whole")
    tune.run()
    whole.run()
    assert killed and _told(tune.record) == _told(whole.record)
