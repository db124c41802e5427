"""The folder of the scores, before anything is scored."""

import json
import os

from mtlx.components.batch_scoring.scoring_refused import ScoringRefused
from mtlx.components.model_pusher.serving_folder.files import files_of, is_remote

#: What a scoring that was refused leaves; see `mtlx.components.batch_scoring.score_files`.
_SUMMARY, _QUARANTINE = "_summary.json", "_quarantine"


def check_output(folder: str) -> None:
    """Refuses a folder that holds anything but what a refused scoring left.

    Args:
        folder: path or URI; need not exist.

    Raises:
        ScoringRefused: it holds something, or is a file.
        OSError: it cannot be read.
    """
    if not is_remote(folder) and os.path.exists(folder) and not os.path.isdir(folder):
        raise ScoringRefused(f"{folder} is a file: give the path of a folder")
    names = files_of(folder).names(folder)
    if names and not (set(names) <= {_SUMMARY, _QUARANTINE} and _was_refused(folder)):
        raise ScoringRefused(
            f"{folder} is not empty, and scores are not mixed with anything: give another folder, "
            "or empty this one"
        )


def _was_refused(folder: str) -> bool:
    try:
        text = b"".join(files_of(folder).read(os.path.join(folder, _SUMMARY)))
        return json.loads(text)["refused"] is not None
    except (OSError, ValueError, KeyError, TypeError):
        return False
