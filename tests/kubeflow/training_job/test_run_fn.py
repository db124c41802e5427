"""A Trainer's run_fn that has a job train: earlier attempts, SIGTERM, results; and for real."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import types

import pytest

from mtlx.kubeflow.training_job import run_fn as module
from mtlx.kubeflow.training_job.arguments import read_arguments, read_values
from mtlx.kubeflow.training_job.client import ClusterError
from mtlx.kubeflow.training_job.waiting import TrainingJobFailed
from mtlx.trainer.repeats.repeats_record import RepeatsRecord
from tests.forked_process import ForkedProcess
from tests.free_ports import free_ports
from tests.kubeflow.training_job.conftest import RUNTIME
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
#: Calls run_fn as the Trainer's executor does.
TASK = """
import json, sys, types
from absl import logging
from mtlx.kubeflow.training_job.run_fn import run_fn

logging.set_verbosity(logging.INFO)
run_fn(types.SimpleNamespace(**json.loads(sys.argv[1])))
"""


def _arguments(folder, attempt, **config):
    return types.SimpleNamespace(
        train_files=["/pipeline/train/*"],
        eval_files=["/pipeline/validation/*"],
        transform_output="/pipeline/transform",
        serving_model_dir=str(folder / attempt / "model" / "Format-Serving"),
        model_run_dir=str(folder / attempt / "run"),
        custom_config={**CONFIG, **config},
        data_accessor=lambda: None,
    )


def _export(values):
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
        _export(read_values(job["metadata"]["annotations"]["mtlx/arguments"]))
        cluster.script = [states["created"], states["running"], states["succeeded"]]

    cluster.on_create = on_create
    return cluster


def test_creates_a_job_and_takes_its_model(finishing, task, tmp_path):
    arguments = _arguments(tmp_path, "first")
    module.run_fn(arguments)
    job = finishing.jobs[NAME]
    assert job["spec"]["tfReplicaSpecs"]["Worker"]["replicas"] == 2
    uri = job["metadata"]["annotations"]["mtlx/arguments"]
    passed = read_arguments(uri)
    assert passed.train_files == arguments.train_files
    assert passed.custom_config == arguments.custom_config
    assert passed.data_accessor is None
    assert os.path.exists(os.path.join(arguments.serving_model_dir, "saved_model.pb"))
    assert "ownerReferences" not in job["metadata"]


COMPLETE = {"conditions": [{"type": "Complete", "status": "True", "reason": "AllJobsCompleted"}]}


@pytest.fixture
def trainjob(task, monkeypatch):
    """The environment of a task whose training a TrainJob does."""
    monkeypatch.setenv("MTLX_TRAINING_JOB", json.dumps({**JOB, "kind": "TrainJob"}))


def test_a_trainjob_is_made_found_again_and_its_model_taken(cluster, trainjob, tmp_path):
    def on_create(job):
        _export(read_values(job["metadata"]["annotations"]["mtlx/arguments"]))
        cluster.script = [{}, COMPLETE]

    cluster.on_create = on_create
    module.run_fn(_arguments(tmp_path, "first"))
    job = cluster.jobs[NAME]
    assert (job["kind"], job["spec"]["trainer"]["numNodes"]) == ("TrainJob", 2)
    module.run_fn(_arguments(tmp_path, "second"))
    assert not cluster.deleted
    assert (tmp_path / "second" / "model" / "Format-Serving" / "saved_model.pb").exists()


def test_a_failed_trainjob_is_made_anew(cluster, trainjob, tmp_path):
    failed = {"conditions": [{"type": "Failed", "status": "True", "reason": "FailedJobs"}]}
    cluster.script = [failed]
    with pytest.raises(TrainingJobFailed, match="TrainJob run-1-trainer: FailedJobs"):
        module.run_fn(_arguments(tmp_path, "first"))

    def on_create(job):
        _export(read_values(job["metadata"]["annotations"]["mtlx/arguments"]))
        cluster.script = [COMPLETE]

    cluster.on_create = on_create
    module.run_fn(_arguments(tmp_path, "second"))
    assert cluster.deleted == [NAME]


def test_a_trainjob_without_its_runtime_is_not_made(cluster, trainjob, tmp_path):
    cluster.runtimes["mtlx-training"]["spec"]["template"]["spec"]["replicatedJobs"] = []
    with pytest.raises(
        ClusterError, match="TrainingRuntime mtlx-training in namespace ranking: it"
    ):
        module.run_fn(_arguments(tmp_path, "first"))
    cluster.runtimes.clear()
    with pytest.raises(ClusterError, match="has no TrainingRuntime mtlx-training"):
        module.run_fn(_arguments(tmp_path, "first"))
    assert {method for method, _ in cluster.requests} == {"GET"}


def test_the_job_belongs_to_the_tasks_pod(finishing, task, tmp_path, monkeypatch):
    monkeypatch.setenv("KFP_POD_NAME", "run-1-pod")
    monkeypatch.setenv("KFP_POD_UID", "12-34")
    monkeypatch.setattr(module, "own_namespace", lambda: "ranking")
    module.run_fn(_arguments(tmp_path, "first"))
    (owner,) = finishing.jobs[NAME]["metadata"]["ownerReferences"]
    assert owner == {"apiVersion": "v1", "kind": "Pod", "name": "run-1-pod", "uid": "12-34"}
    # An owner of another namespace would take the job with it at once.
    monkeypatch.setattr(module, "own_namespace", lambda: "elsewhere")
    assert module._owner("ranking") is None


def test_another_attempt_attaches_to_the_running_job(cluster, states, task, tmp_path, make_client):
    """The first task is lost while the job runs; results lie where the first one wanted them."""
    first, second = _arguments(tmp_path, "first"), _arguments(tmp_path, "second")
    cluster.script = [states["running"]]
    lost = make_client()
    uri = module.arguments_uri(first)
    values = module.write_arguments(first, uri)
    settings = module.TrainingJobSettings.of_environment()
    assert lost.create(module.training_job_manifest(NAME, "ranking", settings, uri))
    _export(values)
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
    first, second = (vars(_arguments(tmp_path, name)) for name in ("first", "second"))
    _export(first)
    record = RepeatsRecord((1, 2, 3), 2, "log loss", (0.3, 0.2, 0.1))
    record.save(str(tmp_path / "first" / "model" / "repeats"))
    (tmp_path / "first" / "model" / "repeats" / "1").mkdir()
    (tmp_path / "first" / "model" / "repeats" / "1" / "saved_model.pb").touch()
    module._take_results(first, second)
    assert RepeatsRecord.beside(second["serving_model_dir"]) == record
    assert (tmp_path / "second" / "model" / "repeats" / "1" / "saved_model.pb").exists()
    assert (tmp_path / "second" / "model" / "Format-Serving" / "saved_model.pb").exists()


def test_another_attempt_after_success_takes_the_model_there_is(finishing, task, tmp_path):
    module.run_fn(_arguments(tmp_path, "first"))
    module.run_fn(_arguments(tmp_path, "second"))
    assert not finishing.deleted
    assert (tmp_path / "second" / "model" / "Format-Serving" / "saved_model.pb").exists()


@pytest.mark.parametrize("gone", ["model/Format-Serving", "."])
def test_a_job_whose_model_is_gone_is_made_anew(finishing, task, tmp_path, gone):
    """TFX removes the folders of a failed execution, and gives them to the next attempt."""
    module.run_fn(_arguments(tmp_path, "first"))
    shutil.rmtree(tmp_path / "first" / gone)
    again = _arguments(tmp_path, "first")
    module.run_fn(again)
    assert finishing.deleted == [NAME]
    assert os.path.exists(os.path.join(again.serving_model_dir, "saved_model.pb"))


@pytest.mark.parametrize("state", ["failed", "other work", "deleted"])
def test_a_job_of_no_use_is_made_anew(finishing, states, task, tmp_path, make_client, state):
    """One that failed, that trains something else, or that is just being deleted."""
    training = json.dumps({**TRAINING, "epochs": 7})
    earlier = _arguments(
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
    module.run_fn(_arguments(tmp_path, "second"))
    assert NAME in finishing.deleted
    assert finishing.jobs[NAME]["metadata"]["annotations"]["mtlx/arguments"].startswith(
        str(tmp_path / "second")
    )


def test_a_failed_job_raises_with_its_log(cluster, states, task, tmp_path):
    cluster.script = [states["running"], states["failed"]]
    cluster.add_pod(NAME, 1, {"terminated": {"exitCode": 1}}, "TrainingDiverged: nan", "Failed")
    with pytest.raises(TrainingJobFailed, match="(?s)TFJobFailed.*TrainingDiverged: nan"):
        module.run_fn(_arguments(tmp_path, "first"))
    assert NAME in cluster.jobs


def test_says_that_the_workers_left_nothing(cluster, states, task, tmp_path):
    cluster.script = [states["succeeded"]]
    with pytest.raises(TrainingJobFailed, match="left nothing at .*first.* volume"):
        module.run_fn(_arguments(tmp_path, "first"))


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("MTLX_TRAINING_JOB", "MTLX_TRAINING_JOB is not set"),
        ("MTLX_RUN_ID", "MTLX_RUN_ID is not set"),
        ("MTLX_NODE", "MTLX_NODE is not set"),
    ],
)
def test_says_what_the_environment_lacks(cluster, task, tmp_path, monkeypatch, missing, words):
    monkeypatch.delenv(missing)
    with pytest.raises(ValueError, match=words):
        module.run_fn(_arguments(tmp_path, "first"))
    assert not cluster.requests


def test_needs_a_namespace_outside_of_pods(cluster, task, tmp_path, monkeypatch):
    monkeypatch.setenv("MTLX_TRAINING_JOB", json.dumps({**JOB, "namespace": None}))
    with pytest.raises(ValueError, match="names no namespace"):
        module.run_fn(_arguments(tmp_path, "first"))


def test_boosting_is_refused_before_a_job_is_made(cluster, task, tmp_path):
    model = json.dumps({"network": "lightgbm", "sequence_encoder": "none"})
    with pytest.raises(ValueError, match="'gradient_boosting' runs on one machine, not on 2"):
        module.run_fn(_arguments(tmp_path, "first", model=model))
    assert not cluster.requests


def test_needs_a_cluster(task, tmp_path, monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with pytest.raises(ClusterError, match="no access to a cluster"):
        module.run_fn(_arguments(tmp_path, "first"))


def _wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


def test_sigterm_deletes_the_job(cluster, states, task, tmp_path):
    cluster.script = [states["running"]]
    arguments = vars(_arguments(tmp_path, "first"))
    del arguments["data_accessor"]
    process = ForkedProcess(
        [sys.executable, "-c", TASK, json.dumps(arguments)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _wait_until(lambda: len(cluster.requests) > 4 or process.poll() is not None, 240)
        assert process.poll() is None, process.stderr.read()
        process.send_signal(signal.SIGTERM)
        _, words = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 128 + signal.SIGTERM
    assert cluster.deleted == [NAME] and not cluster.jobs
    assert f"deleting TFJob {NAME}" in words


class Operator:
    """Does with a created job what the Training Operator does, with processes of this machine.

    Args:
        cluster: whose job it is.
        status: makes a status.
        kill_when: tells when to kill worker 1, once, as a lost machine would.
    """

    def __init__(self, cluster, status, kill_when):
        self.cluster, self.status, self.kill_when = cluster, status, kill_when
        self.codes, self.words, self.seconds = [], [], 0
        cluster.on_create = lambda job: threading.Thread(target=self._run, args=(job,)).start()

    def _run(self, job):
        spec = job["spec"]["tfReplicaSpecs"]["Worker"]
        assert spec["restartPolicy"] == "ExitCode"
        (container,) = spec["template"]["spec"]["containers"]
        addresses = [f"localhost:{port}" for port in free_ports(spec["replicas"])]
        workers = [self._start(container, addresses, i) for i in range(spec["replicas"])]
        self._say(("Running", "TFJobRunning", "TFJob is running."))
        while workers[0].poll() != 0:
            if self.kill_when and self.kill_when():
                self.kill_when = None
                workers[1].kill()
            for index, worker in enumerate(workers):
                code = worker.poll()
                if not code:
                    continue
                self.codes.append(code % 256 if code > 0 else 128 - code)
                self.words.append(worker.stderr.read())
                if self.codes[-1] < 128:
                    self._say(("Failed", "TFJobFailed", self.words[-1]))
                    for other in workers:
                        other.kill()
                    return
                self._say(("Restarting", "TFJobRestarting", "TFJob is restarting"))
                workers[index] = self._start(container, addresses, index)
            time.sleep(0.1)
        self._say(("Succeeded", "TFJobSucceeded", "TFJob successfully completed."))
        for worker in workers:
            worker.communicate(timeout=60)

    def _say(self, condition):
        self.seconds += 1
        said = self.status(condition)
        said["conditions"][0]["lastTransitionTime"] = f"2026-01-01T00:00:{self.seconds:02d}Z"
        with self.cluster.lock:
            self.cluster.script = [said]

    def _start(self, container, addresses, index):
        config = {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": index},
            "environment": "cloud",
        }
        assert container["command"][0] == "python"
        given = {variable["name"]: variable["value"] for variable in container["env"]}
        return ForkedProcess(
            [sys.executable, *container["command"][1:]],
            env={**os.environ, **given, "TF_CONFIG": json.dumps(config)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )


def test_a_job_trains_for_real_through_the_loss_of_a_machine(
    cluster,
    states,
    task,
    tmp_path,
    fn_args,  # noqa: F811
    monkeypatch,
):
    """Two worker processes train; one is killed, both start again and end with a served model."""
    import tensorflow as tf

    checkpoints = tmp_path / "checkpoints"
    training = json.dumps({**TRAINING, "epochs": 6, "patience": None})
    arguments = fn_args(tmp_path, training=training, checkpoint_root=str(checkpoints))
    operator = Operator(cluster, states["of"], lambda: any(checkpoints.glob("*/checkpoint.npz")))
    module.run_fn(arguments)
    assert sorted(operator.codes) == [137, 138], operator.words
    with open(os.path.join(arguments.model_run_dir, "history.json")) as file:
        history = json.load(file)
    assert history["resumed_from_step"] > 0
    assert history["devices"] == ["worker 0 CPU:0", "worker 1 CPU:0"]
    assert len(history["epochs"]) == 6
    model = tf.saved_model.load(arguments.serving_model_dir)
    empty = tf.train.Example().SerializeToString()
    scores = model.signatures["serving_default"](tf.constant([empty]))
    assert set(scores) == {"ctr", "cvr"} and 0 < float(scores["ctr"][0]) < 1
    assert not list(checkpoints.iterdir())


#: A worker's process in a pod of a JobSet, whose names no server of this machine knows: each address
#: is one of this machine's instead.
POD = """
import json, runpy, sys
from mtlx.kubeflow.training_job import jobset_workers

