"""How much of the processor this process had, and when."""

import threading
import time
from pathlib import Path
from types import TracebackType

import numpy as np

#: Seconds between two samples, and how far apart the two clocks of one may be read.
_EVERY, _APART = 0.0005, 0.0005


class ThreadTimes:
    """Samples the processor's clocks of this process's threads beside the wall's, in its block.

    Where other work has the cores, threads stand still in the midst of what they do. Between two
    samples they are taken to run evenly, so that what is wrong is as short as a turn at the core.
    """

    def __init__(self) -> None:
        self._samples: list[tuple[float, float]] = []
        self._stopped = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "ThreadTimes":
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
        threads = [int(path.name) for path in Path("/proc/self/task").iterdir()]
        # As the kernel numbers the processor's clocks of threads; the sampler's own is none of it.
        clocks = [(~one << 3) | 6 for one in threads if one != threading.get_native_id()]
        while not self._stopped.wait(_EVERY):
            before = time.time()
            spent = sum(map(time.clock_gettime, clocks))
            after = time.time()
            if after - before < _APART:
                self._samples.append(((before + after) / 2, spent))

    def between(self, start: float, end: float) -> float:
        """Seconds of the processor between two moments, in seconds since 1970."""
        return processor_seconds(self._samples, start, end)


def processor_seconds(samples: list[tuple[float, float]], start: float, end: float) -> float:
    """Between two moments, by rising samples of both clocks; without samples their distance."""
    if not samples:
        return end - start
    moments, spent = zip(*samples, strict=True)
    first, last = np.interp([start, end], moments, spent)
    return float(last - first)
