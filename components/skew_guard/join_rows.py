"""Served rows beside the logs' rows of the same key: which features they were served otherwise."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tfx import types
from tfx.types import artifact_utils

from mtlx.components.drift_guard.drift_result import Movement
from mtlx.components.example_batches import (
    contract_columns,
    label_columns,
    parsed_batch,
    read_batches,
    split_files,
)
from mtlx.components.skew_guard.served_rows import examples_of
from mtlx.components.skew_guard.settings import SkewSettings
from mtlx.components.skew_guard.skew_result import Joined, JoinedFeature
from mtlx.transform.contract.data_contract import DataContract

_BATCH_ROWS = 16_384
#: Relative difference up to which two numbers are the same: both are float32.
_ROUNDING = 1e-5


def join_rows(
    draw: pa.Table,
    differing: np.ndarray,
    examples: types.Artifact,
    split: str,
    contract: DataContract,
    lacking: Sequence[str],
    settings: SkewSettings,
) -> Joined:
    """Looks the drawn rows up in the ingested ones.

    Args:
        draw: of the serving logs.
        differing: ``(n,)`` bool, which of the rows have a score that differs.
        examples: that were ingested of the same logs.
        split: of these; all if empty.
        contract: of the experiment.
        lacking: features that the serving logs do not have.
        settings: the key and the thresholds.
    """
    key = settings.key or ""
    labels = label_columns(contract)
    columns = {
        name: dtype.name
        for name, dtype in contract_columns(contract).items()
        if name not in labels and name not in lacking
    }
    served = parsed_batch(draw[examples_of(0)].to_pylist(), columns)
    served_at = _by_key(served.column(key))
    logged = _logged(_files(examples, split), columns, key, list(served_at))
    logged_at = _by_key(logged[key].combine_chunks()) if logged is not None else {}
    pairs = [(served_at[value], logged_at[value]) for value in served_at if value in logged_at]
    if logged is None or not pairs:
        return Joined(key, len(served_at), 0)
    here, there = (np.array(places) for places in zip(*pairs, strict=True))
    wrong = differing[here]
    features = []
    for name in columns:
        if name == key:
            continue
        unequal = ~_equal(
            served.column(name).take(pa.array(here)).to_pylist(),
            logged[name].take(pa.array(there)).to_pylist(),
        )
        share, bound = float(unequal.mean()), settings.unequal_bound(name)
        movement = Movement(name, "unequal", share, 0.0, bound)
        features.append(
            JoinedFeature(movement, float(unequal[wrong].mean()) if wrong.any() else None)
        )
    features.sort(key=lambda one: (-one.movement.value, -(one.of_differing or 0.0)))
    return Joined(key, len(served_at), len(pairs), tuple(features))


def _files(examples: types.Artifact, split: str) -> list[str]:
    splits = artifact_utils.decode_split_names(examples.split_names)
    return [
        file
        for name in splits
        if not split or name == split
        for file in split_files([artifact_utils.get_split_uri([examples], name)], name)
    ]


def _logged(
    files: list[str], columns: dict[str, str], key: str, wanted: list[Any]
) -> pa.Table | None:
    """Rows of the logs with a key that was served; None where there are none."""
    values = pa.array(wanted, pa.float32() if columns[key] == "float32" else pa.large_binary())
    found = []
    for batch in read_batches(files, columns, _BATCH_ROWS):
        first = pc.list_element(batch.column(key), 0)
        chosen = batch.filter(pc.is_in(first, value_set=values))
        if chosen.num_rows:
            found.append(pa.Table.from_batches([chosen]))
    return pa.concat_tables(found) if found else None


def _by_key(column: pa.Array) -> dict[Any, int]:
    """The row of every key that stands once."""
    keys = [value[0] if value else None for value in column.to_pylist()]
    counted = Counter(keys)
    return {k: row for row, k in enumerate(keys) if k is not None and counted[k] == 1}


def _equal(one: Iterable[Any], other: Iterable[Any]) -> np.ndarray:
    return np.array([_same(a, b) for a, b in zip(one, other, strict=True)], bool)


def _same(one: list[Any] | None, other: list[Any] | None) -> bool:
    if one is None or other is None or len(one) != len(other):
        return one == other
    return all(
        a == b or (isinstance(a, float) and abs(a - b) <= _ROUNDING * max(abs(a), abs(b)))
        for a, b in zip(one, other, strict=True)
    )
