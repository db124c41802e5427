"""A folder of days, to which days are added: each whole or not at all."""

import contextlib
import fcntl
import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtlx.pipeline.simulation.day_writer import GROUND_TRUTH, LOGS
from mtlx.pipeline.simulation.days.settings import date_of

BEST_AUC = "best_auc"

#: What goes from day to day: written after a day's files, so that it tells which days are whole.
STATE = "state.npz"

_UNFINISHED = ".unfinished"


class StateLost(ValueError):
    """The folder does not hold what further days go on from."""


def day_name(day: int) -> str:
    """Name of a day's folder and files: ``day=2024-01-01``."""
    return f"day={date_of(day).isoformat()}"


@contextlib.contextmanager
def day_files(folder: Path, day: int) -> Iterator[Path]:
    """Gives a folder for a day's files, which take their places when all went well.

    The logs come last: where they are, the truth is. Files that a kill left in their places are
    whole, and the same as those that are made again.

    Args:
        folder: of all days.
        day: counted from 1.
    """
    new, name = folder / _UNFINISHED, day_name(day)
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    try:
        yield new
        for part, ending in ((GROUND_TRUTH, ".parquet"), (BEST_AUC, ".json")):
            (folder / part).mkdir(exist_ok=True)
            (new / part / (name + ending)).replace(folder / part / (name + ending))
        (folder / LOGS).mkdir(exist_ok=True)
        if not (folder / LOGS / name).exists():
            (new / LOGS / name).rename(folder / LOGS / name)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def write_at_once(path: Path, content: bytes) -> None:
    """Writes a file that a reader sees as it was, or as it is, and never half."""
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    new.replace(path)


def save_state(folder: Path, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
    """Writes what further days go on from.

    Args:
        folder: of all days.
        arrays: by name.
        facts: whatever JSON holds.
    """
    content = io.BytesIO()
    np.savez(content, facts=np.array(json.dumps(facts)), **arrays)
    write_at_once(folder / STATE, content.getvalue())


def load_state(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Inverse of `save_state`.

    Raises:
        StateLost: there is none, or one that cannot be read.
    """
    try:
        with np.load(folder / STATE, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return arrays, json.loads(str(arrays.pop("facts")))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise StateLost(
            f"{folder / STATE} cannot be read ({error}), and no day goes on without it: simulate "
            "into another folder, or all days anew (--overwrite)"
        ) from error


@contextlib.contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Keeps others from adding days to a folder meanwhile.

    Raises:
        FileExistsError: another process does that just now.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileExistsError(
                f"another simulation adds days to {folder} just now: wait for its end"
            ) from None
        yield
    finally:
        os.close(descriptor)
