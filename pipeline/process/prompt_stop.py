"""Ctrl-C and SIGTERM end a command at once, whatever its libraries are waiting for."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

#: Seconds that the command has to close its files and restore the terminal.
GRACE = 1.0

#: What a person reads at the end, of a command that finds what it had finished.
STOPPED = "Stopped. The same command goes on from what is finished."
#: Of one that does not.
BEGINS_ANEW = "Stopped. Nothing of it is kept: the same command begins anew."

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """Raised in the main thread by the first signal."""


#: What is still to be done when the process is ended by a signal; see `at_stop`.
_last_words: list[Callable[[], None]] = []


@contextlib.contextmanager
def at_stop(callback: Callable[[], None]) -> Iterator[None]:
    """Has something short done where a signal ends the process within the block.

    Args:
        callback: is called once, by whichever thread ends the process, before its children are
            killed; it has a fraction of a second. What it raises is nobody's concern any more.
    """
    _last_words.append(callback)
    try:
        yield
    except Stopped:
        # The main thread leaves the block before anything ends the process.
        if callback in _last_words:
            _last_words.remove(callback)
            with contextlib.suppress(Exception):
                callback()
        raise
    finally:
        if callback in _last_words:
            _last_words.remove(callback)


@contextlib.contextmanager
def prompt_stop(words: str = STOPPED) -> Iterator[None]:
    """Ends the process soon after SIGINT or SIGTERM, with exit code 130 or 143, children included.

    The signal raises `Stopped` in the main thread. That alone is not enough: the thread may be in
    native code that looks at no signal, and Beam and gRPC wait for their own threads, for as long
    as those read. So the signal also wakes a thread that waits `GRACE` seconds and then leaves; a
    run goes on after that as it does after a kill. Further signals change nothing. One that the
    shell had ignored (a job in the background) stays ignored. Outside the main thread, which alone
    gets signals, nothing is done.

    Args:
        words: what a person reads at the end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watch = _Watch(words)
    handled = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, watch.signalled) for number in handled}
    wakeup_before = signal.set_wakeup_fd(watch.wakeup, warn_on_full_buffer=False)
    try:
        yield
    finally:
        if watch.number is not None:
            leave(watch.number, words)
        signal.set_wakeup_fd(wakeup_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        watch.end()


class _Watch:
    """A thread that sees signals as the operating system delivers them."""

    def __init__(self, words: str) -> None:
        self.number: int | None = None
        self._words = words
        self._process = os.getpid()
        self._awake, self.wakeup = os.pipe()
        os.set_blocking(self.wakeup, False)
        threading.Thread(target=self._wait, daemon=True, name="prompt stop").start()

    def signalled(self, number: int, frame: FrameType | None) -> None:
        """Handles a signal, in the main thread."""
        del frame
        if os.getpid() != self._process:  # a child that was forked, not started
            os._exit(128 + number)
        if self.number is None:
            self.number = number
            raise Stopped

    def end(self) -> None:
        """Ends the thread."""
        os.close(self.wakeup)

    def _wait(self) -> None:
        while byte := os.read(self._awake, 1):
            if byte[0] in _SIGNALS:
                threading.Event().wait(GRACE)
                leave(byte[0], self._words)
        os.close(self._awake)


_leaving = threading.Lock()


def leave(number: int, words: str) -> NoReturn:
    """Ends this process and its children for a signal; two threads may call it.

    Args:
        number: of the signal.
        words: what a person reads at the end.
    """
    import psutil

    with _leaving:
        # Whatever comes now may wait as well: for a pipe that nobody reads any more.
        last = threading.Timer(0.8, os._exit, (128 + number,))
        last.daemon = True
        last.start()
        # Threads that wait for a child would print a traceback when it is gone.
        threading.excepthook = lambda _: None
        for callback in tuple(_last_words):
            with contextlib.suppress(Exception):
                callback()
        children = psutil.Process().children(recursive=True)
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(children, timeout=0.5)
        # A live line in the terminal hides the cursor.
        if sys.stdout.isatty():
            print("\x1b[?25h", end="")
        print(f"\n{words}", file=sys.stderr)
        with contextlib.suppress(OSError):  # who stops a command may have closed its output
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(128 + number)
