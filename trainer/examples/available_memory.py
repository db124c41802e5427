"""How much memory this process may still take: the machine's, and what its cgroups leave."""

from collections.abc import Iterator
from pathlib import Path

#: Files of a cgroup by its version: limit, usage, and the line of ``memory.stat`` that counts
#: pages of files, which the kernel gives up before it kills.
_FILES = {
    "v2": ("memory.max", "memory.current", "inactive_file"),
    "v1": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that can be taken before the kernel kills.

    A container's limit is that of a cgroup (version 1 or 2), its own or one above it.

    Args:
        root: folder in which ``proc`` and ``sys`` lie.

    Returns:
        The least of what machine and cgroups leave; None where nothing says (not on Linux).
    """
    left = [*_of_machine(root), *_of_cgroups(root)]
    return max(0, min(left)) if left else None


def _of_machine(root: Path) -> Iterator[int]:
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _of_cgroups(root: Path) -> Iterator[int]:
    """What each cgroup with a limit leaves, from the process's own up to the mount."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mount, version = root / "sys/fs/cgroup", "v2"
        elif "memory" in controllers.split(","):
            mount, version = root / "sys/fs/cgroup/memory", "v1"
        else:
            continue
        own = mount / path.lstrip("/")
        # Inside a container, the path may be the host's and only the mount be there.
        for folder in (own, *own.parents):
            yield from _of_cgroup(folder, *_FILES[version])
            if folder == mount:
                break


def _of_cgroup(folder: Path, limit: str, usage: str, file_pages: str) -> Iterator[int]:
    allowed, used = _number(folder / limit), _number(folder / usage)
    if allowed is None or used is None:
        return
    pages = (line.split() for line in _lines(folder / "memory.stat"))
    given_up = sum(int(value) for name, value in pages if name == file_pages)
    yield allowed - used + given_up


def _number(path: Path) -> int | None:
    """A file's number; None where there is no file or no limit ("max")."""
    text = next(_lines(path), "")
    return int(text) if text.isdigit() else None


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from path.read_text(encoding="ascii").splitlines()
    except OSError:
        return
