"""One piece of work at a time, beside the steps."""

import threading
from collections.abc import Callable

#: Name of the threads, by which a debugger tells them from TensorFlow's.
THREAD = "checkpoint"


class BackgroundWriter:
    """Runs a job in a thread; the next one waits until it is done.

    What a job raises is raised again at the next call of any method, once.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._raised: BaseException | None = None

    def start(self, job: Callable[[], None]) -> None:
        """Runs a job beside the caller, after the last one."""
        self.wait()
        # Not a daemon: a process that ends finishes what it writes.
        self._thread = threading.Thread(target=self._run, args=(job,), name=THREAD)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether the last job is not done."""
        return self._thread is not None and self._thread.is_alive()

    def check(self) -> None:
        """Raises what the last job has raised, if it has; does not wait."""
        if not self.busy:
            self.wait()

    def wait(self) -> None:
        """Returns once the last job is done."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 (raised again in the caller's thread)
            self._raised = error
