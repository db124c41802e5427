"""How much of the processor each thread of this process had, and when."""

import threading
import time
from pathlib import Path
from types import TracebackType

import numpy as np

#: Seconds between two samples, and how far apart the two clocks of one may be read.
_EVERY, _APART = 0.0005, 0.0005


class ThreadTimes:
    """Samples the processor's clock of every thread beside the wall's, while its block runs.

    Where other work has the cores, a thread stands still in the midst of what it does. Between two
    samples it is taken to run evenly.
    """

    def __init__(self) -> None:
        self._samples: dict[int, list[tuple[float, float]]] = {}
        self._stopped = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "ThreadTimes":
        threads = [int(path.name) for path in Path("/proc/self/task").iterdir()]
        self._samples = {thread: [] for thread in threads}
        self._sampler.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._sampler.join()

    def _sample(self) -> None:
        while not self._stopped.wait(_EVERY):
            for thread, samples in self._samples.items():
                before = time.time()
                # As the kernel numbers the processor's clocks of threads.
                spent = time.clock_gettime((~thread << 3) | 6)
                after = time.time()
                if after - before < _APART:
                    samples.append(((before + after) / 2, spent))

    def between(self, thread: int, start: float, end: float) -> float:
        """Seconds of the processor that a thread had; those of the wall if it was not sampled.

        Args:
            thread: its number in the operating system.
            start: in seconds since 1970.
            end: likewise.
        """
        return processor_seconds(self._samples.get(thread, []), start, end)


def processor_seconds(samples: list[tuple[float, float]], start: float, end: float) -> float:
    """Between two moments, by rising samples of both clocks; without samples their distance."""
    if not samples:
        return end - start
    moments, spent = zip(*samples, strict=True)
    first, last = np.interp([start, end], moments, spent)
    return float(last - first)
