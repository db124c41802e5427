"""One attempt at a task: how its process ends, and what it leaves behind."""

import threading
import time
from pathlib import Path

import pytest
from kfp.pipeline_spec import pipeline_spec_pb2

from mtlx.kubeflow.rehearsal.package import Container
from mtlx.kubeflow.rehearsal.task_inputs import executor_input
from mtlx.kubeflow.rehearsal.task_process import AttemptFailed, Processes, run_attempt

#: Leaves a child that has the output open for a minute, and says which one.
CHILD = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
"""


@pytest.fixture
def attempt(tmp_path):
    """Runs a script as a task; returns the lines that it printed, raises as `run_attempt`."""
    lines = []

    def run(script, **options):
        component = pipeline_spec_pb2.ComponentSpec()
        folder = tmp_path / "task" / "attempt-1"
        run_attempt(
            component, Container(command=["python", "-c", script]),
            executor_input(component, {}, folder), folder, {}, Processes(), lines.append, **options,
        )  # fmt: skip

    run.lines = lines
    started = time.monotonic()
    yield run
    assert time.monotonic() - started < 30


def _is_gone(pid):
    """Whether a process has ended, though its parent may not have asked for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize(
    ("ending", "options", "words"),
    [
        ("", {}, None),
        ("sys.exit(3)", {}, "exit code 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", {}, "killed by SIGKILL"),
        ("time.sleep(60)", {"timeout": 2.0}, "killed by SIGKILL"),
    ],
)
def test_no_child_of_a_task_outlives_it(attempt, ending, options, words):
    if words is None:
        attempt(CHILD + ending, **options)
    else:
        with pytest.raises(AttemptFailed, match=words):
            attempt(CHILD + ending, **options)
    (child,) = attempt.lines
    while not _is_gone(child):
        time.sleep(0.05)


def test_a_task_that_closes_its_output_is_awaited(attempt, tmp_path):
    attempt(f"import os, time; os.close(1); time.sleep(1); open({str(tmp_path / 'done')!r}, 'w')")
    assert (tmp_path / "done").exists()


def test_bytes_that_are_no_text_are_no_failure(attempt):
    attempt("import os; os.write(1, b'caf\\xe9\\n')")
    assert attempt.lines == ["caf\N{REPLACEMENT CHARACTER}"]


def test_no_timer_outlives_its_attempt(tmp_path):
    def refuse(line):
        raise KeyboardInterrupt

    component, before = pipeline_spec_pb2.ComponentSpec(), set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        run_attempt(
            component, Container(command=["python", "-c", CHILD]),
            executor_input(component, {}, tmp_path / "a"), tmp_path / "a", {}, Processes(), refuse,
            timeout=600,
        )  # fmt: skip
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()
