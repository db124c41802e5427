"""`mtlx submit` with the real client of Kubeflow Pipelines against a fake API."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from fake_kubeflow import specification

from mtlx.kubeflow.commands.submit import COMMAND
from mtlx.kubeflow.submission import exit_codes, follow_run, pipelines_client
from mtlx.pipeline import command_line
from mtlx.pipeline.commands.command import EXIT_PUSHED_UNFINISHED, EXIT_STOPPED, EXIT_UNREAD

RUNNING = ("RUNNING", {"trainer": "RUNNING"})
TRAINED = ("RUNNING", {"trainer": "SUCCEEDED", "relaimpgate": "RUNNING"})
GATED = {"trainer": "SUCCEEDED", "relaimpgate": "SUCCEEDED"}
PUSHED = ("SUCCEEDED", {**GATED, "condition-1": "SUCCEEDED", "pusher": "SUCCEEDED"})


def test_a_pushed_model_ends_with_0_and_every_state_is_shown(kubeflow, submit, capsys):
    kubeflow.script = [("PENDING", {}), RUNNING, TRAINED, PUSHED]
    code = submit("--wait", "--run-name", "tuesday", "--data-path", "/data/logs", "--span", "7")
    assert code == exit_codes.EXIT_OK
    output = capsys.readouterr().out
    assert f"{kubeflow.host}/#/runs/details/run-1" in output
    assert "trainer" in output and "complete" in output and "90 s" in output
    assert "BLESSED" in output and "NOT BLESSED" not in output
    (body,) = kubeflow.bodies("/runs")
    assert body["display_name"] == "tuesday"
    assert body["service_account"] == "tasks"
    assert body["experiment_id"] == "experiment-1"
    assert body["runtime_config"]["parameters"] == {
        "data_path": "/data/logs", "span": "7", "run_name": "tuesday",
    }  # fmt: skip
    assert not body["runtime_config"].get("pipeline_root")
    tasks = specification(body)["root"]["dag"]["tasks"]
    assert not any(task.get("cachingOptions", {}).get("enableCache") for task in tasks.values())
    assert kubeflow.experiments["ranking"]["display_name"] == "ranking"


@pytest.mark.parametrize(
    "tasks",
    [
        {**GATED, "condition-1": "SKIPPED"},
        {**GATED, "condition-1": "SKIPPED", "pusher": "SKIPPED"},
        {**GATED, "blessed": "SKIPPED"},  # a backend that lists groups by their display name
        GATED,  # a backend that lists no skipped tasks
    ],
)
def test_an_unblessed_model_ends_with_3(kubeflow, submit, capsys, tasks):
    kubeflow.script = [TRAINED, ("SUCCEEDED", tasks)]
    assert submit("--wait") == exit_codes.EXIT_NOT_BLESSED
    assert "NOT BLESSED" in capsys.readouterr().out


def test_a_failed_node_ends_with_1_and_says_which(kubeflow, submit, capsys):
    kubeflow.script = [RUNNING, ("FAILED", {"trainer": "FAILED"})]
    assert submit("--wait") == exit_codes.EXIT_FAILED
    captured = capsys.readouterr()
    assert "trainer" in captured.out and "OOMKilled" in captured.out
    assert "FAILED" in captured.err


def test_a_repeated_node_is_what_it_was_last(kubeflow, submit):
    tasks = {"Trainer": "FAILED", "trainer": "SUCCEEDED", "relaimpgate": "SUCCEEDED", "pusher": "SUCCEEDED"}  # fmt: skip
    kubeflow.script = [("SUCCEEDED", tasks)]
    assert submit("--wait") == exit_codes.EXIT_OK


def test_without_a_pusher_the_verdict_is_unknown(kubeflow, submit, make_package, capsys):
    kubeflow.script = [("SUCCEEDED", GATED)]
    code = submit("--wait", file=make_package(push=False))
    assert code == exit_codes.EXIT_VERDICT_UNKNOWN
    assert "serving.push_to is not set" in capsys.readouterr().out


def test_a_run_without_any_task_listed_has_no_verdict(kubeflow, submit):
    kubeflow.script = [("SUCCEEDED", {})]
    assert submit("--wait") == exit_codes.EXIT_VERDICT_UNKNOWN


def test_timeout_ends_with_4_and_leaves_the_run(kubeflow, submit, capsys):
    kubeflow.script = [RUNNING]
    assert submit("--wait", "--timeout", "0.3") == exit_codes.EXIT_TIMED_OUT
    assert "it goes on" in capsys.readouterr().err
    assert not [path for _, path, _ in kubeflow.requests if "terminate" in path]


def test_transient_failures_are_waited_out(kubeflow, submit, capsys, monkeypatch):
    kubeflow.script = [RUNNING, PUSHED]
    real = follow_run.task_states

    def fail_after_the_first_look(*arguments):
        kubeflow.fail_next = [503, 502, 500, 429]
        monkeypatch.setattr(follow_run, "task_states", real)
        return real(*arguments)

    monkeypatch.setattr(follow_run, "task_states", fail_after_the_first_look)
    assert submit("--wait") == exit_codes.EXIT_OK
    assert "503" in capsys.readouterr().out


def test_an_api_that_stays_away_ends_with_5(kubeflow, submit, monkeypatch, capsys):
    kubeflow.script = [RUNNING]
    monkeypatch.setitem(follow_run.follow_run.__kwdefaults__, "patience_seconds", 0.1)
    real = follow_run.task_states

    def vanish(*arguments):
        kubeflow.fail_next = [503] * 1000
        return real(*arguments)

    monkeypatch.setattr(follow_run, "task_states", vanish)
    assert submit("--wait") == exit_codes.EXIT_UNREACHABLE
    assert "reading run run-1" in capsys.readouterr().err


def test_nobody_there_ends_with_5(submit, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert submit(host=host) == exit_codes.EXIT_UNREACHABLE
    assert "--host" in capsys.readouterr().err


def test_a_wrong_token_ends_with_5_before_anything_is_made(kubeflow, submit, capsys):
    assert submit(token="wrong") == exit_codes.EXIT_UNREACHABLE
    error = capsys.readouterr().err
    assert "401" in error and "--token-file" in error
    assert not kubeflow.bodies("/experiments") and not kubeflow.bodies("/runs")


def test_a_token_is_read_from_a_file_for_every_request(kubeflow, package, experiment, tmp_path):
    from mtlx.kubeflow.submission.pipelines_client import AccessRefused, PipelinesClient

    file = tmp_path / "token"
    file.write_text("right-token", encoding="utf-8")
    client = PipelinesClient(kubeflow.host, "kubeflow", token_file=str(file))
    kubeflow.script = [RUNNING]
    assert client.get_run("run-1").state == "RUNNING"
    file.write_text("expired", encoding="utf-8")
    with pytest.raises(AccessRefused):
        client.get_run("run-1")


def test_an_empty_variable_names_no_token_file(kubeflow, monkeypatch):
    """The request goes without a token, and the API says what it wants."""
    from mtlx.kubeflow.submission.pipelines_client import AccessRefused, PipelinesClient

    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", "")
    with pytest.raises(AccessRefused, match="401"):
        PipelinesClient(kubeflow.host, "kubeflow").get_run("run-1")


def test_the_namespace_is_named_only_with_several_users(kubeflow, submit):
    kubeflow.multi_user = True
    assert submit("--namespace", "team") == exit_codes.EXIT_OK
    (made,) = kubeflow.bodies("/experiments")
    assert made["namespace"] == "team"


def test_a_refused_package_ends_with_2(kubeflow, submit, capsys):
    kubeflow.fail_next = []
    real = kubeflow._route

    def refuse(method, path, query, body):
        if (method, path) == ("POST", "/runs"):
            return 400, {"message": "unknown parameter"}
        return real(method, path, query, body)

    kubeflow._route = refuse
    assert submit() == exit_codes.EXIT_WRONG_INPUT
    assert "unknown parameter" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "trigger"),
    [
        (["--schedule", "0 0 3 * * *"], {"cron_schedule": {"cron": "0 0 3 * * *"}}),
        (["--every", "86400"], {"periodic_schedule": {"interval_second": "86400"}}),
    ],
)
def test_recurring(kubeflow, submit, capsys, arguments, trigger):
    assert submit(*arguments) == exit_codes.EXIT_OK
    assert "/#/recurringrun/details/recurring-1" in capsys.readouterr().out
    (body,) = kubeflow.bodies("/recurringruns")
    (kind,) = trigger
    assert {key: str(value) for key, value in body["trigger"][kind].items()} == trigger[kind]
    assert body["no_catchup"] is True
    assert int(body["max_concurrency"]) == 1
    assert body["service_account"] == "tasks"
    assert body["runtime_config"]["parameters"] == {"run_name": "default"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--wait", "--every", "60"], "--wait"),
        (["--timeout", "5"], "--timeout"),
        (["--wait", "--timeout", "-1"], "--timeout"),
        (["--every", "0"], "--every"),
        (["--schedule", "0 3 * * *"], "six fields"),
        (["--token-file", "/no/such/file"], "/no/such/file"),
    ],
)
def test_wrong_arguments_end_with_2_at_once(arguments, message, capsys):
    code = command_line.main(["submit", "no.yaml", *arguments], [COMMAND])
    assert code == exit_codes.EXIT_WRONG_INPUT
    assert message in capsys.readouterr().err


def test_an_experiment_that_is_not_there_ends_with_2(tmp_path, capsys):
    code = command_line.main(["submit", str(tmp_path / "no.yaml")], [COMMAND])
    assert code == exit_codes.EXIT_WRONG_INPUT
    assert "no.yaml" in capsys.readouterr().err


def test_exit_codes_differ():
    codes = [getattr(exit_codes, name) for name in exit_codes.__all__]
    of_all_commands = [EXIT_PUSHED_UNFINISHED, EXIT_STOPPED, EXIT_UNREAD]
    assert sorted([*codes, *of_all_commands]) == [*range(9), 130, 141]


def test_a_run_that_was_deleted_meanwhile_ends_with_1(kubeflow, submit, capsys):
    kubeflow.script = [RUNNING]
    real, looks = kubeflow._route, []

    def deleted(method, path, query, body):
        looks.append(path) if path == "/runs/run-1" else None
        return (
            (404, {"message": "not found"}) if len(looks) > 2 else real(method, path, query, body)
        )

    kubeflow._route = deleted
    assert submit("--wait") == exit_codes.EXIT_FAILED
    assert "Run run-1 was deleted while it was awaited" in capsys.readouterr().err


def test_a_run_that_can_not_be_followed_ends_with_1(kubeflow, submit, capsys):
    kubeflow.script = [RUNNING]
    real = kubeflow._route

    def broken(method, path, query, body):
        return (400, {}) if path == "/runs/run-1" else real(method, path, query, body)

    kubeflow._route = broken
    assert submit("--wait") == exit_codes.EXIT_FAILED
    assert "Run run-1 was started, but can't be followed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "arguments"),
    [("/runs", ["--run-name", "x"]), ("/recurringruns", ["--run-name", "x", "--every", "60"])],
)
@pytest.mark.parametrize(("status", "in_doubt"), [(504, True), (429, False)])
def test_a_start_without_an_answer_may_have_happened(
    kubeflow, submit, capsys, path, arguments, status, in_doubt
):
    real = kubeflow._route
    kubeflow._route = lambda method, asked, query, body: (
        (status, {}) if (method, asked) == ("POST", path) else real(method, asked, query, body)
    )
    assert submit(*arguments) == exit_codes.EXIT_UNREACHABLE
    error = capsys.readouterr().err
    assert str(status) in error
    assert ("may have been" in error) is in_doubt


@pytest.mark.parametrize(
    ("path", "arguments"),
    [("/experiments", []), ("/runs", []), ("/recurringruns", ["--every", "60"])],
)
def test_no_request_waits_for_ever(kubeflow, submit, capsys, monkeypatch, path, arguments):
    monkeypatch.setattr(pipelines_client, "_TIMEOUT", (5, 1))
    kubeflow.slow, kubeflow.seconds = path, 8.0
    started = time.monotonic()
    assert submit(*arguments) == exit_codes.EXIT_UNREACHABLE
    assert time.monotonic() - started < 6
    error = capsys.readouterr().err
    assert "timed out" in error
    assert ("may have been" in error) is (path != "/experiments")


def test_ctrl_c_leaves_the_run_and_says_so(kubeflow, submit, capsys):
    kubeflow.script = [RUNNING]

    def interrupt():
        while kubeflow.looks < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    # A shell's background jobs ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        assert submit("--wait") == exit_codes.EXIT_TIMED_OUT
    finally:
        signal.signal(signal.SIGINT, before)
    assert "goes on" in capsys.readouterr().err
    assert not [path for _, path, _ in kubeflow.requests if "terminate" in path]


def test_help_is_quick_and_imports_no_client():
    code = (
        "import sys; from mtlx.kubeflow.commands import submit; "
        "sys.exit(any(name in sys.modules for name in ('kfp', 'tensorflow', 'tfx', 'rich')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
