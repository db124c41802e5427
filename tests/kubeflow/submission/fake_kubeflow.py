"""Kubeflow Pipelines' API (v2beta1, JSON over HTTP), as far as `mtlx submit` speaks it."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

TOKEN = "right-token"


def specification(body):
    """The pipeline of a posted run, with or without a platform's specification beside it."""
    return body["pipeline_spec"].get("pipeline_spec", body["pipeline_spec"])


class FakeKubeflow:
    """A server in a thread; a run takes one step of `script` with every look at it.

    Attributes:
        script: run states in order, each ``(state, {task: state})``; the last one stays.
        fail_next: HTTP states with which the next requests are answered.
        slow: path whose requests are answered after `seconds`.
        requests: ``(method, path, body)`` of all that were understood.
        listed: runs of the experiment, the newest first.
    """

    def __init__(self, multi_user=False):
        self.multi_user = multi_user
        self.script = []
        self.fail_next = []
        self.requests = []
        self.experiments = {}
        self.listed = []
        self.looks = 0
        self.slow, self.seconds = "", 0.0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_GET(self):
                fake._answer(self, "GET", None)

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                fake._answer(self, "POST", json.loads(self.rfile.read(length)))

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def bodies(self, path):
        """What was posted to a path."""
        return [body for method, asked, body in self.requests if (method, asked) == ("POST", path)]

    def _answer(self, handler, method, body):
        url = urlparse(handler.path)
        path = url.path.removeprefix("/apis/v2beta1")
        if path != "/healthz":
            if self.fail_next:
                return self._send(handler, self.fail_next.pop(0), {"message": "try later"})
            if handler.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self._send(handler, 401, {"message": "Unauthorized"})
        self.requests.append((method, path, body))
        if (method, path) == ("POST", self.slow):
            time.sleep(self.seconds)
        status, answer = self._route(method, path, parse_qs(url.query), body)
        return self._send(handler, status, answer)

    def _route(self, method, path, query, body):
        if (method, path) == ("GET", "/healthz"):
            return 200, {"multi_user": self.multi_user}
        if (method, path) == ("GET", "/experiments"):
            if ("namespace" in query) != self.multi_user:
                return 400, {"message": "namespace: needed with several users, refused with one"}
            return 200, {"experiments": list(self.experiments.values())}
        if (method, path) == ("POST", "/experiments"):
            made = {"experiment_id": "experiment-1", **body}
            self.experiments[body["display_name"]] = made
            return 200, made
        if (method, path) == ("POST", "/runs"):
            if "root" not in specification(body):
                return 400, {"message": "invalid spec"}
            return 200, {"run_id": "run-1", "state": "PENDING", **body}
        if (method, path) == ("POST", "/recurringruns"):
            return 200, {"recurring_run_id": "recurring-1", **body}
        if (method, path) == ("GET", "/runs"):
            assert query["experiment_id"] == ["experiment-1"]
            return 200, {"runs": self.listed}
        if (method, path) == ("GET", "/runs/run-1"):
            return 200, self._run()
        return 404, {"message": f"{method} {path}"}

    def _run(self):
        state, tasks = self.script[min(self.looks, len(self.script) - 1)]
        self.looks += 1
        details = [
            {
                "run_id": "run-1",
                "task_id": name,
                "display_name": name,
                "state": task_state,
                "start_time": "2026-11-21T10:00:00Z",
                "end_time": "2026-11-21T10:01:30Z" if task_state != "RUNNING" else None,
                "error": {"message": "OOMKilled"} if task_state == "FAILED" else None,
            }
            for name, task_state in tasks.items()
        ]
        return {"run_id": "run-1", "state": state, "run_details": {"task_details": details}}

    def _send(self, handler, status, answer):
        payload = json.dumps(answer).encode()
        with contextlib.suppress(ConnectionError):  # of a client that no longer waits
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(payload)))
            handler.end_headers()
            handler.wfile.write(payload)
