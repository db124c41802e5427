"""What statistics say of some rows: of splits of one artifact, or of several spans together."""

import dataclasses
import os
from collections import Counter

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx import types
from tfx.components.statistics_gen import executor as stock
from tfx.types import artifact_utils

from mtlx.components.batch_statistics_gen.split_counts import SplitCounts


@dataclasses.dataclass(frozen=True)
class ValueShares:
    """The values of a categorical feature or sequence, as TFDV describes them.

    Attributes:
        most: how often the most frequent ones occur, a thousand of each split.
        total: how often all occur.
    """

    most: Counter[str]
    total: float


@dataclasses.dataclass(frozen=True)
class DescribedRows:
    """Statistics of rows.

    Attributes:
        counts: of values and labels; of all rows together.
        values: of features with texts, by name.
        spans: the same of each span, the oldest first; one where there are no spans.
    """

    counts: SplitCounts
    values: dict[str, ValueShares]
    spans: tuple[SplitCounts, ...]

    @classmethod
    def load(cls, artifacts: list[types.Artifact], splits: list[str]) -> "DescribedRows | None":
        """Reads statistics.

        Args:
            artifacts: ExampleStatistics, the oldest first.
            splits: names of those that are read; none for all.

        Returns:
            The statistics, None where a split was described without counts of values: by
            another component than `BatchStatisticsGen`, or an earlier version of it.
        """
        spans: list[SplitCounts] = []
        values: dict[str, ValueShares] = {}
        for artifact in artifacts:
            parts = []
            for split in artifact_utils.decode_split_names(artifact.split_names):
                if splits and split not in splits:
                    continue
                folder = artifact_utils.get_split_uri([artifact], split)
                counts = _load(folder, values)
                if counts is None:
                    return None
                parts.append(counts)
            spans.append(SplitCounts.merged(parts))
        return cls(SplitCounts.merged(spans), values, tuple(spans))

    @classmethod
    def of_folder(cls, folder: str) -> "DescribedRows | None":
        """Reads the statistics of rows that were described in one folder, as `load` does."""
        values: dict[str, ValueShares] = {}
        counts = _load(folder, values)
        return None if counts is None else cls(counts, values, (counts,))


def _load(folder: str, values: dict[str, ValueShares]) -> SplitCounts | None:
    """Counts of a folder, whose values are added to those of others; None where it has none."""
    counts = SplitCounts.load(folder)
    if counts is not None:
        path = os.path.join(folder, stock.DEFAULT_FILE_NAME)
        (dataset,) = tfdv.load_stats_binary(path).datasets
        add_values(values, dataset)
    return counts


def add_values(
    values: dict[str, ValueShares], dataset: statistics_pb2.DatasetFeatureStatistics
) -> None:
    """Adds what TFDV says of one data set to `values`, in place."""
    for feature in dataset.features:
        if not feature.HasField("string_stats"):
            continue
        name = ".".join(feature.path.step) or feature.name
        stats = feature.string_stats
        most = Counter({b.label: b.sample_count for b in stats.rank_histogram.buckets})
        total = float(stats.common_stats.tot_num_values)
        known = values.get(name, ValueShares(Counter(), 0.0))
        values[name] = ValueShares(known.most + most, known.total + total)
