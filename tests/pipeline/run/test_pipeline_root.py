"""Where an experiment's history lies, and what is said when a run would not see it."""

import pytest

from mtlx.pipeline import command_line
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.pipeline_root import history_elsewhere, pipeline_root

VALID = """\
name: small
data: {path: x.csv, split: {by: hash, of: item}}
features: {item: {kind: categorical}}
tasks: {click: {label: click}}
model: {network: mmoe}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    path = tmp_path / "experiments/x.yaml"
    path.write_text(VALID, encoding="utf-8")
    return path


def _history(root):
    root.mkdir(parents=True)
    (root / "metadata.sqlite").touch()


def test_the_default_root_lies_beside_the_file(file, monkeypatch):
    expected = file.parent / "var/pipelines/small"
    assert pipeline_root(read_experiment(file)) == expected
    monkeypatch.chdir("/")
    assert pipeline_root(read_experiment(file)) == expected
    assert history_elsewhere(read_experiment(file)) is None


def test_a_history_at_the_old_place_is_named(file, tmp_path):
    old = tmp_path / "here/var/pipelines/small"
    _history(old)
    line = history_elsewhere(read_experiment(file))
    assert line.startswith(f"New pipeline root: {file.parent}/var/pipelines/small. ")
    assert f"--set run.pipeline_root={old}" in line
    assert "\n" not in line
    # The remedy works, and a root with a history of its own is not new.
    assert history_elsewhere(read_experiment(file, [f"run.pipeline_root={old}"])) is None
    _history(file.parent / "var/pipelines/small")
    assert history_elsewhere(read_experiment(file)) is None


def test_a_relative_root_of_the_file_once_started_from_here(file, tmp_path):
    file.write_text(VALID + "run: {pipeline_root: roots/a}\n", encoding="utf-8")
    experiment = read_experiment(file)
    assert pipeline_root(experiment) == file.parent / "roots/a"
    assert history_elsewhere(experiment) is None
    _history(tmp_path / "here/roots/a")
    assert str(tmp_path / "here/roots/a") in history_elsewhere(experiment)
    assert history_elsewhere(read_experiment(file, ["run.pipeline_root=gs://b/x"])) is None


def test_a_report_that_lies_elsewhere_is_named(file, tmp_path, capsys):
    _history(tmp_path / "here/var/pipelines/small")
    assert command_line.main(["report", str(file)]) == command_line.EXIT_WRONG_INPUT
    text = capsys.readouterr().err
    assert "small has no finished run" in text
    assert f"--set run.pipeline_root={tmp_path}/here/var/pipelines/small" in text
