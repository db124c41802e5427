"""Peak memory of this process between two points, as the Linux kernel counts it."""

from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def reset() -> None:
    """Starts counting anew, from what the process holds now."""
    _CLEAR.write_text("5", encoding="ascii")


def peak_mebibytes() -> float:
    """The most that the process has held since `reset`, in MiB."""
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"{_STATUS} has no VmHWM: peak memory is read on Linux only")
