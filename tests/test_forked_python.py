"""What xdist and Beam start is told, says, and ends as an interpreter of its own would."""

import shlex
import subprocess

import psutil

from tests.forked_process import FORKED_PYTHON


def _command(code, *arguments):
    return [*shlex.split(FORKED_PYTHON), "-u", "-c", code, *arguments]


def test_it_has_imported_all_and_is_told_by_its_input():
    code = "import sys; print(*sys.argv, 'tensorflow' in sys.modules, input()); sys.exit(3)"
    done = subprocess.run(_command(code, "told"), input="given\n", capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("-c told True given\n", 3), done.stderr


def test_it_ends_with_the_process_that_was_started():
    code = "import os, time; print(os.getpid()); time.sleep(60)"
    process = subprocess.Popen(_command(code), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    forked = psutil.Process(int(process.stdout.readline()))
    process.kill()
    # The last to hold it.
    assert process.stdout.read() == b"" and process.wait() < 0
    assert not forked.is_running() or forked.status() == psutil.STATUS_ZOMBIE
