"""A Trainer's run_fn with processes of this machine: SIGTERM, and trainings for real."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

from mtlx.kubeflow.training_job import run_fn as module
from tests.forked_process import ForkedProcess
from tests.free_ports import free_ports
from tests.kubeflow.training_job.conftest import RUNTIME
from tests.kubeflow.training_job.run_fn.conftest import COMPLETE, NAME, TRAINING, task_arguments

#: Calls run_fn as the Trainer's executor does.
TASK = """
import json, sys, types
from absl import logging
from mtlx.kubeflow.training_job.run_fn import run_fn

logging.set_verbosity(logging.INFO)
run_fn(types.SimpleNamespace(**json.loads(sys.argv[1])))
"""


def _wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


def test_sigterm_deletes_the_job(cluster, states, task, tmp_path):
    cluster.script = [states["running"]]
    arguments = vars(task_arguments(tmp_path, "first"))
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
    fn_args,
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
    fn_args,
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
