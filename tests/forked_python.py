"""An interpreter that has imported TensorFlow, TFX and Beam already, for who starts one by itself.

xdist starts the processes that test, and Beam those of its workers, with a command line. The first
thing that each of them does is to import all, at the same time as the others. Under
``python tests/forked_python.py`` in place of ``python`` it is forked instead, and has this
process's input and output.
"""

import os
import signal
import sys


def main():
    """Runs ``-m MODULE ...`` or ``-c CODE ...`` to its end; returns its exit code."""
    # Beside this file: no package can be imported before the process knows where it is. Not in the
    # forked process, where this file is run under another name.
    from forked_process import ForkedProcess

    # As `python -m` and `python -c` have it, not the folder of this file.
    sys.path[0] = os.getcwd()
    # It is told by its input, or by who sent it here.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = ForkedProcess(
        [sys.executable, *(option for option in sys.argv[1:] if option != "-u")],
        env=os.environ, stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr, cwd=os.getcwd(),
    )  # fmt: skip
    signal.signal(signal.SIGTERM, lambda *_: process.kill())
    # It alone holds both ends: who waits for what it says then sees that it has ended.
    with open(os.devnull, "r+b") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    return process.wait()


if __name__ == "__main__":
    sys.exit(main())
