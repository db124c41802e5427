"""What became of every line that LogExampleGen read: a JSON file beside the splits."""

import json
import os
from typing import Any, TypedDict

import tensorflow as tf

#: Below the examples' URI; no reader of splits looks there.
INGESTION_FOLDER = "ingestion"
_FILE = "summary.json"


class IngestionSummary(TypedDict):
    """The content of the file.

    Attributes:
        lines: of all files, by what became of them.
        rows: examples written, by split.
        malformed: rejected rows, by reason.
        filtered: rows that do not meet `DataSettings.where`; a summary of an older version has
            none.
        unmatched: rows whose key a table of `DataSettings.join` lacks, by key; a summary of an
            older version has none.
        refused: why the input as a whole was refused, or None.
        times: first and last time by split, where the split is by time.
        quarantine: folder of the malformed rows, or None.
        max_malformed_share: the limit that applied.
        seconds: that it took.
        provenance: of the rows, see `mtlx.components.log_example_gen.provenance`; None where the
            input was refused.
    """

    lines: dict[str, int]
    rows: dict[str, int]
    malformed: dict[str, int]
    filtered: int
    unmatched: dict[str, int]
    refused: str | None
    times: dict[str, Any]
    quarantine: str | None
    max_malformed_share: float
    seconds: float
    provenance: dict[str, Any] | None


def ingestion_folder(examples_uri: str) -> str:
    """Folder of the summary, and of what LogExampleGen needs while it works."""
    return os.path.join(examples_uri, INGESTION_FOLDER)


def write_ingestion_summary(folder: str, summary: IngestionSummary) -> None:
    """Writes the file into a folder, which is made: that of the examples, or the quarantine."""
    tf.io.gfile.makedirs(folder)
    with tf.io.gfile.GFile(os.path.join(folder, _FILE), "w") as file:
        file.write(json.dumps(summary, indent=2))


def read_ingestion_summary(examples_uri: str) -> IngestionSummary | None:
    """Reads the file beside the splits.

    Returns:
        None where there is none: a stock ExampleGen wrote the examples, or they are gone.

    Raises:
        ValueError: the file is no JSON.
    """
    path = os.path.join(ingestion_folder(examples_uri), _FILE)
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path) as file:
        try:
            summary: IngestionSummary = json.load(file)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {error.lineno}: no JSON ({error.msg})") from error
    return summary
