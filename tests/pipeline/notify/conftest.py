"""A message, and a server that takes it."""

import http.server
import json
import threading

import pytest

from mtlx.pipeline.notify.message import Message


@pytest.fixture
def message():
    return Message(
        event="blocked",
        events=("blocked", "pushed"),
        experiment="größe",
        run_id="run-1",
        outcome="not blessed",
        lines=("✘ click, overall: AUC 0.61 is below 0.7", "2 of 3 checks of the gate are met"),
        report="/pipelines/runs/run-1/report.html",
        log="/pipelines/runs/run-1/log.txt",
    )


@pytest.fixture
def webhook():
    """A server on this machine; `answer` is what it does with a request."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.received.append((self.path, self.headers["Content-Type"], json.loads(body)))
            server.answer(self)

        def do_GET(self):
            server.received.append((self.path, None, None))
            server.ok(self)

        def log_message(self, *_):
            pass

    def ok(handler):
        handler.send_response(204)
        handler.end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.received, server.ok, server.answer = [], ok, ok
    server.address = f"http://127.0.0.1:{server.server_port}/hook/T0KEN"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
