"""A cluster's API about training jobs, as an HTTP server; the real client talks to it."""

import copy
import http.server
import json
import re
import threading
import urllib.parse
from pathlib import Path

import kubernetes
import pytest
import yaml

from mtlx.kubeflow.training_job.client import TrainingJobClient
from mtlx.kubeflow.training_job.kinds import KINDS
from mtlx.kubeflow.training_job.settings import TrainingJobSettings

SETTINGS = {
    "workers": 2,
    "image": "registry.example/mtlx:1",
    "namespace": "ranking",
    "volumes": [{"claim": "mtlx-root", "mount": "/pipeline"}],
    "poll_seconds": 0.05,
}
NAMESPACE = "namespaces/ranking"
TRAINER = f"/apis/trainer.kubeflow.org/v1alpha1/{NAMESPACE}"
#: Where jobs are, of either kind.
JOBS = (f"/apis/kubeflow.org/v1/{NAMESPACE}/tfjobs", f"{TRAINER}/trainjobs")
RUNTIMES = f"{TRAINER}/trainingruntimes"
PODS = f"/api/v1/{NAMESPACE}/pods"
EVENTS = f"/api/v1/{NAMESPACE}/events"
MANIFEST = Path(__file__).parents[3] / "kubeflow/manifests/trainer/training_runtime.yaml"
RUNTIME = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))


