"""A folder that is written whole or not at all, and that knows what it was made from."""

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

#: What the folder holds, and the settings that it was made with.
MANIFEST = "simulation.json"


def is_made_from(folder: Path, settings: Mapping[str, Any], overwrite: bool) -> bool:
    """Says whether the folder holds the result of these settings already.

    Returns:
        True if it does, False if it is to be written.

    Raises:
        FileExistsError: the folder holds something else that may not be replaced.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    manifest = _read_manifest(folder)
    if manifest is None:
        raise FileExistsError(
            f"{folder} exists and is no simulated log, so it is never overwritten: "
            "name another folder"
        )
    if manifest == settings:
        return True
    if not overwrite:
        different = [key for key in settings if manifest.get(key) != settings[key]]
        changes = ", ".join(f"{key} {manifest.get(key)} → {settings[key]}" for key in different)
        raise FileExistsError(
            f"{folder} was simulated with other settings ({changes}): "
            "name another folder, or overwrite it (--overwrite)"
        )
    return False


@contextlib.contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Gives a temporary folder that takes the folder's place when all went well."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
        new, old = Path(temporary, "new"), Path(temporary, "old")
        new.mkdir()
        yield new
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise


def write_manifest(folder: Path, settings: Mapping[str, Any], **facts: Any) -> None:
    """Writes the manifest: the settings, and what else a reader wants to know."""
    text = json.dumps({"settings": settings, **facts}, indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _read_manifest(folder: Path) -> dict[str, Any] | None:
    """Settings that a folder was made with; None where it is not one of ours."""
    try:
        settings = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return settings if isinstance(settings, dict) else None
