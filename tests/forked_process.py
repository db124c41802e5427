"""A command's process that has imported TensorFlow already: it is forked, not started.

Importing TensorFlow, TFX and Beam takes five to eight seconds of a processor in every process.
Where a test is about what a command does in a process of its own (its signals, its output, its exit
code), not about how it comes to be imported, it takes this instead of `subprocess.Popen`: a server,
which has imported all and started nothing, forks.
"""

import multiprocessing
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import runpy
import shlex
import signal
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path

#: A command line in place of ``python``, for what starts processes by itself.
FORKED_PYTHON = shlex.join([sys.executable, str(Path(__file__).with_name("forked_python.py"))])

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["forked_server"])

#: The address of the server that processes which test side by side have in common.
_ADDRESS = "MTLX_TESTS_FORK_SERVER"

#: What this file is called where it is run in the forked process.
_FORKED = "__forked__"


def start_for_all():
    """Starts the server that all processes which are started after this take.

    Else each of them starts one of its own, which imports all. It ends with this process.
    """
    if _ADDRESS not in os.environ:
        _ensure_running()
        os.environ[_ADDRESS] = multiprocessing.forkserver._forkserver._forkserver_address


def _ensure_running():
    """Starts this process's own server, if that does not run; it finds `forked_server` by a path,
    since it knows no package `tests`, or another one.
    """
    path, folder = os.environ.get("PYTHONPATH"), str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = folder if path is None else folder + os.pathsep + path
    sys.path.insert(0, folder)
    try:
        multiprocessing.forkserver._forkserver.ensure_running()
    finally:
        sys.path.remove(folder)
        os.environ.pop("PYTHONPATH")
        os.environ.update({} if path is None else {"PYTHONPATH": path})


def _find_server():
    """Takes another process's server, which must not be waited for as if it were a child."""
    server, run = multiprocessing.forkserver._forkserver, multiprocessing.resource_tracker
    if _ADDRESS not in os.environ:
        _ensure_running()
    # A process that was forked by the server knows its address, but not that it runs.
    elif server.ensure_running != run.ensure_running:
        server._forkserver_address = os.environ[_ADDRESS]
        # Sent to each forked process, which would end the server with it.
        server._forkserver_alive_fd = os.open(os.devnull, os.O_RDONLY)
        server.ensure_running = run.ensure_running


class ForkedProcess:
    """`subprocess.Popen` of ``python -m MODULE ...`` or ``python -c CODE ...``, as far as the tests
    need it.

    The process leads a session of its own, unless it is given an input: then it ends, too, when
    the process is gone that started it.
    """

    def __init__(self, command, *, env, stdout, stderr, stdin=None, cwd=".", errors=None, **_):
        python, option, program, *arguments = command
        assert python == sys.executable and option in ("-m", "-c"), command
        self.stdout, output = _stream(stdout, errors)
        self.stderr, failures = (
            (None, output) if stderr == subprocess.STDOUT else _stream(stderr, errors)
        )
        read = None if stdin is None else Connection(os.dup(stdin.fileno()), writable=False)
        given = (option, program, arguments, str(cwd), dict(env), read, output, failures)
        _find_server()
        # By this file's path, as above.
        self._process = _CONTEXT.Process(
            target=runpy.run_path, args=(__file__, {"GIVEN": given}, _FORKED)
        )
        self._process.start()
        # The process alone writes: what it writes ends where it ends.
        for stream in {output, failures, read} - {None}:
            stream.close()
        self.pid = self._process.pid

    @property
    def returncode(self):
        """Exit code, or the signal's number below zero; None before the end."""
        return self._process.exitcode

    def poll(self):
        return self.returncode

    def wait(self):
        self._process.join()
        return self.returncode

    def communicate(self, timeout=None):
        """All output, once the process has ended; after so many seconds it is killed."""
        late = threading.Timer(timeout or threading.TIMEOUT_MAX, self.kill)
        late.daemon = True
        late.start()
        try:
            texts = [stream and stream.read() for stream in (self.stdout, self.stderr)]
            self._process.join()
        finally:
            late.cancel()
        return tuple(texts)

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def run_forked(command, env=None, timeout=400):
    """`subprocess.run` of such a command, with its output as text."""
    process = ForkedProcess(
        command, env=env or os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, errors = process.communicate(timeout)
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def _stream(target, errors):
    """Where to read what the process writes, if anywhere, and what it writes to."""
    if target == subprocess.PIPE:
        reader, writer = _CONTEXT.Pipe(duplex=False)
        return os.fdopen(os.dup(reader.fileno()), encoding="utf-8", errors=errors), writer
    descriptor = (
        os.open(os.devnull, os.O_WRONLY)
        if target == subprocess.DEVNULL
        else os.dup(target.fileno())
    )
    return None, Connection(descriptor, readable=False)


def _run(option, program, arguments, folder, environment, given, output, errors):
    """In the forked process: what the interpreter does for ``python -m`` or ``python -c``."""
    if given is None:
        os.setsid()
    else:
        os.dup2(given.fileno(), 0)
        given.close()
        threading.Thread(target=_end_with_parent, daemon=True).start()
        sys.stdin = open(0, encoding="utf-8", closefd=False)
    os.dup2(output.fileno(), 1)
    os.dup2(errors.fileno(), 2)
    output.close()
    if errors is not output:
        errors.close()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [program if option == "-m" else option, *arguments]
    # As a pipe or a file has them, unless PYTHONUNBUFFERED says otherwise.
    lines = bool(environment.get("PYTHONUNBUFFERED"))
    for number, name in ((1, "stdout"), (2, "stderr")):
        setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))
        getattr(sys, name).reconfigure(line_buffering=lines or number == 2)
    if option == "-m":
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


if __name__ == _FORKED:
    _run(*GIVEN)  # noqa: F821 (run_path sets it)
