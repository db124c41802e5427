"""Errors of the `kubeflow` section name the key and the file's line."""

import pytest

from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.experiment.kubeflow_settings import KubeflowSettings
from mtlx.transform.config.settings import SettingsError

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


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"defaults": {"workers": 2}}, "defaults.workers is 2, but only Trainer"),
        ({"defaults": {"cpu": "2", "cpu_limit": "1500m"}}, "cpu_limit is 1500m, less than cpu"),
        ({"defaults": {"memory_limit": "4G"}}, "memory_limit is 4G, less than memory, .* 4Gi"),
        (
            {"defaults": {"memory_limit": "6Gi"}, "nodes": {"Report": {"memory": "6.5Gi"}}},
            "nodes.Report: memory_limit is 6Gi, less than memory, which is 6.5Gi",
        ),
        ({"nodes": {"Trainer": {"cpu_limit": "500m"}}}, "nodes.Trainer: cpu_limit is 500m"),
    ],
)
def test_what_no_pod_can_have_is_refused(section, words):
    with pytest.raises(SettingsError, match=words):
        KubeflowSettings.read(section)


def test_limits_are_compared_with_what_is_reserved_in_the_end():
    section = KubeflowSettings.read(
        {
            "defaults": {"cpu": "250m", "memory": "1000Mi"},
            "nodes": {
                "Trainer": {"cpu_limit": "0.5", "memory_limit": "1Gi", "workers": 2},
                "Report": {"cpu_limit": "250m", "memory": "2Gi", "memory_limit": "2048Mi"},
            },
        }
    )
    assert section.node("Trainer").cpu == "250m" and section.node("Trainer").workers == 2
