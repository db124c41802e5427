"""Numbers most of whose rows have one value, and whose other values a transform squeezes together.

Income from dividends is 0 for nine of ten people. As one number it pulls a field's only direction
between "none" and "some"; quantiles of the rows nearly all fall on the 0. Both lose what the
amount tells (Census-Income in docs/results.md has what that costs).
"""

from dataclasses import dataclass

import numpy as np

from mtlx.pipeline.log_check.collected_rows import CollectedRows
from mtlx.transform.contract.features import NumericFeature

#: Share of the rows with a number that one value has to hold.
_SHARE = 0.25
#: How often the next value may occur, as a share of that. In counts and codes, frequencies fall
#: step by step; where they do, the value is not out of proportion.
_NEXT = 0.1
#: Other values that have to occur: fewer are codes, or counts, which one number tells apart.
_FEWEST_OTHERS = 32
#: Buckets that are recommended at most.
_MOST_BUCKETS = 100


@dataclass(frozen=True)
class ZeroInflation:
    """A number that should be cut by its distinct values.

    Attributes:
        feature: its name.
        value: the one that most rows have.
        share: of the rows that have a number.
        others: other values that occur.
        buckets: that are recommended.
    """

    feature: str
    value: float
    share: float
    others: int
    buckets: int


def find_zero_inflation(rows: CollectedRows) -> list[ZeroInflation]:
    """Looks at every number that is not cut by its distinct values yet."""
    found = []
    for name, column in rows.features.items():
        feature = rows.contract.features[name]
        if not isinstance(feature, NumericFeature) or feature.buckets_of == "distinct":
            continue
        numbers = column.drop_null().to_numpy(zero_copy_only=False)
        values, counts = np.unique(numbers[np.isfinite(numbers)], return_counts=True)
        others = len(values) - 1
        if others < _FEWEST_OTHERS:
            continue
        following, most = np.partition(counts, -2)[-2:]
        share = most / counts.sum()
        if share >= _SHARE and following <= _NEXT * most:
            value = float(values[np.argmax(counts)])
            buckets = min(_MOST_BUCKETS, len(values))
            found.append(ZeroInflation(name, value, float(share), others, buckets))
    return found
