"""What an experiment is on the cluster, and which of its settings there is wrong."""

import pytest

from mtlx.pipeline.experiment.cluster_settings import with_cluster_settings
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.presets import read_preset
from mtlx.transform.config.settings import SettingsError


def _experiment(settings, **sections):
    return Experiment.read(
        {
            "name": "small",
            "data": {"path": ["/here/*.csv"], "split": {"by": "row"}},
            "features": {"item": {"kind": "categorical"}},
            "tasks": {"click": {"label": "click"}},
            "model": {"network": "mmoe", "options": {"experts": 2}},
            "gate": {
                "thresholds": [{"rule": "auc", "minimum": 0.5}, {"rule": "auc", "minimum": 0.6}]
            },
            "kubeflow": {"settings": settings},
            **sections,
        }
    )


def _problems(settings):
    with pytest.raises(SettingsError) as caught:
        with_cluster_settings(_experiment(settings))
    return caught.value.problems


def test_settings_take_the_places_of_those_here_and_nothing_else_changes():
    settings = {
        "data.path": ["/mnt/*.csv"],
        "training.epochs": 9,
        "gate.thresholds.1.minimum": 0.7,
        "run.pipeline_root": "gs://bucket/root",
    }
    here = _experiment(settings)
    there = with_cluster_settings(here)
    assert list(there.data.path) == ["/mnt/*.csv"] and there.data.split == here.data.split
    assert there.training.epochs == 9 and there.run.pipeline_root == "gs://bucket/root"
    assert [one.options["minimum"] for one in there.gate.thresholds] == [0.5, 0.7]
    assert there.model == here.model and there.features == here.features
    # What it is here stays what it was.
    assert list(here.data.path) == ["/here/*.csv"] and here.training.epochs != 9
    assert [one.options["minimum"] for one in here.gate.thresholds] == [0.5, 0.6]


def test_a_preset_there_is_spelt_out_under_the_experiment_s_own_settings():
    preset = read_preset("mmoe")
    assert preset.training["l2"] and "experts" in preset.model["options"]
    there = with_cluster_settings(_experiment({"model.preset": "mmoe"}))
    assert there.training.l2 == preset.training["l2"]
    assert there.model.options == {**preset.model["options"], "experts": 2}


def test_without_settings_it_is_the_same():
    experiment = _experiment({})
    assert with_cluster_settings(experiment) == experiment


@pytest.mark.parametrize(
    ("settings", "key", "words"),
    [
        ({"training.epoch": 3}, "training.epoch", "unknown setting 'epoch', did you mean 'epochs'"),
        ({"training.epochs": "many"}, "training.epochs", "training.epochs: "),
        ({"name.x": 1}, "name.x", "'name' has no settings below it; name the whole of it"),
        ({"gate.thresholds.7.minimum": 0}, "gate.thresholds.7.minimum", "is a list of 2"),
        ({"model.preset": "plee"}, "model.preset", "unknown preset 'plee'"),
        ({"tasks.buy": {"labl": "x"}}, "tasks.buy", "unknown setting 'labl'"),
    ],
)
def test_a_problem_is_laid_to_the_setting_that_makes_it(settings, key, words):
    found = _problems({"training.seed": 7, **settings})
    assert {path for path, _ in found} == {("kubeflow", "settings", key)}
    assert any(words in text for _, text in found)


def test_all_settings_without_a_place_are_named():
    found = _problems({"name.x": 1, "gate.thresholds.x": 2})
    assert [path[-1] for path, _ in found] == ["name.x", "gate.thresholds.x"]


def test_a_disagreement_of_two_sections_is_of_the_settings_as_a_whole():
    """No one setting is wrong by itself."""
    found = _problems({"gate.baseline": "reference", "training.epochs": 2})
    ((path, text),) = found
    assert path[:2] == ("kubeflow", "settings") and "gate.reference is absent" in text
