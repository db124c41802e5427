"""The folder of the scores: what is called how in it, and whether it can be written to."""

import json
import os

from mtlx.components.batch_scoring.scoring_refused import ScoringRefused
from mtlx.components.model_pusher.serving_folder.files import files_of, is_remote

#: Written last, so that scores without it are not all there.
SUMMARY_FILE = "_summary.json"
#: Folders of malformed rows, and of files that are being written. Readers of Parquet folders leave
#: alone what begins like these.
QUARANTINE, UNFINISHED = "_quarantine", "_unfinished"


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
    if UNFINISHED in names:
        raise ScoringRefused(
            f"{folder} holds scores that another process writes, or wrote until it was killed: "
            "empty the folder where it is gone, or give another one"
        )
    if names and not (set(names) <= {SUMMARY_FILE, QUARANTINE} and _was_refused(folder)):
        raise ScoringRefused(
            f"{folder} is not empty, and scores are not mixed with anything: give another folder, "
            "or empty this one"
        )


def _was_refused(folder: str) -> bool:
    try:
        text = b"".join(files_of(folder).read(os.path.join(folder, SUMMARY_FILE)))
        return json.loads(text)["refused"] is not None
    except (OSError, ValueError, KeyError, TypeError):
        return False
