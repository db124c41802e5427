"""The search itself, with trainings that are told by a formula; the real ones: test_tune_command.py."""

import json
import math
import threading
from pathlib import Path

import pytest

from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
from mtlx.pipeline.trainings.epochs_line import epochs_line
from mtlx.pipeline.trainings.processes import ProcessDied, TaskFailed
from mtlx.pipeline.trainings.task import TRAINED_FILE, Prepared, write_whole
from mtlx.pipeline.tune import tune as module
from mtlx.pipeline.tune.tune import Tune
from tests.pipeline.compare import planted_domains

EPOCHS = 4
SPACE = {
    "training.learning_rate": {"log": [1e-4, 1.0]},
    "model.options.hidden": {"choices": [[4], [8], [16]]},
}


def reached(training, model):
    """By epoch: good where the rate is near 0.01 and the layer has 8 units."""
    far = abs(math.log10(training["learning_rate"]) + 2)
    width = 0.0 if model["options"]["hidden"] == [8] else 0.05
    seed = 0.001 * training["seed"]
    return [0.6 + 0.1 * far + width + seed + 0.1 / epoch for epoch in range(1, EPOCHS + 1)]


class Trainings:
    """Does what a process would: says its epochs, and writes what it made.

    Args:
        kill: the command is killed at this epoch (counted over all trainings) by what it raises.
        fail: rates from which a training diverges.
    """

    def __init__(self, kill=None, fail=None, die=0):
        self.begun, self.epochs, self._kill, self._fail = [], [], kill, fail
        self._die = die

    def __call__(self, task, folder, on_progress):
        training, model = json.loads(task.training), json.loads(task.model)
        self.begun.append((training["learning_rate"], tuple(model["options"]["hidden"])))
        if self._fail and training["learning_rate"] > self._fail:
            raise TaskFailed("the loss is nan")
        if self._die:
            self._die -= 1
            raise ProcessDied("its process was ended by SIGKILL")
        records = []
        # What a killed training had done lies in its checkpoint.
        mark = Path(folder) / "done"
        for epoch, value in enumerate(reached(training, model), start=1):
            records.append({"epoch": epoch, "selection": value, "validation_auc": {"click": 1}})
            if mark.exists() and epoch <= int(mark.read_text()):
                continue
            self.epochs.append((folder.name, epoch))
            if len(self.epochs) == self._kill:
                raise KeyboardInterrupt
            folder.mkdir(parents=True, exist_ok=True)
            mark.write_text(str(epoch))
            on_progress(epochs_line(records))
        write_whole(
            folder / TRAINED_FILE,
            {"parameters": 10, "seconds": 1.0, "kept": EPOCHS, "epochs": records},
        )


@pytest.fixture()
def experiment(tmp_path, monkeypatch):
    planted_domains.write_log(tmp_path)
    prepared = Prepared("graph", ("examples",), "[]", False)
    monkeypatch.setattr(module, "prepare", lambda *_: prepared)
    model = {"network": "single_task", "options": {"hidden": [4]}, "embedding_size": 4}
    return planted_domains.write_experiment(tmp_path, search=SPACE, model=model)


def search(experiment, run, out="search", **changes):
    given = {"trials": 14, "seeds": 0, "run": run, **changes}
    folder = experiment.parent / out
    return Tune(str(experiment), given.pop("given", ()), None, folder, **given)


def told(tune):
    return [(row.number, row.settings, row.state, row.value) for row in tune.record.trials]


def test_search_finds_what_is_planted_and_stops_what_is_hopeless(experiment):
    trainings = Trainings()
    tune = search(experiment, trainings, trials=26)
    tune.run()
    record = tune.record
    assert record.own is record.trials[0]
    assert record.own.settings["training.learning_rate"] == 0.02
    best = record.best
    assert best.settings["model.options.hidden"] == [8]
    assert 0.004 < best.settings["training.learning_rate"] < 0.025
    pruned = record.of_state("pruned")
    assert pruned and all(len(row.reached) < EPOCHS for row in pruned)
    assert len(trainings.epochs) == sum(len(row.reached) for row in record.trials) < 26 * EPOCHS
    assert min(row.value for row in pruned) > best.value


def test_it_learns_where_to_look(experiment):
    """It does not go on as it began, at random: the later rates lie nearer to the best one."""
    first, last = [], []
    for seed in (1, 2, 3):
        given = (f"training.seed={seed}",)
        tune = search(experiment, Trainings(), f"seed{seed}", trials=31, given=given)
        tune.run()
        rates = [row.settings["training.learning_rate"] for row in tune.record.trials]
        far = [abs(math.log10(rate) + 2) for rate in rates]
        first += far[1:11]
        last += far[-10:]
    assert sum(last) < 0.65 * sum(first), (first, last)


def test_a_command_killed_at_any_epoch_goes_on_to_the_same_trials(experiment):
    whole = search(experiment, Trainings(), "whole")
    whole.run()
    expected = told(whole)
    for kill in (9, 22):
        killed, resumed = Trainings(kill=kill), Trainings()
        with pytest.raises(KeyboardInterrupt):
            search(experiment, killed, f"killed{kill}").run()
        tune = search(experiment, resumed, f"killed{kill}")
        tune.run()
        assert told(tune) == expected
        # Not even an epoch is done again, but for the one that was cut off.
        assert not set(killed.epochs[:-1]) & set(resumed.epochs)
    assert any(state == "pruned" for _, _, state, _ in expected)


