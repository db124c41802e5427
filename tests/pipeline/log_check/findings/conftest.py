"""Rows as they are collected from the logs, built directly."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.log_example_gen.splits.splitter import SPLITS
from mtlx.pipeline.log_check.collected_rows import CollectedRows
from mtlx.pipeline.log_check.time_ranges import TimeRanges
from mtlx.transform.contract.data_contract import DataContract

_TYPES = {"categorical": pa.large_string(), "numeric": pa.float32()}


def _collected(features, labels, split="test", tasks=None, domain=None, target_item=None):
    """Rows with the features' values and the labels' columns.

    Args:
        features: by name, the settings and the values; those of a sequence are lists of texts.
        labels: by column, 0 and 1.
        split: of every row, or of all.
        tasks: as in an experiment file; a task for each label if None.
        domain: as there.
        target_item: as there.
    """
    contract = DataContract.read(
        {
            "features": {name: settings for name, (settings, _) in features.items()},
            "tasks": tasks or {name: {"label": name} for name in labels},
            **({"domain": domain} if domain else {}),
            **({"target_item": target_item} if target_item else {}),
        }
    )
    columns = {}
    for name, (settings, values) in features.items():
        if settings["kind"] == "sequence":
            items = [[item.encode() for item in value] for value in values]
            columns[name] = pa.array(items, pa.large_list(pa.large_binary()))
        else:
            columns[name] = pa.array(list(values), _TYPES[settings["kind"]])
    count = len(next(iter(labels.values())))
    places = [split] * count if isinstance(split, str) else split
    return CollectedRows(
        contract=contract,
        features=columns,
        labels={name: np.asarray(values, bool) for name, values in labels.items()},
        split=np.array([SPLITS.index(place) for place in places], np.int8),
        types=dict.fromkeys(features, "text"),
        malformed=Counter(),
        examples={},
        refused=[],
        times=TimeRanges(()),
    )


@pytest.fixture
def collected():
    return _collected
