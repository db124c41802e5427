"""Which process is at a push, where there are no locks that would say whether it still lives."""

import dataclasses
import os
import socket
import time
from pathlib import Path

#: Seconds after which a push of another machine, which cannot be asked, counts as given up.
GIVEN_UP_AFTER = 24 * 3600.0


@dataclasses.dataclass(frozen=True)
class PushingProcess:
    """A process, told apart from every other one.

    Attributes:
        place: machine, its boot, and the process namespace on it.
        pid: there.
        started: of the process, in the kernel's clock ticks; process ids are used again.
        at: when the push began, seconds since 1970.
    """

    place: str
    pid: int
    started: int
    at: float

    @classmethod
    def this(cls) -> "PushingProcess":
        """The process that asks, now."""
        return cls(_place(), os.getpid(), _started(os.getpid()) or 0, time.time())

    @property
    def is_dead(self) -> bool:
        """Whether its push will not be finished: it has ended, or is of elsewhere and old."""
        if self.place == _place():
            return _started(self.pid) != self.started
        return time.time() - self.at > GIVEN_UP_AFTER


def _place() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"


def _started(pid: int) -> int | None:
    """Start of a living process; None where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in brackets, may hold anything.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])
