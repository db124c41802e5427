"""A task that finds the job of an earlier attempt: attaches to it, takes its model, or starts anew."""

import json
import os
import shutil

import pytest

from mtlx.kubeflow.training_job import run_fn as module
from mtlx.kubeflow.training_job.arguments import read_values
from mtlx.kubeflow.training_job.waiting import TrainingJobFailed
from mtlx.trainer.repeats.repeats_record import RepeatsRecord
from tests.kubeflow.training_job.run_fn.conftest import (
    COMPLETE,
    NAME,
    TRAINING,
    export,
    task_arguments,
)


def test_another_attempt_attaches_to_the_running_job(cluster, states, task, tmp_path, make_client):
    """The first task is lost while the job runs; results lie where the first one wanted them."""
    first, second = task_arguments(tmp_path, "first"), task_arguments(tmp_path, "second")
    cluster.script = [states["running"]]
    lost = make_client()
    uri = module.arguments_uri(first)
    values = module.write_arguments(first, uri)
    settings = module.TrainingJobSettings.of_environment()
    assert lost.create(module.training_job_manifest(NAME, "ranking", settings, uri))
    export(values)
    cluster.script = [states["running"], states["running"], states["succeeded"]]
    module.run_fn(second)
    posts = [path for method, path in cluster.requests if method == "POST"]
    assert len(posts) == 2 and not cluster.deleted
    for folder in ("serving_model_dir", "model_run_dir"):
        copied = os.path.join(getattr(second, folder), "variables", "data")
        with open(copied) as file:
            assert file.read() == f"{folder} variables/data"


def test_models_of_other_seeds_come_along(tmp_path):
    """They lie beside the exported one, which the next attempt is to find elsewhere."""
    first, second = (vars(task_arguments(tmp_path, name)) for name in ("first", "second"))
    export(first)
    record = RepeatsRecord((1, 2, 3), 2, "log loss", (0.3, 0.2, 0.1))
    record.save(str(tmp_path / "first" / "model" / "repeats"))
    (tmp_path / "first" / "model" / "repeats" / "1").mkdir()
    (tmp_path / "first" / "model" / "repeats" / "1" / "saved_model.pb").touch()
    module._take_results(first, second)
    assert RepeatsRecord.beside(second["serving_model_dir"]) == record
    assert (tmp_path / "second" / "model" / "repeats" / "1" / "saved_model.pb").exists()
    assert (tmp_path / "second" / "model" / "Format-Serving" / "saved_model.pb").exists()


def test_another_attempt_after_success_takes_the_model_there_is(finishing, task, tmp_path):
    module.run_fn(task_arguments(tmp_path, "first"))
    module.run_fn(task_arguments(tmp_path, "second"))
    assert not finishing.deleted
    assert (tmp_path / "second" / "model" / "Format-Serving" / "saved_model.pb").exists()


@pytest.mark.parametrize("gone", ["model/Format-Serving", "."])
def test_a_job_whose_model_is_gone_is_made_anew(finishing, task, tmp_path, gone):
    """TFX removes the folders of a failed execution, and gives them to the next attempt."""
    module.run_fn(task_arguments(tmp_path, "first"))
    shutil.rmtree(tmp_path / "first" / gone)
    again = task_arguments(tmp_path, "first")
    module.run_fn(again)
    assert finishing.deleted == [NAME]
    assert os.path.exists(os.path.join(again.serving_model_dir, "saved_model.pb"))


@pytest.mark.parametrize("state", ["failed", "other work", "deleted"])
def test_a_job_of_no_use_is_made_anew(finishing, states, task, tmp_path, make_client, state):
    """One that failed, that trains something else, or that is just being deleted."""
    training = json.dumps({**TRAINING, "epochs": 7})
    earlier = task_arguments(
        tmp_path, "first", **({"training": training} if state == "other work" else {})
    )
    uri = module.arguments_uri(earlier)
    module.write_arguments(earlier, uri)
    settings = module.TrainingJobSettings.of_environment()
    create, finishing.on_create = finishing.on_create, None
    make_client().create(module.training_job_manifest(NAME, "ranking", settings, uri))
    finishing.on_create = create
    finishing.script = [states["failed" if state == "failed" else "running"]]
    finishing.lingering = 2
    if state == "deleted":
        make_client().delete(NAME)
    module.run_fn(task_arguments(tmp_path, "second"))
    assert NAME in finishing.deleted
    assert finishing.jobs[NAME]["metadata"]["annotations"]["mtlx/arguments"].startswith(
        str(tmp_path / "second")
    )


def test_a_trainjob_is_made_found_again_and_its_model_taken(cluster, trainjob, tmp_path):
    def on_create(job):
        export(read_values(job["metadata"]["annotations"]["mtlx/arguments"]))
        cluster.script = [{}, COMPLETE]

    cluster.on_create = on_create
    module.run_fn(task_arguments(tmp_path, "first"))
    job = cluster.jobs[NAME]
    assert (job["kind"], job["spec"]["trainer"]["numNodes"]) == ("TrainJob", 2)
    module.run_fn(task_arguments(tmp_path, "second"))
    assert not cluster.deleted
    assert (tmp_path / "second" / "model" / "Format-Serving" / "saved_model.pb").exists()


def test_a_failed_trainjob_is_made_anew(cluster, trainjob, tmp_path):
    failed = {"conditions": [{"type": "Failed", "status": "True", "reason": "FailedJobs"}]}
    cluster.script = [failed]
    with pytest.raises(TrainingJobFailed, match="TrainJob run-1-trainer: FailedJobs"):
        module.run_fn(task_arguments(tmp_path, "first"))

    def on_create(job):
        export(read_values(job["metadata"]["annotations"]["mtlx/arguments"]))
        cluster.script = [COMPLETE]

    cluster.on_create = on_create
    module.run_fn(task_arguments(tmp_path, "second"))
    assert cluster.deleted == [NAME]
