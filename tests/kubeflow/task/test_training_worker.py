"""A worker's exit codes, by which the operator decides whether to start it again."""

import json
import os
import types

import pytest
import tensorflow as tf

from mtlx.kubeflow.task import training_worker
from mtlx.kubeflow.training_job.arguments import write_arguments
from mtlx.trainer import run_fn as trainer
from mtlx.trainer.distribution.cluster import Cluster


@pytest.fixture
def uri(tmp_path):
    arguments = types.SimpleNamespace(custom_config={"model": "{}"}, model_run_dir=str(tmp_path))
    path = str(tmp_path / "arguments.json")
    write_arguments(arguments, path)
    return path


def _raising(error):
    def run_fn(fn_args):
        raise error

    return run_fn


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (tf.errors.UnavailableError(None, None, "connection reset by peer"), 138),
        (tf.errors.AbortedError(None, None, "restarted"), 138),
        (tf.errors.InternalError(None, None, "Collective ops is aborted by: peer lost"), 138),
        (tf.errors.InternalError(None, None, "cuDNN launch failure"), 1),
        (tf.errors.ResourceExhaustedError(None, None, "out of memory"), 1),
        (ValueError("training.epochs"), 1),
    ],
)
def test_lost_workers_are_worth_another_start_and_mistakes_are_not(
    uri, monkeypatch, capsys, error, code
):
    monkeypatch.setattr(trainer, "run_fn", _raising(error))
    assert training_worker.main(["--arguments", uri]) == code
    assert str(error) in capsys.readouterr().err


def test_calls_run_fn_with_what_was_written(uri, monkeypatch):
    given = []
    monkeypatch.setattr(trainer, "run_fn", given.append)
    assert training_worker.main(["--arguments", uri]) == 0
    assert given[0].custom_config == {"model": "{}"}


@pytest.mark.parametrize("content", [None, "{", json.dumps({"no_field": 1})])
def test_wrong_arguments_are_named(tmp_path, capsys, content):
    path = tmp_path / "arguments.json"
    if content is not None:
        path.write_text(content)
    assert training_worker.main(["--arguments", str(path)]) == 2
    assert str(path) in capsys.readouterr().err


POD = {
    "MTLX_JOBSET": "run-1-trainer",
    "MTLX_REPLICATED_JOB": "node",
    "MTLX_JOB": "0",
    "MTLX_WORKERS": "2",
    "JOB_COMPLETION_INDEX": "1",
}


@pytest.fixture
def pod(monkeypatch):
    """The environment of a pod of a JobSet."""
    monkeypatch.delenv("TF_CONFIG", raising=False)
    for name, value in POD.items():
        monkeypatch.setenv(name, value)
    yield monkeypatch
    # What the worker itself has set; monkeypatch would put it back.
    os.environ.pop("TF_CONFIG", None)


def test_a_worker_of_a_jobset_finds_the_others(uri, pod):
    found = []
    pod.setattr(trainer, "run_fn", lambda fn_args: found.append(Cluster.of_environment()))
    assert training_worker.main(["--arguments", uri]) == 0
    assert found == [Cluster(workers=2, index=1)]


def test_a_worker_of_a_jobset_without_a_number_does_not_train_alone(uri, pod, capsys):
    pod.delenv("MTLX_WORKERS")
    pod.setattr(trainer, "run_fn", lambda fn_args: pytest.fail("it trains"))
    assert training_worker.main(["--arguments", uri]) == training_worker.EXIT_WRONG_INPUT
    assert "MTLX_WORKERS is not set" in capsys.readouterr().err


def test_a_wrong_cluster_is_named(uri, monkeypatch, capsys):
    from mtlx.trainer.distribution.cluster import WrongCluster

    monkeypatch.setattr(trainer, "run_fn", _raising(WrongCluster("TF_CONFIG is no JSON")))
    assert training_worker.main(["--arguments", uri]) == 2
    assert "TF_CONFIG is no JSON" in capsys.readouterr().err
