"""What a worker does with one shard of the logs."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mtlx.components.batch_scoring.score_columns import scored_table
from mtlx.components.batch_scoring.score_file import ScoreFile
from mtlx.components.batch_scoring.score_output import QUARANTINE, UNFINISHED
from mtlx.components.batch_scoring.scoring_model import ScoringModel
from mtlx.components.batch_scoring.scoring_refused import ScoringRefused
from mtlx.components.log_example_gen.quarantine import Quarantine
from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.reader import Reader, Shard
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.row_checks import RowChecks
from mtlx.components.log_example_gen.shard_summary import ShardSummary

#: In `ShardSummary.rows`.
SCORED = "scored"


@dataclass
class ScoredShard(ShardSummary):
    """What became of one shard.

    Attributes:
        undefined: by task, rows for which the model served no finite number.
    """

    undefined: Counter[str] = field(default_factory=Counter)


class ScoreShard:
    """Reads, checks, scores and writes; pickled to the workers.

    Args:
        reader: registered name of the logs' reader.
        options: the reader's.
        model: that scores.
        carried: columns of the log that are taken over.
        output: folder of the scores.
    """

    def __init__(
        self,
        reader: str,
        options: dict[str, Any],
        model: ScoringModel,
        carried: Sequence[str],
        output: str,
    ) -> None:
        self._reader, self._options, self._model = reader, options, model
        self._carried, self._output = list(carried), output

    def reader(self) -> Reader:
        """The reader of the settings."""
        return READERS.build(self._reader, self._options)

    @property
    def columns(self) -> list[str]:
        """Columns of the logs that are read."""
        return list(dict.fromkeys([*self._checks().columns(), *self._carried]))

    def _checks(self) -> RowChecks:
        return RowChecks(self._model.contract, labels=False)

    def score(self, item: tuple[int, Shard], shards: int) -> ScoredShard:
        """Writes one shard's scores, whole or not at all, and its rejected rows.

        Args:
            item: the shard behind its number.
            shards: number of all.
        """
        index, shard = item
        summary = ScoredShard()
        name = f"{index:05d}-of-{shards:05d}"
        path = os.path.join(self._output, f"scores-{name}.parquet")
        folder = os.path.join(self._output, QUARANTINE)
        try:
            with (
                Quarantine(folder, f"rejected-{name}.jsonl", summary) as quarantine,
                ScoreFile(path, os.path.join(self._output, UNFINISHED)) as file,
            ):
                self._score(shard, quarantine, file, summary)
        except (InputRefused, ScoringRefused, OSError) as error:
            # Beam would wrap it into its own words, and try again.
            summary.refused = str(error)
        return summary

    def _score(
        self, shard: Shard, quarantine: Quarantine, scores: ScoreFile, summary: ScoredShard
    ) -> None:
        checks, file = self._checks(), shard.files[0]
        for rows in self.reader().read(shard, self.columns):
            summary.lines.update({"read": rows.counted, **rows.aside})
            checked = checks.check(rows, file)
            quarantine.write(checked.rejected)
            found = self._model.scores(checked.examples)
            scores.write(scored_table(file, rows, checked.kept, found, self._carried))
            summary.rows[SCORED] += checked.examples.num_rows
            for task, values in found.items():
                summary.undefined[task] += int(np.isnan(values).sum())
        if summary.unaccounted():
            raise InputRefused(
                f"{file}: of {summary.lines['read']} lines {summary.unaccounted()} are unaccounted "
                f"for; this is a fault of reader {self._reader!r}, not of the log"
            )
