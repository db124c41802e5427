"""Reads what StatisticsGen computed."""

import os
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx import types
from tfx.components.statistics_gen import executor
from tfx.types import artifact_utils
from tfx.utils import json_utils

from mtlx.components.report.report_data import FeatureStatistics, SplitStatistics

#: File of StatisticsGen in each split's folder.
_STATISTICS_FILE = "FeatureStats.pb"
_TOP_VALUES = 3
_BARS = 20


def load_statistics(artifact: types.Artifact) -> tuple[SplitStatistics, ...]:
    """Returns the statistics of all splits.

    Args:
        artifact: ExampleStatistics, written by StatisticsGen.
    """
    loaded = []
    for split in artifact_utils.decode_split_names(artifact.split_names):
        path = os.path.join(artifact.uri, f"Split-{split}", _STATISTICS_FILE)
        (dataset,) = tfdv.load_stats_binary(path).datasets
        features = tuple(_feature(feature, dataset.num_examples) for feature in dataset.features)
        loaded.append(SplitStatistics(split, dataset.num_examples, features))
    return tuple(loaded)


def sample_rates(artifact: types.Artifact) -> dict[str, float]:
    """Returns which share of each split's rows was looked at; empty where nobody said."""
    name = executor.SAMPLE_RATE_BY_SPLIT_PROPERTY_NAME
    if not artifact.has_custom_property(name):
        return {}
    return json_utils.loads(artifact.get_json_value_custom_property(name))


def _feature(feature: statistics_pb2.FeatureNameStatistics, rows: int) -> FeatureStatistics:
    name = ".".join(feature.path.step) or feature.name
    kind = feature.WhichOneof("stats")
    common = getattr(feature, kind).common_stats
    # Rows that lack the feature altogether are in no count of the feature itself.
    present = common.num_non_missing
    shared = {
        "name": name,
        "rows": present,
        "missing": rows - present,
        "values_per_row": common.avg_num_values or 1.0,
    }
    if kind == "num_stats":
        return FeatureStatistics(kind="number", **shared, **_numbers(feature.num_stats))
    if kind == "string_stats":
        return FeatureStatistics(kind="text", **shared, **_text(feature.string_stats))
    return FeatureStatistics(kind="bytes", **shared)


def _numbers(stats: statistics_pb2.NumericStatistics) -> dict[str, Any]:
    values = {
        "mean": stats.mean,
        "deviation": stats.std_dev,
        "minimum": stats.min,
        "median": stats.median,
        "maximum": stats.max,
        "zeros": stats.num_zeros,
    }
    standard = statistics_pb2.Histogram.STANDARD
    histogram = next((h for h in stats.histograms if h.type == standard and not h.name), None)
    if histogram is not None:
        values["bars"] = tuple(bucket.sample_count for bucket in histogram.buckets)
    return values


def _text(stats: statistics_pb2.StringStatistics) -> dict[str, Any]:
    top = tuple((value.value, value.frequency) for value in stats.top_values[:_TOP_VALUES])
    ranks = tuple(bucket.sample_count for bucket in stats.rank_histogram.buckets[:_BARS])
    return {"distinct": stats.unique, "top": top, "bars": ranks}
