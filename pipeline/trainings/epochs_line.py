"""The line in which a training tells its parent process of its epochs."""

import json
from collections.abc import Sequence
from typing import Any

#: No other line begins so.
_MARK = "\x1emtlx epochs "
#: What is told of an epoch.
_TOLD = ("epoch", "selection", "validation_auc", "validation_loss")


def epochs_line(epochs: Sequence[dict[str, Any]]) -> str:
    """A line for standard output.

    Args:
        epochs: all records so far, see `mtlx.trainer.validation.history.History`.
    """
    told = [{key: epoch[key] for key in _TOLD if key in epoch} for epoch in epochs]
    return _MARK + json.dumps(told)


def read_epochs(line: str) -> list[dict[str, Any]] | None:
    """The records in a line; None where it is another one."""
    if not line.startswith(_MARK):
        return None
    found: list[dict[str, Any]] = json.loads(line.removeprefix(_MARK))
    return found
