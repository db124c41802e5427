"""The training split's ranges of numbers and weights, read off a transform graph."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import NumericFeature

#: Numbers that are tried at once for an end of a range; three rounds find a float32 among all.
_PROBES = 1 << 11
#: Of the range, by which a number may pass its end unseen: that much rounding may hide.
_TOLERANCE = 1e-6

#: Transforms that tell all numbers inside of the range apart, one that is bounded by itself last.
_TELLING = ("none", "log", "zscore", "min_max")

#: Raw features by name.
Raw = Mapping[str, tf.Tensor | tf.SparseTensor]
#: Raw features to transformed ones, both by name.
Transform = Callable[[Raw], Mapping[str, tf.Tensor]]


def training_ranges(
    contract: DataContract,
    transform: Transform,
    raw: Callable[[Mapping[str, np.ndarray]], Raw],
) -> dict[str, tuple[float, float]]:
    """Finds the numbers beyond which a feature's transform gives always the same.

    The graph clips numbers to the range of the training split, whichever analysis made it and
    wherever it keeps the range. A feature that is not clipped has no range, and neither has one
    that was constant or absent in training. Both ends of all ranges are searched together: a
    call of the graph takes as long for one feature as for all.

    Args:
        contract: the data contract.
        transform: the graph.
        raw: numbers ``(n,)`` float32 by feature to the inputs of the graph, all other features
            without values.

    Returns:
        By feature: the least and the largest number that counts as inside.
    """
    fields = _telling_fields(contract)
    if not fields:
        return {}

    def scores(numbers: np.ndarray) -> np.ndarray:
        """Of rising numbers ``(features, 2, n)``, the first of each pair with the sign changed."""
        signed = numbers * np.array([[-1], [1]], np.float32)
        found = transform(raw({name: x.ravel() for name, x in zip(fields, signed, strict=True)}))
        return np.stack([found[field].numpy() for field in fields.values()]).reshape(numbers.shape)

    ranges = {}
    for name, (minus_least, largest) in zip(fields, _reach(scores, (len(fields), 2)), strict=True):
        least = -minus_least
        if least < largest and max(-least, largest) < np.finfo(np.float32).max:
            slack = _TOLERANCE * max(abs(least), abs(largest))
            ranges[name] = (float(least - slack), float(largest + slack))
    return ranges


def largest_weights(
    contract: DataContract,
    transform: Transform,
    raw: Callable[[Mapping[str, np.ndarray]], Raw],
) -> dict[str, float]:
    """Finds what the graph makes of a weight larger than any.

    Args:
        contract: the data contract.
        transform: the graph.
        raw: see `training_ranges`, and lists ``(n, L)`` of texts or numbers likewise.

    Returns:
        By feature of weights: the largest that counts as inside. Without any in the training
        split none is too large.
    """
    if not contract.weighted:
        return {}
    endless = np.finfo(np.float32).max
    lists = {of: np.array([["any value"]], object) for of, _ in contract.weighted}
    lists |= {name: np.array([[endless]], np.float32) for _, name in contract.weighted}
    found = transform(raw(lists))
    largest = {name: float(found[name][0, 0]) for _, name in contract.weighted}
    return {name: weight for name, weight in largest.items() if weight < endless}


def _telling_fields(contract: DataContract) -> dict[str, str]:
    """By numeric feature, the field of its transform that tells numbers inside the range apart."""
    telling: dict[str, str] = {}
    for name, feature in contract.features.items():
        if isinstance(feature, NumericFeature):
            fields: dict[str, str] = {form: field for field, form in feature.fields(name).items()}
            found = [fields[form] for form in _TELLING if form in fields]
            telling |= {name: found[0]} if found else {}
    return telling


def _reach(
    scores: Callable[[np.ndarray], np.ndarray], searches: tuple[int, ...]
) -> list[list[float]]:
    """The least numbers from which on the scores, of rising numbers, do not change any more.

    Args:
        scores: of numbers ``(*searches, n)``.
        searches: their shape.
    """
    low = np.full(searches, _order(-np.finfo(np.float32).max), np.int64)
    high = np.full(searches, _order(np.finfo(np.float32).max), np.int64)
    while (high - low > 1).any():
        places = np.linspace(low, high, _PROBES, axis=-1).astype(np.int64)
        found = scores(_number(places))
        # A search that is done finds the same once more.
        first = np.argmax(found == found[..., -1:], axis=-1)[..., np.newaxis]
        low = np.take_along_axis(places, np.maximum(first - 1, 0), axis=-1)[..., 0]
        high = np.take_along_axis(places, first, axis=-1)[..., 0]
    return _number(high).astype(np.float64).tolist()


def _order(number: np.float32) -> int:
    """Place of a float32 among all of them."""
    bits = int(np.float32(number).view(np.int32))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def _number(places: np.ndarray) -> np.ndarray:
    """Inverse of `_order`, of any shape."""
    bits = np.where(places >= 0, places, -places | 0x80000000).astype(np.uint32)
    return bits.view(np.float32)