class FakeCluster:
    """Holds jobs, pods and logs, and answers as the API server does.

    Attributes:
        jobs: by name.
        runtimes: training runtimes by name; those of the manifests.
        events: as Kubernetes has them.
        pods: by name.
        logs: text by pod name.
        requests: ``(method, path)`` of all that came.
        failures: status codes that the next requests are answered with; 0 closes the connection.
        script: what each of the next reads of a job finds as its status; the last one stays.
        lingering: reads that a deleted job still answers.
        unknown: fields of a job's ``spec`` that the cluster's version does not know.
        on_create: is called with every new job.
    """

    def __init__(self):
        self.jobs, self.pods, self.logs, self.events, self.unknown = {}, {}, {}, [], ()
        self.runtimes = {RUNTIME["metadata"]["name"]: copy.deepcopy(RUNTIME)}
        self.requests, self.failures, self.script, self.deleted = [], [], [], []
        self.lingering, self.on_create = 0, None
        self.lock = threading.RLock()

    def answer(self, method, path, query, body):
        """Status and answer for one request."""
        with self.lock:
            self.requests.append((method, path))
            if self.failures:
                return self.failures.pop(0), {"message": "a passing failure"}
            if path in JOBS and method == "POST":
                return self._create(body)
            folder, _, name = path.rpartition("/")
            if folder in JOBS:
                return self._job(method, name)
            if folder == RUNTIMES and name in self.runtimes:
                return 200, self.runtimes[name]
            if path == EVENTS:
                (selector,) = query["fieldSelector"]
                return 200, {"kind": "EventList", "items": self._events_of(selector)}
            if path == PODS:
                (label,) = query["labelSelector"]
                return 200, {"kind": "PodList", "items": self._pods_of(label)}
            log = re.fullmatch(f"{PODS}/([^/]+)/log", path)
            if log and log[1] in self.logs:
                names = [one["name"] for one in self.pods[log[1]]["status"]["containerStatuses"]]
                assert query["container"] == names
                return 200, self.logs[log[1]]
            return 404, {"kind": "Status", "reason": "NotFound", "message": f"no {path}"}

    def _create(self, job):
        name = job["metadata"]["name"]
        if name in self.jobs:
            return 409, {"kind": "Status", "reason": "AlreadyExists"}
        job = copy.deepcopy(job)
        wanted = job["spec"].get("runtimeRef", {}).get("name")
        if wanted is not None and wanted not in self.runtimes:
            return 403, {"message": f'admission webhook "x" denied the request: no {wanted}'}
        for field in self.unknown:
            job["spec"].pop(field, None)
        self.jobs[name] = job
        if self.on_create:
            self.on_create(copy.deepcopy(job))
        return 201, job

    def _job(self, method, name):
        if name not in self.jobs:
            return 404, {"kind": "Status", "reason": "NotFound", "message": f"no tfjob {name}"}
        job = self.jobs[name]
        if method == "DELETE":
            self.deleted.append(name)
            job["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            if not self.lingering:
                del self.jobs[name]
            return 200, {"kind": "Status", "status": "Success"}
        if "deletionTimestamp" in job["metadata"]:
            self.lingering -= 1
            if self.lingering < 0:
                del self.jobs[name]
                return 404, {"kind": "Status", "reason": "NotFound"}
        elif self.script:
            job["status"] = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return 200, job

    def _pods_of(self, label):
        key, _, name = label.partition("=")
        return [pod for pod in self.pods.values() if pod["metadata"]["labels"].get(key) == name]

    def _events_of(self, selector):
        wanted = dict(part.split("=") for part in selector.split(","))
        assert set(wanted) == {"type", "involvedObject.name"}
        return [
            event
            for event in self.events
            if event["type"] == wanted["type"]
            and event["involvedObject"]["name"] == wanted["involvedObject.name"]
        ]

    def add_event(self, kind, name, reason, message, second=0, type="Warning"):
        """Something that a controller says about an object."""
        self.events.append(
            {
                "metadata": {"name": f"{name}.{len(self.events)}", "namespace": "ranking"},
                "involvedObject": {"kind": kind, "name": name},
                "type": type,
                "reason": reason,
                "message": message,
                "lastTimestamp": f"2026-01-01T00:00:{second:02d}Z",
            }
        )

    def add_pod(
        self, job, index, state=None, log=None, phase="Running", kind="TFJob", restarts=None
    ):
        """A worker's pod; `state` is its container's, as Kubernetes has it."""
        of_jobset = kind == "TrainJob"
        name = f"{job}-node-0-{index}-abcde" if of_jobset else f"{job}-worker-{index}"
        labels = {KINDS[kind].pod_label: job}
        if restarts is not None:
            labels["jobset.sigs.k8s.io/restart-attempt"] = str(restarts)
        container = KINDS[kind].container
        status = {"name": container, "state": state or {"running": {}}, "restartCount": 0}
        status.update(image="x", imageID="x", ready=False)
        self.pods[name] = {
            "metadata": {"name": name, "labels": labels},
            "status": {"phase": phase, "containerStatuses": [status]},
        }
        if log is not None:
            self.logs[name] = log


def status(*conditions, **workers):
    """A job's status: conditions as ``(type, reason, message)``, all true; workers by state."""
    return {
        "conditions": [
            {
                "type": kind,
                "status": "True",
                "reason": reason,
                "message": message,
                "lastTransitionTime": f"2026-01-01T00:00:{second:02d}Z",
            }
            for second, (kind, reason, message) in enumerate(conditions)
        ],
        "replicaStatuses": {"Worker": workers},
    }


CREATED = ("Created", "TFJobCreated", "TFJob is created.")
RUNNING = ("Running", "TFJobRunning", "TFJob is running.")
SUCCEEDED = ("Succeeded", "TFJobSucceeded", "TFJob successfully completed.")
FAILED = ("Failed", "TFJobFailed", "TFJob has failed because 1 Worker replica(s) failed.")


@pytest.fixture
def states():
    """Statuses of a job by what happened last, and `status` for others."""
    return {
        "created": status(CREATED),
        "running": status(CREATED, RUNNING, active=2),
        "succeeded": status(CREATED, RUNNING, SUCCEEDED, succeeded=2),
        "failed": status(CREATED, RUNNING, FAILED, failed=1, active=1),
        "of": status,
    }


def _handler(cluster):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self):
            url = urllib.parse.urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            code, answer = cluster.answer(
                self.command, url.path, urllib.parse.parse_qs(url.query), body
            )
            if code == 0:
                self.close_connection = True
                return
            text = isinstance(answer, str)
            content = (answer if text else json.dumps(answer)).encode()
            self.send_response(code)
            self.send_header("Content-Type", "text/plain" if text else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _serve

        def log_message(self, *args):
            """Not on the test's terminal."""

    return Handler


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A running fake cluster that ``KUBECONFIG`` names."""
    fake = FakeCluster()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    name = "fake"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [
            {"name": name, "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "users": [{"name": name, "user": {"token": "secret"}}],
    }
    path = tmp_path / "kubeconfig.yaml"
    path.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(path))
    yield fake
    server.shutdown()
    server.server_close()


@pytest.fixture
def make_client(cluster):
    """A client of the fake cluster that waits briefly only."""
    from mtlx.kubeflow.training_job.client import connect

    def make(patience_seconds=5.0, kind="TFJob"):
        return TrainingJobClient(
            "ranking", connect(), KINDS[kind], patience_seconds, first_wait=0.01
        )

    return make


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def settings():
    """Makes settings of a job, with what the test has others."""

    def make(**values):
        return TrainingJobSettings.read({**SETTINGS, **values})

    return make


@pytest.fixture
def as_kubernetes_reads_it():
    """A document as the client's model of a kind keeps it: what the kind lacks is lost."""
    api = kubernetes.client.ApiClient(kubernetes.client.Configuration())

    def read(document, kind):
        class Response:
            data = json.dumps(document)

        return api.sanitize_for_serialization(api.deserialize(Response, kind))

    return read
