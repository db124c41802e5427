"""A command that is told to stop ends, whatever it waits for, and its children with it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from mtlx.pipeline.process.prompt_stop import STOPPED, Stopped, at_stop, prompt_stop

#: Said before, and never read.
FULL_PIPE = """
say()
while True:
    sys.stderr.write("x" * 100_000)
"""

#: Each starts a child, says so, and waits in a way that a signal alone does not end.
WAITS = {
    # In native code, as a step of TensorFlow or a read of Arrow is; no signal interrupts a mutex.
    "native code": """
mutex = ctypes.create_string_buffer(64)
lock = ctypes.CDLL(None).pthread_mutex_lock
lock(mutex)
say()
lock(mutex)
""",
    # As Beam does, which waits for its threads before it lets the error out.
    "its own thread": """
thread = threading.Thread(target=time.sleep, args=(3600,))
thread.start()
say()
try:
    thread.join()
finally:
    thread.join()
""",
    "nothing": """
say()
time.sleep(3600)
""",
    # Whatever a library makes of the exception, the code is that of the signal.
    "a library that swallows it": """
say()
try:
    time.sleep(3600)
except BaseException:
    raise ValueError("something else")
""",
}
SCRIPT = """
import ctypes, subprocess, sys, threading, time
from mtlx.pipeline.process.prompt_stop import prompt_stop
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
def say():
    print(child.pid, flush=True)
with prompt_stop():
"""


def _started(wait, ignored=False):
    code = FULL_PIPE if wait == "a full pipe" else WAITS[wait]
    body = "".join(f"    {line}\n" for line in code.strip().splitlines())
    handler = signal.SIG_IGN if ignored else signal.SIG_DFL
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT + body],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, handler),
    )


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_ends_with_the_signals_code_and_its_children_too(wait, number, code, wait_until_dead):
    process = _started(wait)
    child = psutil.Process(int(process.stdout.readline()))
    process.send_signal(number)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert errors.strip() == STOPPED
    wait_until_dead(child)


def test_output_that_nobody_reads_does_not_keep_it():
    process = _started("a full pipe")
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130


def test_a_signal_that_the_shell_ignores_stays_ignored():
    process = _started("nothing", ignored=True)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143


def test_a_command_that_is_not_stopped_leaves_all_as_it_was():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    files = len(os.listdir("/proc/self/fd"))
    with prompt_stop():
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    for thread in threading.enumerate():
        if thread.name == "prompt stop":
            thread.join()
    assert len(os.listdir("/proc/self/fd")) == files
    assert signal.set_wakeup_fd(-1) == -1


#: Waits in native code, which no exception reaches; what is to be done at a stop is done.
LAST_WORDS = """
import ctypes, sys
from pathlib import Path
from mtlx.pipeline.process.prompt_stop import at_stop, prompt_stop
def fails():
    raise ValueError("nobody's concern")
with prompt_stop(), at_stop(fails), at_stop(lambda: Path(sys.argv[1]).write_text("stopped")):
    with at_stop(lambda: Path(sys.argv[1] + ".left").write_text("left")):
        pass
    mutex = ctypes.create_string_buffer(64)
    lock = ctypes.CDLL(None).pthread_mutex_lock
    lock(mutex)
    print("there", flush=True)
    lock(mutex)
"""


def test_what_is_to_be_done_at_a_stop_is_done(tmp_path):
    place = tmp_path / "said"
    process = subprocess.Popen(
        [sys.executable, "-c", LAST_WORDS, str(place)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143 and "Traceback" not in errors
    assert place.read_text() == "stopped"
    # What has ended before has no words any more.
    assert not place.with_name("said.left").exists()


def test_a_stop_that_the_main_thread_sees_itself_is_no_other():
    said = []
    with contextlib.suppress(Stopped), at_stop(lambda: said.append("stopped")):
        raise Stopped
    assert said == ["stopped"]


def test_without_a_stop_there_are_no_last_words():
    said = []
    with prompt_stop(), at_stop(lambda: said.append("stopped")):
        pass
    assert said == []
