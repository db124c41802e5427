"""A Python with TensorFlow, and without anything that only training needs."""

import functools
import importlib.metadata
import json
import sys
from pathlib import Path

from packaging.requirements import Requirement

from mtlx.components.serving_check.process import isolation

#: What TensorFlow's package requires and no server has. Importing it would take a third of the
#: process' start, and would hide a model that asks for it.
_TRAINING_ONLY = frozenset({"keras"})


def isolated_python(script: str, *arguments: str) -> list[str]:
    """A command that runs a script with the standard library, TensorFlow, and what that requires.

    Neither TFX nor this project can be imported there, whatever is installed and wherever it is
    run: Python gets no folder but the standard library's, and TensorFlow's by name.
    Nor can Keras, as on any server: TensorFlow imports it where it is there, and does without it
    where it is not.

    Args:
        script: its path.
        arguments: of the script.
    """
    modules, folders = _of_tensorflow()
    given = json.dumps({"modules": modules, "folders": folders, "absent": sorted(_TRAINING_ONLY)})
    return [sys.executable, "-I", "-S", isolation.__file__, given, script, *arguments]


@functools.cache
def _of_tensorflow() -> tuple[list[str], list[str]]:
    """Top-level modules of TensorFlow and of all that it requires, and the folders they lie in."""
    waiting = list(importlib.metadata.packages_distributions()["tensorflow"])
    modules: set[str] = set()
    folders: dict[str, None] = {}
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in _TRAINING_ONLY:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # Of another platform, or left out on purpose.
        if distribution.metadata["Name"] in seen:
            continue
        seen.add(distribution.metadata["Name"])
        modules |= _modules(distribution)
        folders[str(Path(str(distribution.locate_file(""))).resolve())] = None
        for text in distribution.requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return sorted(modules), list(folders)


def _modules(distribution: importlib.metadata.Distribution) -> set[str]:
    named = distribution.read_text("top_level.txt")
    if named is not None:
        return set(named.split())
    first = {Path(str(file)).parts[0] for file in distribution.files or ()}
    return {name.split(".")[0] for name in first if not name.endswith(("-info", "..", "__"))}
