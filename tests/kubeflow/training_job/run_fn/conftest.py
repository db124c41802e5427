"""A task's pod whose Trainer has a job train, and jobs of the fake cluster that leave a model."""

import json
import os
import types

import pytest

from mtlx.kubeflow.training_job.arguments import read_values
from tests.trainer.conftest import (  # noqa: F401
    CONTRACT,
    MODEL,
    TRAINING,
    contract,
    custom_config,
    fn_args,
    logs,
    trained,
)

NAME = "run-1-trainer"
CONFIG = {
    "data_contract": json.dumps(CONTRACT),
    "model": json.dumps(MODEL),
    "training": json.dumps(TRAINING),
    "checkpoint_root": "/pipeline/checkpoints",
}
JOB = {
    "workers": 2,
    "image": "registry.example/mtlx:1",
    "namespace": "ranking",
    "poll_seconds": 0.05,
}
#: Status of a TrainJob that went well.
COMPLETE = {"conditions": [{"type": "Complete", "status": "True", "reason": "AllJobsCompleted"}]}


def task_arguments(folder, attempt, **config):
    """What the Trainer's executor gives run_fn, in an attempt's folders."""
    return types.SimpleNamespace(
        train_files=["/pipeline/train/*"],
        eval_files=["/pipeline/validation/*"],
        transform_output="/pipeline/transform",
        serving_model_dir=str(folder / attempt / "model" / "Format-Serving"),
        model_run_dir=str(folder / attempt / "run"),
        custom_config={**CONFIG, **config},
        data_accessor=lambda: None,
    )


def export(values):
    """What a job's chief leaves."""
    for field, file in (("serving_model_dir", "saved_model.pb"), ("model_run_dir", "history.json")):
        os.makedirs(os.path.join(values[field], "variables"), exist_ok=True)
        for path in (file, "variables/data"):
            with open(os.path.join(values[field], path), "w") as opened:
                opened.write(f"{field} {path}")


@pytest.fixture
def task(monkeypatch):
    """The environment of the task's pod."""
    for name, value in {"MTLX_RUN_ID": "run-1", "MTLX_NODE": "Trainer"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MTLX_TRAINING_JOB", json.dumps(JOB))


@pytest.fixture
def finishing(cluster, states):
    """The cluster, whose jobs export and succeed soon after they are created."""

    def on_create(job):
        export(read_values(job["metadata"]["annotations"]["mtlx/arguments"]))
        cluster.script = [states["created"], states["running"], states["succeeded"]]

    cluster.on_create = on_create
    return cluster


@pytest.fixture
def trainjob(task, monkeypatch):
    """The environment of a task whose training a TrainJob does."""
    monkeypatch.setenv("MTLX_TRAINING_JOB", json.dumps({**JOB, "kind": "TrainJob"}))
