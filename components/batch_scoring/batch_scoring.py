"""Beam transform: shards of logs to files of scores."""

import json

import apache_beam as beam

from mtlx.components.batch_scoring.score_shard import ScoreShard
from mtlx.components.log_example_gen.readers.reader import Shard
from mtlx.components.side_by_side import SideBySide


class BatchScoring(beam.PTransform):
    """Scores every shard on one of the workers; gives one JSON text per shard, its `ScoredShard`.

    A worker process loads the model once, whatever the number of its shards and threads.

    Args:
        work: what is done with a shard.
        shards: of all logs.
    """

    def __init__(self, work: ScoreShard, shards: list[Shard]) -> None:
        super().__init__()
        self._work, self._shards = work, shards

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        """Reads, checks, scores and writes."""
        return (
            root
            | "Shards" >> beam.Create(list(enumerate(self._shards)), reshuffle=True)
            | "Score" >> beam.ParDo(SideBySide(self._work.score, len(self._shards)))
            | "Encode" >> beam.Map(lambda summary: json.dumps(vars(summary)))
        )
