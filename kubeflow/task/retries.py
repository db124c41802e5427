"""Retries inside a task's container, which depend on no policy of the backend.

What may pass (`transient_failure`) is tried again by starting the task's program anew in the same
process: memory, threads and devices of the attempt before are gone, the pod and its id stay. What
a pod cannot survive, a killed process or a lost machine, only the backend can repeat.
"""

import dataclasses
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import NoReturn, TypeAlias

from mtlx.kubeflow.task.transient_failure import transient_reason

#: Reasons of the attempts before, as JSON; handed from each attempt to the next one.
EARLIER = "MTLX_EARLIER_FAILURES"
#: Longest pause between two attempts, in seconds.
_LONGEST_PAUSE = 600.0
#: Characters of a reason that are kept; the environment of a program has a limit.
_LONGEST_REASON = 500

Restart: TypeAlias = Callable[[Mapping[str, str]], None]


@dataclasses.dataclass(frozen=True)
class Retries:
    """How often a task may still be tried, and what happened before.

    Attributes:
        limit: attempts after the first one.
        pause: seconds before the first of them; doubled for each further one.
        earlier: why each attempt before this one failed.
        restart: starts the task's program anew with these variables besides its own, and does
            not return; None where nothing is tried again.
    """

    limit: int
    pause: float
    earlier: tuple[str, ...] = ()
    restart: Restart | None = None

    @classmethod
    def read(
        cls, limit: int, pause: float, environment: Mapping[str, str], restart: Restart | None
    ) -> "Retries":
        """Takes what the attempt before left in the environment."""
        earlier = tuple(json.loads(environment.get(EARLIER, "[]"))) if restart else ()
        return cls(limit, pause, earlier, restart)

    def run(self, who: str, work: Callable[[], None]) -> None:
        """Does the work; a failure that may pass starts it anew, as often as allowed.

        Args:
            who: the node, for the log.
            work: of the task.

        Raises:
            Exception: that of the work, where it does not pass or was tried often enough.
        """
        try:
            work()
        except Exception as error:
            self._try_again(who, error)
            raise

    def _try_again(self, who: str, error: Exception) -> None:
        reason = transient_reason(error)
        if reason is None or self.restart is None or not self.limit:
            return
        number = len(self.earlier) + 1
        if number > self.limit:
            print(f"{who}: attempt {number}, the last one, failed: {reason}", flush=True)
            return
        traceback.print_exc()
        pause = min(self.pause * 2.0 ** (number - 1), _LONGEST_PAUSE)
        print(
            f"{who}: attempt {number} of {self.limit + 1} failed by what may pass ({reason}); "
            f"again in {pause:.0f} s",
            flush=True,
        )
        time.sleep(pause)
        self.restart({EARLIER: json.dumps([*self.earlier, reason[:_LONGEST_REASON]])})


def restart_program(variables: Mapping[str, str]) -> NoReturn:
    """Starts this process's program anew, with these environment variables besides its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, sys.orig_argv, {**os.environ, **variables})
