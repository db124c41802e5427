import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

#: In a process of its own: the tests' has TensorFlow's threads, and must not be forked.
BEGINS = """
import errno, json, logging, os, signal, sys, time
from mtlx.pipeline.process.second_process import SecondProcess, SecondProcessEnded

class Stubborn(Exception):
    def __init__(self, one, other):
        super().__init__(f"{one} {other}")

def full():
    raise OSError(errno.ENOSPC, "No space left on device")

def stubborn():
    raise Stubborn("neither", "nor")

def ids(further):
    return [os.getpid(), os.getppid(), further]

def says(words):
    logging.getLogger("some.where").warning("%s of %d", words, 3)

def asleep(path):
    with open(path + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(path + ".new", path)
    time.sleep(60)

second = SecondProcess("Elsewhere")
found = []
def tried(*given):
    try:
        found.append(second.call(*given))
    except Exception as error:
        found.append([type(error).__name__, getattr(error, "errno", None), str(error)])
"""


def _run(body, *arguments, **options):
    command = [sys.executable, "-c", BEGINS + body, *map(str, arguments)]
    return subprocess.Popen(command, **options)


def _found(body, *arguments):
    body += "\nprint(json.dumps(found))"
    process = _run(body, *arguments, stdout=subprocess.PIPE, text=True)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return process.pid, json.loads(output)


def test_functions_are_called_in_another_process_which_says_here_what_it_logs():
    body = """
class Kept(logging.Handler):
    def emit(self, record):
        found.append([record.name, record.levelname, record.getMessage(), record.process])
logging.getLogger().handlers = [Kept()]
tried(ids, {"a": 1})
tried(says, "two")
second.end()
"""
    process, ((own, parent, further), line, returned) = _found(body)
    assert (parent, further, returned) == (process, {"a": 1}, None)
    assert own != process
    assert line == ["some.where", "WARNING", "Elsewhere: two of 3", own]


def test_what_is_raised_there_is_raised_here_and_the_next_call_is_answered():
    body = """
logging.getLogger().handlers = [logging.NullHandler()]
tried(full)
tried(stubborn)
tried(ids, 5)
"""
    _, (disk, other, (_, _, further)) = _found(body)
    assert disk == ["OSError", 28, "[Errno 28] No space left on device"]
    assert other == ["RuntimeError", None, "Stubborn: neither nor"]
    assert further == 5


def test_that_it_was_killed_is_an_error_that_says_so(tmp_path):
    body = """
import threading
def kill():
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.01)
    os.kill(int(open(sys.argv[1]).read()), signal.SIGKILL)
threading.Thread(target=kill).start()
tried(asleep, sys.argv[1])
tried(ids, 5)
"""
    _, (first, then) = _found(body, tmp_path / "id")
    for kind, _, message in (first, then):
        assert kind == "SecondProcessEnded"
        assert "by SIGKILL, as where memory ran out" in message


@pytest.mark.parametrize("ends", ["killed", "interrupted"])
def test_it_ends_with_its_parent_and_not_before(tmp_path, ends):
    path = tmp_path / "id"
    process = _run("tried(asleep, sys.argv[1])", path, start_new_session=True)
    while not path.exists():
        time.sleep(0.01)
    own = int(path.read_text())
    if ends == "interrupted":
        # Ctrl-C is for the parent alone, which ends it.
        os.kill(own, 2)
        time.sleep(0.1)
        assert Path(f"/proc/{own}").exists()
    process.kill()
    process.wait()
    for _ in range(1000):
        if not Path(f"/proc/{own}").exists() or _state(own) == "Z":
            return
        time.sleep(0.01)
    raise AssertionError("it lives on")


def _state(process):
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
