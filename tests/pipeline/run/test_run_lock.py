import fcntl
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from mtlx.pipeline.run.run_lock import PipelineRootInUse, run_lock

_HOLDER = """
import sys, time
from pathlib import Path
from mtlx.pipeline.run.run_lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_second_run_is_refused_and_names_the_first(holder, tmp_path):
    with pytest.raises(PipelineRootInUse, match=f"process {holder.pid}, since .*pipeline_root"):
        with run_lock(tmp_path):
            pass


def test_killed_run_gives_the_lock_back(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with run_lock(tmp_path):
        assert (tmp_path / "run.lock").exists()


def test_lock_is_free_again_after_a_run(tmp_path):
    for _ in range(2):
        with run_lock(tmp_path / "new"):
            time.sleep(0)


def test_within_one_process_a_second_holder_is_refused_too(tmp_path):
    with run_lock(tmp_path):
        with pytest.raises(PipelineRootInUse, match=f"process {os.getpid()}, since "):
            with run_lock(tmp_path):
                pass
    with run_lock(tmp_path):
        pass


def test_a_holder_that_has_not_written_its_name_yet_is_one(tmp_path):
    with open(tmp_path / "run.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(
            PipelineRootInUse, match=r"another run is at work here \(just started\)"
        ):
            with run_lock(tmp_path):
                pass


def test_a_lock_file_is_rewritten_by_each_holder(tmp_path):
    (tmp_path / "run.lock").write_text("left over, and longer than what is written now " * 9)
    with run_lock(tmp_path):
        assert json.loads((tmp_path / "run.lock").read_text())["pid"] == os.getpid()


def test_an_error_of_the_run_gives_the_lock_back_and_goes_on(tmp_path):
    with pytest.raises(KeyError, match="mine"):
        with run_lock(tmp_path):
            raise KeyError("mine")
    with run_lock(tmp_path):
        pass


def test_a_file_where_the_root_should_be_is_an_error_of_the_system(tmp_path):
    (tmp_path / "root").write_text("x")
    with pytest.raises(OSError):
        with run_lock(tmp_path / "root"):
            pass
