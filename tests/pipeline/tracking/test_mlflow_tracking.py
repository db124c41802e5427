"""Runs in MLflow: with the real client, a folder and a server's REST interface."""

import http.server
import importlib.util
import json
import socket
import threading
import urllib.parse

import pytest

from mtlx.pipeline.tracking.mlflow_tracking import INSTALL, mlflow_problem, track
from mtlx.pipeline.tracking.settings import TrackingSettings

needs_mlflow = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None,
    reason=f"MLflow is an optional dependency: {INSTALL}",
)
VALUES = {"training": {"epochs": 3}}


def test_without_mlflow_a_run_is_refused_with_the_command(monkeypatch):
    settings = TrackingSettings.read({"mlflow": "https://mlflow.example.com"})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert mlflow_problem(settings) == (
        "tracking.mlflow is set, but MLflow is not installed: pip install mlflow-skinny"
    )
    assert mlflow_problem(TrackingSettings()) is None


def test_without_an_address_nothing_is_noted(record):
    assert track(TrackingSettings(), "daily", record, VALUES, None) is None


@needs_mlflow
def test_a_run_is_noted_with_all_that_is_known(tmp_path, record, monkeypatch):
    import mlflow

    # Newer versions take no folder else.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    report = tmp_path / "report.html"
    report.write_text("<h1>größer</h1>", encoding="utf-8")
    store = (tmp_path / "store").as_uri()
    settings = TrackingSettings.read({"mlflow": store})
    # As many parameters and metrics as need several requests.
    values = {**VALUES, "features": {f"f{number}": number for number in range(150)}}
    for number in range(400):
        record["metrics"].append({**record["metrics"][0], "slice": f"s={number}"})
    assert track(settings, "daily", record, values, report) == f"Noted in MLflow: {store}"
    record |= {"outcome": "failed", "at": "at Trainer", "run_id": "second"}
    assert track(settings, "daily", record, values, None).startswith("Noted")

    client = mlflow.MlflowClient(tracking_uri=store)
    experiment = client.get_experiment_by_name("daily")
    failed, run = client.search_runs([experiment.experiment_id], order_by=["created DESC"])
    if failed.info.run_name != "second":
        failed, run = run, failed
    assert (run.info.run_name, run.info.status) == ("20261127-030000-000000", "FINISHED")
    assert run.info.end_time - run.info.start_time == 61_500
    assert run.data.params["training.epochs"] == "3" and len(run.data.params) == 151
    assert (
        run.data.metrics["auc/click/overall"] == 0.7 and run.data.metrics["auc/click/s_399"] == 0.7
    )
    assert run.data.tags["mtlx.spans.train"] == "1 2"
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["report.html"]
    assert (failed.info.status, failed.data.tags["mtlx.failed"]) == ("FAILED", "at Trainer")


class _Server(http.server.ThreadingHTTPServer):
    """What a tracking server answers, as its REST interface has it; keeps what it was sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls = []
        self.hangs = threading.Event()
        self.address = f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def _answer(self, code, body):
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _called(self):
        if self.server.hangs.is_set():
            self.server.hangs.wait(0.1)
            threading.Event().wait(20)
        path = urllib.parse.urlsplit(self.path).path
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        artifact = "/mlflow-artifacts/artifacts/" in path
        name = path.rpartition("/mlflow-artifacts/artifacts/")[2] if artifact else path
        name = name.removeprefix("/api/2.0/mlflow/")
        self.server.calls.append((name, content if artifact else json.loads(content or b"{}")))
        run = {"info": {"run_id": "r1", "run_uuid": "r1", "experiment_id": "7", "status": "RUNNING",
                        "artifact_uri": "mlflow-artifacts:/7/r1/artifacts", "start_time": 0,
                        "lifecycle_stage": "active"}, "data": {}}  # fmt: skip
        if name == "experiments/get-by-name":
            body = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"}
            return self._answer(404, body)
        answers = {"experiments/create": {"experiment_id": "7"}, "runs/create": {"run": run},
                   "runs/get": {"run": run}, "runs/update": {"run_info": run["info"]}}  # fmt: skip
        return self._answer(200, answers.get(name, {}))

    do_GET = do_POST = do_PUT = _called

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = _Server()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@needs_mlflow
def test_a_server_is_asked_by_its_rest_interface(server, record, tmp_path):
    report = tmp_path / "report.html"
    report.write_text("<h1>größer</h1>", encoding="utf-8")
    settings = TrackingSettings.read({"mlflow": server.address, "experiment": "ours"})
    assert track(settings, "daily", record, VALUES, report).startswith("Noted in MLflow: http://")
    calls = dict(server.calls)
    assert calls["experiments/create"]["name"] == "ours"
    assert calls["runs/create"]["experiment_id"] == "7"
    batches = [body for name, body in server.calls if name == "runs/log-batch"]
    assert all(body["run_id"] == "r1" for body in batches)
    (metrics,) = [body["metrics"] for body in batches if body.get("metrics")]
    assert {"auc/click/overall", "run/seconds"} <= {metric["key"] for metric in metrics}
    assert calls["7/r1/artifacts/report.html"] == "<h1>größer</h1>".encode()
    assert calls["runs/update"]["status"] == "FINISHED"


@needs_mlflow
def test_a_server_that_hangs_or_is_not_there_is_one_line(server, record):
    server.hangs.set()
    settings = {"mlflow": server.address, "timeout_seconds": 2.0}
    line = track(TrackingSettings.read(settings), "daily", record, VALUES, None)
    assert line.startswith(f"Not noted in MLflow ({server.address}): ")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    settings = {"mlflow": nowhere, "timeout_seconds": 20.0}
    line = track(TrackingSettings.read(settings), "daily", record, VALUES, None)
    assert line.startswith(f"Not noted in MLflow ({nowhere}): ") and "\n" not in line