def test_a_finished_search_does_nothing_again_and_a_longer_one_the_rest(experiment):
    search(experiment, Trainings(), trials=6).run()
    again, longer = Trainings(), Trainings()
    search(experiment, again, trials=6).run()
    assert again.begun == []
    search(experiment, longer, trials=8).run()
    assert len(longer.begun) == 2


def test_another_space_or_objective_is_another_search(experiment):
    search(experiment, Trainings(), trials=4).run()
    other = search(experiment, Trainings(), trials=4, objective="auc:click")
    other.run()
    assert [row.value for row in other.record.trials] == [1] * 4
    given = ("search.training.learning_rate={log: [0.1, 1.0]}",)
    tune = search(experiment, Trainings(), trials=4, given=given)
    tune.run()
    assert all(row.settings["training.learning_rate"] >= 0.1 for row in tune.record.trials)


def test_a_trial_that_fails_is_a_row_and_the_others_go_on(experiment):
    tune = search(experiment, Trainings(fail=0.1), trials=12)
    tune.run()
    failed = tune.record.of_state("failed")
    assert failed and {row.reason for row in failed} == {"the loss is nan"}
    assert tune.record.best.settings["training.learning_rate"] <= 0.1
    # And it is not tried again.
    again = Trainings(fail=0.1)
    search(experiment, again, trials=12).run()
    assert again.begun == []


def test_a_trial_whose_process_is_killed_goes_on_once(experiment):
    trainings = Trainings(die=1)
    tune = search(experiment, trainings, trials=2)
    tune.run()
    assert [row.state for row in tune.record.trials] == ["complete", "complete"]
    assert len(trainings.begun) == 3
    trainings = Trainings(die=2)
    tune = search(experiment, trainings, "twice", trials=2)
    tune.run()
    assert [row.state for row in tune.record.trials] == ["failed", "complete"]
    assert tune.record.trials[0].reason == "its process was ended by SIGKILL"


def test_what_the_experiment_refuses_in_combination_is_a_row(experiment):
    given = (
        "search={training.batch_parts: {choices: [1, 64]}, training.batch_size: {choices: [32, 64]}}",
    )
    tune = search(experiment, Trainings(), trials=9, given=given)
    tune.run()
    refused = [row for row in tune.record.trials if row.state == "failed"]
    assert [row.settings for row in refused] == [
        {"training.batch_parts": 64, "training.batch_size": 32}
    ]
    assert refused[0].reason.startswith("refused: ") and "batch_parts" in refused[0].reason
    # All that there is to try, once each.
    assert len(tune.record.trials) == 4
    assert tune.record.ended == "all settings that there are were tried"


def test_what_no_trial_would_read_is_refused_before_anything_is_prepared(experiment, monkeypatch):
    prepared = []
    monkeypatch.setattr(module, "prepare", lambda *_: prepared.append(1))
    given = ("model={network: lightgbm}", "search={training.learning_rate: {log: [0.01, 1]}}")
    trainings = Trainings()
    with pytest.raises(ExperimentFileError, match="does not read training.learning_rate"):
        search(experiment, trainings, given=given).run()
    assert not prepared and not trainings.begun


def test_no_trial_begins_after_the_minutes(experiment):
    time = iter(range(0, 600, 25))
    tune = search(experiment, Trainings(), minutes=1, clock=lambda: next(time))
    tune.run()
    assert len(tune.record.trials) == 2
    assert tune.record.ended == "the time was over"


def test_further_seeds_judge_the_choice(experiment):
    trainings = Trainings()
    tune = search(experiment, trainings, trials=10, seeds=3)
    tune.run()
    best, own = tune.record.best_by_seed, tune.record.own_by_seed
    assert list(best.by_seed) == list(own.by_seed) == [2, 3, 4]
    assert best.mean == pytest.approx(tune.record.best.value + 0.002)
    assert own.mean == pytest.approx(tune.record.own.value + 0.002)


def test_several_workers_try_each_once_and_stop_together(experiment):
    together = threading.Barrier(2, timeout=60)

    class Beside(Trainings):
        def __call__(self, task, folder, on_progress):
            if len(self.begun) < 2:
                together.wait()
            super().__call__(task, folder, on_progress)

    tune = search(experiment, Beside(), trials=8, workers=2)
    tune.run()
    assert [row.number for row in tune.record.trials] == list(range(1, 9))
    assert not tune.record.of_state("running")


def test_a_trial_that_dies_with_the_command_has_not_failed(experiment):
    """Its process is killed with the others: that says nothing of its settings."""

    def run(task, folder, on_progress):
        tune._stop()
        raise ProcessDied("its process was ended by SIGKILL")

    tune = search(experiment, run, trials=3)
    with pytest.raises(module.SearchStopped):
        tune.run()
    again = search(experiment, Trainings(), trials=3)
    again.run()
    assert [row.state for row in again.record.trials] == ["complete"] * 3


def test_without_pruning_all_come_to_their_end(experiment):
    tune = search(experiment, Trainings(), pruning=False)
    tune.run()
    assert {row.state for row in tune.record.trials} == {"complete"}


def test_one_search_at_a_time_in_a_folder(experiment):
    from mtlx.pipeline.run.run_lock import PipelineRootInUse, run_lock

    with run_lock(experiment.parent / "search" / "root"):
        with pytest.raises(PipelineRootInUse):
            search(experiment, Trainings()).run()
