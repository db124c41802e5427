"""The training split's ranges of numeric features, read off a transform graph."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import NumericFeature

#: Numbers that are tried at once; two rounds of as many find a float32 among all.
_PROBES = 1 << 16
#: Of the range, by which a number may pass its end unseen: that much rounding may hide.
_TOLERANCE = 1e-6

#: Transforms that tell all numbers inside of the range apart, one that is bounded by itself last.
_TELLING = ("none", "log", "zscore", "min_max")

#: Raw features by name.
Raw = Mapping[str, tf.Tensor | tf.SparseTensor]
#: Raw features to transformed ones, both by name.
Transform = Callable[[Raw], Mapping[str, tf.Tensor]]


def training_ranges(
    contract: DataContract, transform: Transform, raw: Callable[[str, np.ndarray], Raw]
) -> dict[str, tuple[float, float]]:
    """Finds the numbers beyond which a feature's transform gives always the same.

    The graph clips numbers to the range of the training split, whichever analysis made it and
    wherever it keeps the range. A feature that is not clipped has no range, and neither has one
    that was constant or absent in training.

    Args:
        contract: the data contract.
        transform: the graph.
        raw: a feature's name and its numbers ``(n,)`` float32 to the inputs of the graph, all
            other features without values.

    Returns:
        By feature: the least and the largest number that counts as inside.
    """
    ranges = {}
    for name, feature in contract.features.items():
        if not isinstance(feature, NumericFeature):
            continue
        fields: dict[str, str] = {form: field for field, form in feature.fields(name).items()}
        telling = [fields[form] for form in _TELLING if form in fields]
        if not telling:
            continue

        def scores(numbers: np.ndarray, name: str = name, field: str = telling[0]) -> np.ndarray:
            return transform(raw(name, numbers))[field].numpy()

        least, largest = -_reach(lambda x: scores(-x)), _reach(scores)
        if least < largest and max(-least, largest) < np.finfo(np.float32).max:
            slack = _TOLERANCE * max(abs(least), abs(largest))
            ranges[name] = (float(least - slack), float(largest + slack))
    return ranges


def _reach(scores: Callable[[np.ndarray], np.ndarray]) -> float:
    """The least number from which on the scores, of rising numbers, do not change any more."""
    low, high = _order(-np.finfo(np.float32).max), _order(np.finfo(np.float32).max)
    while high - low > 1:
        places = np.unique(np.linspace(low, high, _PROBES).astype(np.int64))
        found = scores(_number(places))
        first = int(np.argmax(found == found[-1]))
        low, high = places[max(first - 1, 0)], places[first]
        if first == 0:
            break
    return float(_number(np.array([high]))[0])


def _order(number: np.float32) -> int:
    """Place of a float32 among all of them."""
    bits = int(np.float32(number).view(np.int32))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def _number(places: np.ndarray) -> np.ndarray:
    """Inverse of `_order`, ``(n,)``."""
    bits = np.where(places >= 0, places, -places | 0x80000000).astype(np.uint32)
    return bits.view(np.float32)
