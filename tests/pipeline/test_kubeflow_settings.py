"""Errors of the `kubeflow` section name the key and the file's line."""

import pytest

from pipeline.experiment_file import ExperimentFileError, read_experiment
from pipeline.kubeflow_settings import KubeflowSettings

EXPERIMENT = """\
name: small
data: {reader: csv, path: x.csv, split: {by: row, train: 0.8, validation: 0.1, test: 0.1}}
features:
  item: {kind: categorical}
tasks:
  click: {label: click}
model: {network: mmoe}
kubeflow:
  image: a/b:1
  nodes:
    Trainer:
      gpus: 1
    Report: {cpu: many,
             retries: -1}
"""


def test_errors_of_nodes_name_key_and_line(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    with pytest.raises(ExperimentFileError) as caught:
        read_experiment(path)
    (line,) = str(caught.value).splitlines()
    expected = f"{path}:12: kubeflow.nodes.Trainer.gpus: unknown setting 'gpus', did you mean 'gpu'"
    assert line.startswith(expected)
    path.write_text(EXPERIMENT.replace("gpus", "gpu"), encoding="utf-8")
    with pytest.raises(ExperimentFileError) as caught:
        read_experiment(path)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{path}:13: kubeflow.nodes.Report.cpu: ")
    assert "Received: 'many'" in first
    assert second.startswith(f"{path}:14: kubeflow.nodes.Report.retries: ")


def test_a_node_adds_to_the_lists_and_replaces_the_rest():
    settings = KubeflowSettings.read(
        {
            "image": "a/b:1",
            "volumes": [{"claim": "x", "mount": "/x"}],
            "defaults": {"cpu": "2", "memory": "1Gi"},
            "nodes": {"Trainer": {"cpu": "4", "volumes": [{"claim": "y", "mount": "/y"}]}},
        }
    )
    trainer = settings.node("Trainer")
    assert (trainer.cpu, trainer.memory, trainer.image) == ("4", "1Gi", "a/b:1")
    assert [volume.claim for volume in trainer.volumes] == ["x", "y"]
    assert [volume.claim for volume in settings.node("Report").volumes] == ["x"]
