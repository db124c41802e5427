import pytest

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.tune.objective import Objective

FILE = "configs/default.yaml"
EPOCHS = [
    {"epoch": 1, "selection": 0.9, "validation_auc": {"click": 0.6}, "validation_loss": {}},
    {"epoch": 2, "selection": 0.8, "validation_auc": {"click": 0.7}, "validation_loss": {}},
    {"epoch": 3, "selection": 0.85, "validation_auc": {"click": 0.8}, "validation_loss": {}},
]


def objective(name, *given):
    return Objective.read(name, read_experiment(FILE, given))


def test_a_training_has_reached_what_its_kept_epoch_has():
    assert list(objective("selection").reached(EPOCHS)) == [(1, 0.9), (2, 0.8), (3, 0.8)]
    assert list(objective("auc:click").reached(EPOCHS)) == [(1, 0.6), (2, 0.7), (3, 0.7)]
    by_auc = objective("selection", "training.select_by=auc")
    assert list(by_auc.reached(EPOCHS)) == [(1, 0.9), (2, 0.9), (3, 0.9)]
    assert list(objective("loss:click").reached(EPOCHS)) == []


def test_which_way_is_better():
    assert objective("selection").lower_is_better and objective("loss:click").lower_is_better
    assert not objective("auc:click").lower_is_better
    assert objective("selection", "training.select_by=auc").title == "AUC"


@pytest.mark.parametrize("name", ["auc:clik", "auc", "selektion", "log_loss:click"])
def test_an_unknown_one_is_refused_with_the_nearest(name):
    with pytest.raises(ValueError, match=f"--objective {name}: unknown, did you mean"):
        objective(name)
