"""Memory that the trainer keeps parsed examples in."""

from pathlib import Path

from mtlx.transform.contract.data_contract import DataContract

_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_MEMINFO = Path("/proc/meminfo")


def bytes_per_row(contract: DataContract) -> int:
    """Bytes of a transformed example: ids and labels int64, other numbers float32."""
    size = 8 * (1 + len(contract.tasks))  # the domain's index and the labels
    for feature in contract.features.values():
        size += feature.row_bytes
    return size + 8 * len(contract.crosses)


def available_bytes() -> int | None:
    """Memory that is free for a new process, or its container's limit; None if nobody tells."""
    found = []
    if _MEMINFO.exists():
        for line in _MEMINFO.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    for limit in _LIMITS:
        text = limit.read_text(encoding="ascii").strip() if limit.exists() else ""
        if text.isdigit():
            found.append(int(text))
    return min(found, default=None)
