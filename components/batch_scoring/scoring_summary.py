"""What became of the rows that were to be scored: a JSON file beside the scores."""

import json
import os
from typing import TypedDict

import tensorflow as tf

from mtlx.components.batch_scoring.score_output import SUMMARY_FILE


class ScoringSummary(TypedDict):
    """The content of the file.

    Attributes:
        model: path of the model that scored.
        version: its number in the serving folder; None where it is no pushed version.
        tasks: that have a column of scores.
        input: patterns of the logs.
        files: number of logs behind them.
        lines: of all logs, by what became of them, as in `IngestionSummary`.
        rows: that have scores.
        malformed: rejected rows, by reason.
        max_malformed_share: the limit that applied.
        quarantine: folder of the malformed rows, or None.
        undefined: by task, rows for which the model served no finite number.
        refused: why there are no scores, or None.
        seconds: that it took, loading the model included.
        rows_per_second: of these.
    """

    model: str
    version: int | None
    tasks: list[str]
    input: list[str]
    files: int
    lines: dict[str, int]
    rows: int
    malformed: dict[str, int]
    max_malformed_share: float
    quarantine: str | None
    undefined: dict[str, int]
    refused: str | None
    seconds: float
    rows_per_second: float


def write_scoring_summary(folder: str, summary: ScoringSummary) -> None:
    """Writes the file into the folder of the scores."""
    tf.io.gfile.makedirs(folder)
    with tf.io.gfile.GFile(os.path.join(folder, SUMMARY_FILE), "w") as file:
        file.write(json.dumps(summary, indent=2) + "\n")
