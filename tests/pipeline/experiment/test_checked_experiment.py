"""An experiment is checked with what it is on the cluster, whoever asks for it."""

import pytest
import yaml

from mtlx.kubeflow import command_line
from mtlx.pipeline.command_line import EXIT_WRONG_INPUT
from mtlx.pipeline.experiment.checked_experiment import checked_experiment
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment

VALUES = {
    "name": "small",
    "data": {"path": "logs/*.csv", "split": {"by": "row"}},
    "features": {"item": {"kind": "categorical"}},
    "tasks": {"click": {"label": "click"}},
    "model": {"network": "mmoe", "options": {"experts": 2}},
    "kubeflow": {
        "image": "registry.example/mtlx:1",
        "settings": {"data.path": "/mnt/logs/*.csv", "run.pipeline_root": "/mnt/root"},
    },
}
WRONG = [
    ("model.options.expertz", 4, "unknown option 'expertz' of 'mmoe', did you mean 'experts'"),
    ("training.epoch", 4, "unknown setting 'epoch', did you mean 'epochs'"),
    ("model.preset", "plee", "unknown preset 'plee', did you mean 'ple'"),
    ("training.learning_rate", "fast", "'fast'"),
]
COMMANDS = {
    "run": ["run"],
    "compile": ["compile"],
    "rehearse": ["rehearse"],
    "submit": ["submit"],
    "models --count": ["models", "mmoe", "--count"],
}


@pytest.fixture
def write(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.csv").write_text("item,click\nx,1\ny,0\n", encoding="utf-8")

    def function(**settings):
        values = {**VALUES, "data": {**VALUES["data"], "path": str(tmp_path / "logs/*.csv")}}
        kubeflow = values["kubeflow"]
        values["kubeflow"] = {**kubeflow, "settings": {**kubeflow["settings"], **settings}}
        path = tmp_path / "x.yaml"
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return path

    return function


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("key", "value", "message"), WRONG, ids=[key for key, *_ in WRONG])
def test_every_command_refuses_wrong_settings_of_the_cluster(
    write, capsys, monkeypatch, tmp_path, command, key, value, message
):
    monkeypatch.chdir(tmp_path)
    path = write(**{key: value})
    assert command_line.main([*COMMANDS[command], str(path)]) == EXIT_WRONG_INPUT
    found = " ".join(capsys.readouterr().err.split())
    assert "kubeflow.settings" in found and message in found, found
    assert not (tmp_path / "var").exists()


def test_reading_names_the_line_of_a_setting_of_the_cluster(write):
    path = write(**{"training.epoch": 4})
    (line,) = [
        number
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "training.epoch" in text
    ]
    with pytest.raises(ExperimentFileError, match=f"^{path}:{line}: kubeflow.settings.training"):
        read_experiment(path)


def test_a_method_that_can_t_begin_with_a_base_model_says_so(write):
    path = write()
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values["training"] = {"warm_start": "latest_blessed"}
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    assert checked_experiment(path).training.warm_start.folder is None
    values["model"] = {"network": "lightgbm", "sequence_encoder": "none"}
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(ExperimentFileError, match="training.warm_start: training method 'gradient"):
        checked_experiment(path)


def test_a_method_that_no_seed_changes_is_not_repeated(write):
    path = write()
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values["training"] = {"repeats": 3}
    values["gate"] = {"reference": {"network": "lightgbm", "sequence_encoder": "none"}}
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(ExperimentFileError, match="gate.reference_training.repeats: training meth"):
        checked_experiment(path)
    values["gate"]["reference_training"] = {"repeats": 1}
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    assert checked_experiment(path).training.repeats == 3


def test_what_is_right_is_returned_as_it_is_here(write):
    path = write(**{"model.options.experts": 3})
    found = checked_experiment(path)
    assert found == read_experiment(path) and found.model.options == {"experts": 2}


def test_shards_are_refused_for_a_method_that_needs_whole_tables(write):
    path = write()
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values["training"] = {
        **{"optimizer": "lazy_adam", "method": "meta"},
        "embeddings": {"shard": True},
    }
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(ExperimentFileError, match="training.embeddings.shard: is true, and train"):
        checked_experiment(path)
