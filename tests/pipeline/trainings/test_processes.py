import os
import subprocess
import sys
import threading
import time

import pytest

from mtlx.pipeline.trainings.processes import ProcessDied, Processes, TaskFailed
from mtlx.pipeline.trainings.task import Prepared, Training

TASK = Training("{}", "{}", "{}", Prepared("graph", ("examples",), "[]", False))


def _run(code, folder, on_progress=print):
    Processes((sys.executable, "-c", code)).run(TASK, folder, on_progress)


def test_what_a_process_says_is_passed_on(tmp_path):
    said = []
    _run("import sys, json; print(json.load(open(sys.argv[1]))['kind'])", tmp_path, said.append)
    assert said == ["Training"]


def test_one_that_runs_out_of_memory_says_so(tmp_path):
    with pytest.raises(TaskFailed, match="SIGKILL, most likely for want of memory"):
        _run("import os; os.kill(os.getpid(), 9)", tmp_path)


def test_one_that_fails_says_what_it_wrote(tmp_path):
    code = (
        f"open({str(tmp_path / 'failed.json')!r}, 'w').write('{{\"message\": \"it diverged\"}}'); "
        "raise SystemExit(1)"
    )
    with pytest.raises(TaskFailed, match="^it diverged$"):
        _run(code, tmp_path)
    # And not what an earlier one wrote.
    with pytest.raises(TaskFailed, match="ended with code 3"):
        _run("raise SystemExit(3)", tmp_path)


def test_those_at_work_are_killed_with_the_command(tmp_path):
    processes = Processes(
        (sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    )
    said, failed = [], []

    def wait():
        try:
            processes.run(TASK, tmp_path, said.append)
        except TaskFailed as error:
            failed.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    while not said and thread.is_alive():
        time.sleep(0.01)
    processes.kill()
    thread.join(30)
    assert failed and "SIGKILL" in failed[0]
    with pytest.raises(ProcessLookupError):
        os.kill(int(said[0]), 0)


WAITS = (
    "import threading, time; from mtlx.pipeline.trainings.processes import end_with_parent; "
    "threading.Thread(target=end_with_parent, daemon=True).start(); time.sleep({})"
)


def test_one_that_watches_its_parent_ends_well_by_itself(tmp_path):
    said = []
    _run(WAITS.format(0.2) + "; print('done')", tmp_path, said.append)
    assert said == ["done"]


def test_one_whose_parent_is_gone_ends():
    command = [sys.executable, "-c", WAITS.format(60)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    process.stdin.close()
    assert process.wait(30) == 1


def test_what_an_exception_of_the_listener_ends_is_the_process_too(tmp_path):
    class Enough(Exception):
        pass

    pids = []

    def listen(line):
        pids.append(int(line))
        raise Enough

    with pytest.raises(Enough):
        _run("import os, time; print(os.getpid(), flush=True); time.sleep(60)", tmp_path, listen)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_one_that_fails_by_itself_has_not_been_killed(tmp_path):
    with pytest.raises(ProcessDied):
        _run("import os; os.kill(os.getpid(), 9)", tmp_path)
    with pytest.raises(TaskFailed) as error:
        _run("raise SystemExit(3)", tmp_path)
    assert not isinstance(error.value, ProcessDied)
