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