here, tf_config = json.loads(sys.argv[1]), jobset_workers.tf_config

def on_this_machine(environment):
    config = json.loads(tf_config(environment))
    config["cluster"]["worker"] = [here[one] for one in config["cluster"]["worker"]]
    return json.dumps(config)

jobset_workers.tf_config = on_this_machine
sys.argv[1:] = sys.argv[2:]
runpy.run_module("mtlx.kubeflow.task.training_worker", run_name="__main__", alter_sys=True)
"""


def _as_a_jobset_does(job, index, ports):
    """Starts a worker with the variables that its pod has."""
    (node,) = RUNTIME["spec"]["template"]["spec"]["replicatedJobs"]
    (container,) = node["template"]["spec"]["template"]["spec"]["containers"]
    name, trainer = job["metadata"]["name"], job["spec"]["trainer"]
    labels = {"jobset-name": name, "replicatedjob-name": node["name"], "job-index": "0"}
    given = {one["name"]: one["value"] for one in trainer["env"]}
    for one in container["env"]:
        label = one["valueFrom"]["fieldRef"]["fieldPath"].split("/")[-1].rstrip("']")
        given[one["name"]] = labels[label]
    here = {f"{name}-node-0-{i}.{name}:2222": f"localhost:{p}" for i, p in enumerate(ports)}
    assert trainer["command"][:3] == ["python", "-m", "mtlx.kubeflow.task.training_worker"]
    return ForkedProcess(
        [sys.executable, "-c", POD, json.dumps(here), *trainer["command"][3:]],
        env={**os.environ, **given, "JOB_COMPLETION_INDEX": str(index)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def test_a_trainjob_trains_for_real(
    cluster,
    trainjob,
    tmp_path,
    fn_args,  # noqa: F811
):
    """Two processes with the variables of a JobSet's pods are one group, and leave one model."""
    failures = []

    def run(job):
        ports = free_ports(job["spec"]["trainer"]["numNodes"])
        workers = [_as_a_jobset_does(job, index, ports) for index in range(len(ports))]
        words = [worker.communicate(timeout=240)[1] for worker in workers]
        codes = [worker.returncode for worker in workers]
        failures.extend(words if any(codes) else [])
        failed = {"conditions": [{"type": "Failed", "status": "True", "reason": str(codes)}]}
        cluster.script = [failed if any(codes) else COMPLETE]

    cluster.script = [{"jobsStatus": [{"name": "node", "active": 1}]}]
    cluster.on_create = lambda job: threading.Thread(target=run, args=(job,)).start()
    training = json.dumps({**TRAINING, "epochs": 1, "patience": None})
    arguments = fn_args(tmp_path, training=training)
    module.run_fn(arguments)
    assert not failures
    with open(os.path.join(arguments.model_run_dir, "history.json")) as file:
        assert json.load(file)["devices"] == ["worker 0 CPU:0", "worker 1 CPU:0"]
    assert os.path.exists(os.path.join(arguments.serving_model_dir, "saved_model.pb"))
