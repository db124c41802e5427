"""Malformed rows: where they are kept, and how many are too many."""

import json
import os
from dataclasses import asdict

import tensorflow as tf

from mtlx.components.log_example_gen.rejection import REMEDIES, InputRefused, Rejection
from mtlx.components.log_example_gen.shard_summary import ShardSummary
from mtlx.components.log_example_gen.splits import splitter

#: Rejected rows that an error message quotes.
QUOTED = 5


class Quarantine:
    """Writes a shard's rejected rows as JSON lines and counts them in its summary.

    Batch by batch, so that a log full of malformed rows does not fill the memory.

    Args:
        folder: of the files of all shards; made where there is a malformed row.
        name: of this shard's file.
        summary: of the shard.
    """

    def __init__(self, folder: str, name: str, summary: ShardSummary) -> None:
        self._path, self._summary = os.path.join(folder, name), summary
        self._file: tf.io.gfile.GFile | None = None

    def __enter__(self) -> "Quarantine":
        return self

    def write(self, rejected: list[Rejection]) -> None:
        """Appends rejected rows."""
        if not rejected:
            return
        if self._file is None:
            tf.io.gfile.makedirs(os.path.dirname(self._path))
            self._file = tf.io.gfile.GFile(self._path, "w")
            self._summary.quarantine = self._path
        self._file.write("".join(json.dumps(asdict(row)) + "\n" for row in rejected))
        self._summary.malformed.update(row.reason for row in rejected)
        room = QUOTED - len(self._summary.quoted)
        self._summary.quoted += [str(row) for row in rejected[:room]]

    def __exit__(self, *unused: object) -> None:
        if self._file is not None:
            self._file.close()


def total_of(summaries: str) -> ShardSummary:
    """Adds up the shards' summaries.

    Args:
        summaries: file with one as JSON a line.
    """
    total = ShardSummary()
    with tf.io.gfile.GFile(summaries) as file:
        parts = [json.loads(line) for line in file]
    for part in parts:
        total.lines.update(part["lines"])
        total.rows.update(part["rows"])
        total.malformed.update(part["malformed"])
        total.filtered += part.get("filtered", 0)
        total.times = splitter.merge_times(total.times, part["times"])
        total.quoted += part["quoted"]
        total.quarantine = total.quarantine or part["quarantine"]
        total.refused = total.refused or part["refused"]
        total.unmatched.update(part["unmatched"])
        total.sources += part["sources"]
    if total.quarantine:
        total.quarantine = os.path.dirname(total.quarantine)
    return total


def check_malformed(summary: ShardSummary, limit: float) -> None:
    """Refuses input of which too many rows are malformed.

    Args:
        summary: of all shards.
        limit: the largest share that is let pass, `DataSettings.max_malformed_share`.

    Raises:
        InputRefused: there are more; says which, where all of them are, and what helps.
    """
    rows, malformed = summary.rows.total(), summary.malformed.total()
    share = malformed / max(rows + malformed, 1)
    if share <= limit:
        return
    reasons = ", ".join(f"{reason}: {n}" for reason, n in summary.malformed.most_common())
    quoted = "\n  ".join(summary.quoted[:QUOTED])
    raise InputRefused(
        f"{malformed} of {rows + malformed} rows are malformed ({share:.2%}, the limit is "
        f"{limit:.2%}): {reasons}\n  {quoted}\n"
        f"All of them: {summary.quarantine}. Mend the log, or raise data.max_malformed_share"
        + "".join(f"; {REMEDIES[reason]}" for reason in summary.malformed if reason in REMEDIES)
    )
