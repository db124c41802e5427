"""Evaluated rows as a caller would send them: serialised examples, and one array per feature."""

from typing import Any

import numpy as np
import tensorflow as tf

from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import VectorFeature


def without_labels(examples: list[bytes], contract: DataContract) -> list[bytes]:
    """Examples with the contract's features and nothing else.

    Args:
        examples: serialised `tf.Example`s, as ingestion wrote them.
        contract: of the run.
    """
    kept = []
    for serialized in examples:
        example = tf.train.Example.FromString(serialized)
        for name in [name for name in example.features.feature if name not in contract.features]:
            del example.features.feature[name]
        kept.append(example.SerializeToString(deterministic=True))
    return kept


def columns_of(examples: list[bytes], contract: DataContract) -> dict[str, np.ndarray]:
    """The same rows as the signature for columns takes them.

    Args:
        examples: N serialised `tf.Example`s.
        contract: of the run.

    Returns:
        By feature: texts ``(N,)`` object of bytes, empty where missing; numbers ``(N,)`` float32,
        NaN where missing; lists ``(N, L)``, object of bytes, all of one L and padded with empty
        texts, or float32, padded with NaN.
    """
    parsed = [tf.train.Example.FromString(serialized).features.feature for serialized in examples]
    columns: dict[str, np.ndarray] = {}
    lists: dict[str, list[list[bytes]]] = {}
    numbers_of: dict[str, list[list[float]]] = {}
    for name, feature in contract.features.items():
        values = [_values(row[name]) if name in row else [] for row in parsed]
        if feature.holds == "number" and not feature.takes_one:
            numbers_of[name] = [[float(value) for value in row] for row in values]
        elif feature.holds == "number":
            numbers = [float(row[0]) if row else float("nan") for row in values]
            columns[name] = np.array(numbers, np.float32)
        elif not feature.takes_one:
            lists[name] = [[_text(value) for value in row] for row in values]
        else:
            columns[name] = np.array([_text(row[0]) if row else b"" for row in values], object)
    width = max((len(row) for rows in lists.values() for row in rows), default=0)
    columns |= {name: _table(rows, width, b"", object) for name, rows in lists.items()}
    for name, numbers_in in numbers_of.items():
        feature = contract.features[name]
        size = feature.size if isinstance(feature, VectorFeature) else width
        columns[name] = _table(numbers_in, size, float("nan"), np.float32)
    return columns


def _table(rows: list[list[Any]], width: int, nothing: object, kind: type) -> np.ndarray:
    """Lists as rows of one width."""
    table = np.full((len(rows), width), nothing, kind)
    for index, row in enumerate(rows):
        table[index, : len(row)] = row
    return table


def _values(feature: tf.train.Feature) -> list[bytes | int | float]:
    kind = feature.WhichOneof("kind")
    return list(getattr(feature, kind).value) if kind else []


def _text(value: bytes | int | float) -> bytes:
    """Other readers than ours make integers of what the contract calls text."""
    return value if isinstance(value, bytes) else str(value).encode()
