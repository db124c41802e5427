"""Beam's workers in processes of their own, without what takes such a process longest."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

from apache_beam.runners.portability.fn_api_runner import fn_runner

from tests.forked_process import FORKED_PYTHON, start_for_all
from tests.light_beam import for_other_processes

ROOT = Path(__file__).parents[1]


def fork_workers(patch, folder, but_one=False):
    """Has Beam's workers forked where all is imported, instead of importing it.

    Args:
        patch: pytest's; it undoes this.
        folder: for the `python` that is found first by whoever starts a worker by that name.
        but_one: whether the first of them is started as it is for users.
    """
    start_for_all()
    python = folder / "python"
    # The first one to make the folder is the first.
    first = f'mkdir "{folder}/first" 2>/dev/null && exec {sys.executable} "$@"\n' * but_one
    python.write_text(f'#!/bin/sh\n{first}exec {FORKED_PYTHON} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    patch.setenv("PATH", str(folder), prepend=os.pathsep)
    # They need our packages.
    patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    patch.setattr(fn_runner, "sys", SimpleNamespace(executable=str(python)))
    for_other_processes(patch)
    # TFX gives sys.argv to absl, which stumbles over pytest's.
    patch.setattr("sys.argv", ["mtlx"])
