"""The serving check's process, forked where TensorFlow alone is imported, instead of importing it.

That takes two seconds of a processor for every check. In the tasks of a rehearsal, and where it is
tested what such a process may import, it is started as it is for users.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from mtlx.components.serving_check.process import serving_run
from mtlx.components.serving_check.process.isolated_python import isolated_python

#: Of a command of `isolated_python`, before the script: Python, its options, and the isolation.
_BEFORE_SCRIPT = len(isolated_python("script")) - 1


class IsolatedProcess:
    """`subprocess.Popen` of such a command, as far as `serving_run` needs it.

    Args:
        address: of the server that forks it.
    """

    def __init__(self, address, command, *, stdin, stdout, stderr, env, cwd):
        assert stdin == subprocess.DEVNULL and stdout is stderr
        given = {"arguments": command[_BEFORE_SCRIPT:], "environment": env, "folder": cwd}
        self._command, self.returncode = command, None
        self._keeper = socket.socket(socket.AF_UNIX)
        self._keeper.connect(address)
        socket.send_fds(self._keeper, [json.dumps(given).encode()], [stdout.fileno()])
        self.pid = self._number()

    def _number(self):
        """The next line of what the server's keeper of this process says."""
        line = b""
        while not line.endswith(b"\n"):
            told = self._keeper.recv(1)
            assert told, "the server's keeper of the process has ended"
            line += told
        return int(line)

    def wait(self, timeout=None):
        """Exit code, or the signal's number below zero."""
        if self.returncode is None:
            self._keeper.settimeout(timeout)
            try:
                self.returncode = self._number()
            except TimeoutError as error:
                raise subprocess.TimeoutExpired(self._command, timeout) from error
            self._keeper.close()
        return self.returncode

    def kill(self):
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class _Server:
    """Starts with the first process that is asked for."""

    def __init__(self):
        self._address, self._process = None, None

    def process(self, command, **options):
        """Takes the place of `subprocess.Popen`."""
        if self._process is None:
            self._folder = tempfile.TemporaryDirectory(prefix="isolated-")
            self._address = str(Path(self._folder.name, "server"))
            script = Path(__file__).with_name("isolated_server.py")
            self._process = subprocess.Popen(
                isolated_python(str(script), self._address),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=serving_run._environment(),
            )  # fmt: skip
            assert self._process.stdout.readline() == b"ready\n"
        return IsolatedProcess(self._address, command, **options)

    def end(self):
        if self._process is not None:
            self._process.communicate()
            self._folder.cleanup()


@contextlib.contextmanager
def forked_checks():
    """Serving checks of this process have theirs forked."""
    server = _Server()
    known = {"DEVNULL": subprocess.DEVNULL, "TimeoutExpired": subprocess.TimeoutExpired}
    with pytest.MonkeyPatch.context() as patch:
        forks = SimpleNamespace(Popen=server.process, **known)
        patch.setattr(serving_run, "subprocess", forks)
        yield
    server.end()
