"""Slices: which feature crosses are measured, and the slice of every row of a batch."""

import json
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mtlx.components.slice_evaluation.settings import EvaluationSettings
from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.name_checks import DOMAIN_ALIAS

#: Text of the slice that holds all rows, whose key is ``()``.
OVERALL = "overall"

#: Value of a slice whose rows have no value of the feature. A real value that reads like it is
#: shown with one more pair of brackets, see `shown_value`.
MISSING = "(missing)"

#: What a name of a slice puts between its parts, and around those that hold such characters.
_SEPARATORS = set(',="')

_LIKE_MISSING = re.compile(r"\(+missing\)+")

#: A slice as TFMA writes it: pairs of shown feature name and value; ``()`` is overall.
SliceKey = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SliceCross:
    """One configured cross of features.

    Attributes:
        keys: the names that are shown, in the configured order.
        features: the contract's feature behind each key.
    """

    keys: tuple[str, ...]
    features: tuple[str, ...]


@dataclass(frozen=True)
class SliceColumn:
    """The slices of one cross in one batch.

    Attributes:
        codes: ``(B,)`` int64, index in `keys`: every row is in one slice of the cross.
        keys: the slices that occur in the batch.
    """

    codes: np.ndarray
    keys: tuple[SliceKey, ...]


def slice_text(key: SliceKey) -> str:
    """Returns the name of a slice for people: ``overall`` or ``domain=feed,gender=f``.

    No two slices have the same name, and no name breaks a line: see `quoted`. Nothing reads names
    back; where slices are looked up or compared, that is done by their keys.
    """
    return ",".join(f"{quoted(name)}={quoted(value)}" for name, value in key) or OVERALL


def quoted(text: str) -> str:
    """Returns a name or value as it is, or as a JSON string where it could be misread.

    That is where it is empty, holds ``,``, ``=`` or ``"``, begins or ends with a blank, or has a
    character that is not printed as itself (line breaks, marks of the writing direction).
    """
    if text and text.isprintable() and text == text.strip() and not _SEPARATORS & set(text):
        return text
    shown = (
        json.dumps(character, ensure_ascii=not character.isprintable())[1:-1] for character in text
    )
    return f'"{"".join(shown)}"'


def resolve_crosses(settings: EvaluationSettings, contract: DataContract) -> list[SliceCross]:
    """Binds the configured slices to features, without the overall slice.

    ``[domain]`` alone is dropped where the contract has no domain: it is the overall slice.

    Raises:
        SettingsError: a name is no categorical feature, or stands twice in one cross.
    """
    categorical = _categorical_features(contract)
    alias = contract.domain.feature if contract.domain else None
    crosses: list[SliceCross] = []
    problems: list[tuple[tuple[str, ...], str]] = []
    for position, names in enumerate(settings.slices):
        if list(names) == [DOMAIN_ALIAS] and alias is None and DOMAIN_ALIAS not in categorical:
            continue
        features = tuple(alias if name == DOMAIN_ALIAS and alias else name for name in names)
        path = ("evaluation", "slices", str(position))
        for name, feature in zip(names, features, strict=True):
            if feature not in categorical:
                problems.append((path, f"{name!r} is no categorical feature, "
                                 f"{suggest(name, [*categorical, DOMAIN_ALIAS])}"))  # fmt: skip
        if len(set(features)) != len(features):
            problems.append((path, f"a feature stands twice in the cross {list(names)}"))
        crosses.append(SliceCross(tuple(names), features))
    for setting in ("user_key", "request_key"):
        key = getattr(settings, setting)
        if key is not None and key not in categorical:
            problems.append((("evaluation", setting), f"{key!r} is no categorical feature, "
                             f"{suggest(key, categorical)}"))  # fmt: skip
    if problems:
        raise SettingsError(problems)
    return list(dict.fromkeys(crosses))


def _categorical_features(contract: DataContract) -> list[str]:
    return contract.single_values


def slice_columns(batch: pa.RecordBatch, crosses: list[SliceCross]) -> list[SliceColumn]:
    """Finds the slices of every row, vectorised.

    Args:
        batch: raw examples, each feature of the crosses as ``list<binary>``.
        crosses: the configured crosses.

    Returns:
        One column per cross, behind the column of the overall slice.

    Raises:
        ValueError: a feature has several values in one row.
    """
    columns = [SliceColumn(np.zeros(batch.num_rows, np.int64), ((),))]
    coded = {
        feature: _coded_values(batch, feature)
        for feature in {feature for cross in crosses for feature in cross.features}
    }
    for cross in crosses:
        codes = np.zeros(batch.num_rows, np.int64)
        sizes = []
        for feature in cross.features:
            feature_codes, values = coded[feature]
            codes = codes * len(values) + feature_codes
            sizes.append(len(values))
        unique, compact = np.unique(codes, return_inverse=True)
        keys = tuple(
            tuple(
                (key, coded[feature][1][index])
                for key, feature, index in zip(cross.keys, cross.features, indices, strict=True)
            )
            for indices in zip(*np.unravel_index(unique, sizes), strict=True)
        )
        columns.append(SliceColumn(compact.astype(np.int64), keys))
    return columns


def shown_value(value: str) -> str:
    """Returns how a feature's value stands in a slice: as it is, but never as `MISSING`.

    A value of brackets around "missing" gets one more pair, so that no two values look alike.
    """
    return f"({value})" if _LIKE_MISSING.fullmatch(value) else value


def _coded_values(batch: pa.RecordBatch, feature: str) -> tuple[np.ndarray, list[str]]:
    """Codes ``(B,)`` without gaps and the shown value of each, `MISSING` last where it is used."""
    codes, values = encode_feature(batch, feature)
    shown = [shown_value(value) for value in values]
    return np.where(codes < 0, len(shown), codes), [*shown, MISSING]


def encode_feature(batch: pa.RecordBatch, feature: str) -> tuple[np.ndarray, list[str]]:
    """Numbers the values of a categorical feature within a batch.

    Returns:
        ``(B,)`` int64 codes, -1 where the value is missing, and the value of each code.

    Raises:
        ValueError: a row has several values.
    """
    column = batch.column(batch.schema.get_field_index(feature))
    lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    if (lengths > 1).any():
        raise ValueError(
            f"feature {feature!r} has {lengths.max()} values in one example: a slice, the user "
            "key and the request key take a feature with at most one; check the data contract "
            "against the log"
        )
    encoded = column.flatten().dictionary_encode()
    codes = np.full(len(column), -1, np.int64)
    codes[lengths == 1] = encoded.indices.to_numpy(zero_copy_only=False)
    values = [value.decode("utf-8", "backslashreplace") for value in encoded.dictionary.to_pylist()]
    return codes, values
