"""Forks processes that have imported TensorFlow and nothing that is not isolated.

Run by `isolated_python`, with the address to listen at: it stands alone. See `isolated_process`.
"""

import gc
import json
import os
import runpy
import select
import signal
import socket
import sys

import tensorflow as tf  # noqa: F401 (what is forked has it)

#: Seconds between two looks at whether a process has ended, or who asked for it has.
LOOK = 0.02


def serve(address):
    """Forks what is asked for, until the standard input is closed.

    Returns:
        In a forked process the script that it is to run; None in the server.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([server, sys.stdin], [], [])
            if sys.stdin in ready:
                return None
            asked, _ = server.accept()
            if os.fork() == 0:
                server.close()
                return keep(asked)
            asked.close()


def keep(asked):
    """Forks one process, and says how it ended; returns the script in the forked process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, (output,), _, _ = socket.recv_fds(asked, 1 << 20, 1)
    process = os.fork()
    if process == 0:
        asked.close()
        return become(output, **json.loads(text))
    os.close(output)
    asked.send(f"{process}\n".encode())
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            asked.send(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os._exit(0)
        # Who asked writes no more: what is read is that it has gone.
        if select.select([asked], [], [], LOOK)[0]:
            os.kill(process, signal.SIGKILL)
            os._exit(1)


def become(output, arguments, environment, folder):
    """Makes of this process what a started one would be; returns its script."""
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = arguments
    return arguments[0]


if __name__ == "__main__":
    gc.freeze()
    if (script := serve(sys.argv[1])) is not None:
        runpy.run_path(script, run_name="__main__")
