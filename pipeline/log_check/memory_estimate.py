"""Memory that the trainer keeps parsed examples in."""

from pathlib import Path

from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import CategoricalFeature, SequenceFeature

_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_MEMINFO = Path("/proc/meminfo")


def bytes_per_row(contract: DataContract) -> int:
    """Bytes of a transformed example: ids and labels int64, other numbers float32."""
    size = 8 * (1 + len(contract.tasks))  # the domain's index and the labels
    for feature in contract.features.values():
        if isinstance(feature, SequenceFeature):
            size += 8 * feature.max_length
        elif isinstance(feature, CategoricalFeature):
            size += 8 if feature.embed else 0
        else:
            for transform in feature.transforms:
                size += 8 if transform == "quantile_buckets" else 4
    return size


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
