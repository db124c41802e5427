"""MTLX_TRAINING_JOB: what is read, and what is refused."""

import json
import typing

import pytest

from mtlx.kubeflow.training_job.kinds import KINDS
from mtlx.kubeflow.training_job.settings import TrainingJobSettings
from mtlx.pipeline.experiment.kubeflow_settings import TrainingJobKind

PASSED = {
    "workers": 3,
    "image": "registry.example/mtlx:1",
    "cpu": "4",
    "cpu_limit": None,
    "memory": "16Gi",
    "memory_limit": None,
    "gpu": 1,
    "gpu_type": "nvidia.com/gpu",
    "shared_memory": "4Gi",
    "node_selector": {"pool": "gpu"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "volumes": [{"claim": "root", "mount": "/pipeline"}],
    "secrets": [],
    "env": {"A": "b"},
    "namespace": "ranking",
    "service_account": "mtlx-pipeline",
    "image_pull_policy": "Always",
    "image_pull_secrets": ["registry"],
    "timeout_seconds": None,
}


def _read(values):
    return TrainingJobSettings.of_environment({"MTLX_TRAINING_JOB": json.dumps(values)})


def test_reads_what_the_compiler_passes():
    settings = _read(PASSED)
    assert settings.workers == 3 and settings.volumes[0].claim == "root"
    assert settings.tolerations[0].operator == "Exists"


def test_every_kind_that_may_be_set_is_there_and_no_other():
    assert set(KINDS) == set(typing.get_args(TrainingJobKind))
    assert {name: kind.name for name, kind in KINDS.items()} == {name: name for name in KINDS}


@pytest.mark.parametrize("environment", [{}, {"MTLX_TRAINING_JOB": ""}])
def test_is_none_where_nothing_is_set(environment):
    assert TrainingJobSettings.of_environment(environment) is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({**PASSED, "workers": 1}, "workers"),
        ({**PASSED, "kind": "PyTorchJob"}, "kind"),
        ({**PASSED, "image": ""}, "image"),
        ({**PASSED, "imge": "x"}, "did you mean 'image'"),
        ({**PASSED, "memory": "4 GB"}, "memory"),
        ([1], "JSON object"),
    ],
)
def test_names_what_is_wrong(values, words):
    with pytest.raises(ValueError, match=f"(?s)MTLX_TRAINING_JOB.*{words}"):
        _read(values)


def test_names_what_is_no_json():
    with pytest.raises(ValueError, match="MTLX_TRAINING_JOB is no JSON"):
        TrainingJobSettings.of_environment({"MTLX_TRAINING_JOB": "workers: 2"})
