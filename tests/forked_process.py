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
import signal
import subprocess
import sys
import threading
from multiprocessing.connection import Connection

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "mtlx.components.anomaly_guard.executor",
        "mtlx.components.batch_statistics_gen.executor",
        "mtlx.components.log_example_gen.executor",
        "mtlx.components.one_pass_transform.executor",
        "mtlx.components.slice_evaluation.executor",
        "mtlx.kubeflow.page",
        "mtlx.kubeflow.package.compiled_pipeline",
        "mtlx.pipeline.graph.graph",
        "mtlx.pipeline.run.local_run",
        "mtlx.pipeline.run.node_run",
        "mtlx.trainer.run_fn",
        "tfx.components.trainer.executor",
    ]
)

#: The address of the server that processes which test side by side have in common.
_ADDRESS = "MTLX_TESTS_FORK_SERVER"

#: What this file is called where it is run in the forked process.
_FORKED = "forked_process"


def start_for_all():
    """Starts the server that all processes which are started after this take.

    Else each of them starts one of its own, which imports all. It ends with this process.
    """
    server = multiprocessing.forkserver._forkserver
    server.ensure_running()
    os.environ[_ADDRESS] = server._forkserver_address


def _take_what_runs():
    """Takes another process's server, which must not be waited for as if it were a child."""
    server = multiprocessing.forkserver._forkserver
    if _ADDRESS in os.environ and server._forkserver_address is None:
        server._forkserver_address = os.environ[_ADDRESS]
        # Sent to each forked process, which would end the server with it.
        server._forkserver_alive_fd = os.open(os.devnull, os.O_RDONLY)
        server.ensure_running = multiprocessing.resource_tracker.ensure_running


class ForkedProcess:
    """`subprocess.Popen` of ``python -m MODULE ...`` or ``python -c CODE ...``, as far as the tests
    need it.

    The process leads a session of its own.
    """

    def __init__(self, command, *, env, stdout, stderr, cwd=".", errors=None, **_):
        python, option, program, *arguments = command
        assert python == sys.executable and option in ("-m", "-c"), command
        self.stdout, output = _stream(stdout, errors)
        self.stderr, failures = (
            (None, output) if stderr == subprocess.STDOUT else _stream(stderr, errors)
        )
        given = (option, program, arguments, str(cwd), dict(env), output, failures)
        _take_what_runs()
        # By this file's path: the server knows no package `tests`, or another one.
        self._process = _CONTEXT.Process(
            target=runpy.run_path, args=(__file__, {"GIVEN": given}, _FORKED)
        )
        self._process.start()
        # The process alone writes: what it writes ends where it ends.
        output.close()
        failures.close()
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


def _run(option, program, arguments, folder, environment, output, errors):
    """In the forked process: what the interpreter does for ``python -m`` or ``python -c``."""
    os.setsid()
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


if __name__ == _FORKED:
    _run(*GIVEN)  # noqa: F821 (run_path sets it)
