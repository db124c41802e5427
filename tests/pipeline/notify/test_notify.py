"""A notifier gets the whole message, and nothing that it does wrong is more than a line."""

import contextlib
import json
import logging
import os
import socket
import sys
import time

import psutil
import pytest

from mtlx.pipeline.notify.notify import notify
from mtlx.pipeline.notify.settings import NotifySettings

#: Writes what a program is given to a file.
WRITE = """
import json, os, sys
given = {name: value for name, value in os.environ.items() if name.startswith("MTLX_")}
open(sys.argv[1], "w", encoding="utf-8").write(
    json.dumps([sys.stdin.read(), given, os.getcwd()]))
"""


def _command(code, *arguments, **settings):
    command = [sys.executable, "-c", code, *arguments]
    return NotifySettings.read({"command": command, **settings})


def test_a_command_reads_the_message_and_its_parts(tmp_path, message):
    place = tmp_path / "given.json"
    (line,) = notify(_command(WRITE, str(place)), message, str(tmp_path))
    assert line == f"Notified (blocked): {os.path.basename(sys.executable)}"
    text, variables, folder = json.loads(place.read_text(encoding="utf-8"))
    assert text == message.text + "\n"
    assert text.splitlines() == [
        "größe: not blessed (run run-1)",
        "✘ click, overall: AUC 0.61 is below 0.7",
        "2 of 3 checks of the gate are met",
        "Report: /pipelines/runs/run-1/report.html",
    ]
    expected = {
        "MTLX_EVENT": "blocked", "MTLX_EVENTS": "blocked pushed", "MTLX_EXPERIMENT": "größe",
        "MTLX_RUN_ID": "run-1", "MTLX_OUTCOME": "not blessed", "MTLX_PUSHED_TO": "",
        "MTLX_REPORT": message.report, "MTLX_LOG": message.log,
    }  # fmt: skip
    assert {name: variables[name] for name in expected} == expected
    assert os.path.samefile(folder, tmp_path)


def test_a_command_that_fails_is_one_line_here_and_in_the_log(message, caplog):
    settings = _command("import sys; print('no such\\nchannel'); sys.exit(7)")
    with caplog.at_level(logging.INFO):
        (line,) = notify(settings, message, None)
    assert line.startswith("Not notified (blocked): ")
    assert line.endswith("ended with code 7: no such channel")
    assert line in caplog.text


def test_a_command_that_is_not_there_is_one_line(message):
    settings = NotifySettings.read({"command": ["./no-such-program"]})
    (line,) = notify(settings, message, None)
    assert "./no-such-program cannot be started: No such file" in line


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path, message, wait_until_dead):
    place = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
        "time.sleep(3600)\n"
    )
    started = time.monotonic()
    (line,) = notify(_command(code, str(place), timeout_seconds=3.0), message, None)
    assert "took longer than 3 s, and was ended" in line
    assert time.monotonic() - started < 30
    child = int(place.read_text())
    with contextlib.suppress(psutil.NoSuchProcess):
        wait_until_dead(psutil.Process(child))


def test_a_command_is_not_waited_for_by_what_it_leaves_behind(tmp_path, message):
    """A child in the background holds the output open; a pipe would wait for it."""
    place = tmp_path / "pid"
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
    )
    (line,) = notify(_command(code, str(place), timeout_seconds=30), message, None)
    psutil.Process(int(place.read_text())).kill()
    assert line.startswith("Notified")


def test_a_webhook_gets_the_message_as_json(webhook, message):
    (line,) = notify(NotifySettings.read({"webhook": webhook.address}), message, None)
    assert line == "Notified (blocked): 127.0.0.1"
    ((path, kind, payload),) = webhook.received
    assert (path, kind) == ("/hook/T0KEN", "application/json")
    assert payload["text"] == message.text and payload["event"] == "blocked"
    assert payload["lines"][0].startswith("✘ click") and payload["run_id"] == "run-1"


def test_an_address_comes_from_the_environment(webhook, message, monkeypatch):
    settings = NotifySettings.read({"webhook": "env:HOOK_OF_A_TEST"})
    (line,) = notify(settings, message, None)
    assert "HOOK_OF_A_TEST with the webhook's address is not set" in line
    monkeypatch.setenv("HOOK_OF_A_TEST", webhook.address)
    assert notify(settings, message, None) == ["Notified (blocked): 127.0.0.1"]
    assert len(webhook.received) == 1


def _refuse(handler):
    handler.send_response(403)
    handler.end_headers()


def _redirect(handler):
    handler.send_response(302)
    handler.send_header("Location", "/elsewhere")
    handler.end_headers()


def _trickle(handler):
    """A byte at a time: no read takes long, all of them do."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(200):
        time.sleep(0.05)
        try:
            handler.wfile.write(b"x")
        except OSError:
            return


def _break_off(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)


ANSWERS = {
    "answered 403": _refuse,
    "answered 302": _redirect,
    "did not answer within 1 s": _trickle,
    "cannot be reached (RemoteDisconnected)": _break_off,
}


@pytest.mark.parametrize("expected", ANSWERS)
def test_a_webhook_that_does_not_take_it_is_one_line_without_its_address(
    webhook, message, caplog, expected
):
    webhook.answer = ANSWERS[expected]
    settings = NotifySettings.read({"webhook": webhook.address, "timeout_seconds": 1.0})
    with caplog.at_level(logging.INFO):
        started = time.monotonic()
        (line,) = notify(settings, message, None)
    assert time.monotonic() - started < 8  # the trickle would take ten
    assert line == f"Not notified (blocked): the webhook at 127.0.0.1 {expected}"
    assert line in caplog.text and "T0KEN" not in caplog.text
    assert [path for path, *_ in webhook.received] == ["/hook/T0KEN"]


def test_a_webhook_that_is_not_there_is_one_line(message):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/T0KEN"
    (line,) = notify(NotifySettings.read({"webhook": address}), message, None)
    assert "the webhook at 127.0.0.1 cannot be reached (Connection refused)" in line
    assert "T0KEN" not in line


def test_both_are_told_whatever_the_first_does(webhook, message):
    settings = _command("raise SystemExit(1)", webhook=webhook.address)
    lines = notify(settings, message, None)
    assert [line.split(" (")[0] for line in lines] == ["Not notified", "Notified"]
