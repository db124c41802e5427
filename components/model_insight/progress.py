"""How far an insight is, on the live line of a run."""

import time

from absl import logging

#: Lines follow each other at this distance at least, in seconds.
_PAUSE = 5.0


class Progress:
    """Says how far it is, as often as a log can bear it."""

    def __init__(self) -> None:
        self._last = -_PAUSE

    def __call__(self, line: str) -> None:
        """Takes a line; one that comes too early is left out."""
        now = time.monotonic()
        if now - self._last >= _PAUSE:
            self._last = now
            logging.info("%s", line)
