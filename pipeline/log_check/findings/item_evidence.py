"""What the items of lists tell of a label: say a tag that is only written afterwards."""

import numpy as np
import pyarrow as pa

#: Rows' worth of the mean rate that an item's own is mixed with.
_PRIOR = 10.0


class ItemEvidence:
    """The items of lists, by the row that holds them.

    Args:
        lists: ``(n,)`` lists of texts.
    """

    def __init__(self, lists: pa.LargeListArray) -> None:
        lengths = np.diff(lists.offsets.to_numpy())
        encoded = lists.flatten().dictionary_encode()
        self._rows = len(lists)
        self._owner = np.repeat(np.arange(self._rows), lengths)
        self._codes = encoded.indices.to_numpy(zero_copy_only=False)
        self._size = len(encoded.dictionary)

    def of(self, label: np.ndarray, learnt: np.ndarray) -> np.ndarray:
        """Sum of the log odds of each row's items over those of all rows (naive Bayes).

        Args:
            label: ``(n,)`` bool.
            learnt: ``(n,)`` bool, rows that the odds are learnt on.

        Returns:
            ``(n,)`` float64; 0 for a row without items.
        """
        base = label[learnt].mean() if learnt.any() else 0.5
        own = learnt[self._owner]
        codes = self._codes[own]
        rows = np.bincount(codes, minlength=self._size)
        positives = np.bincount(codes, label[self._owner[own]], minlength=self._size)
        rate = (positives + _PRIOR * base) / (rows + _PRIOR)
        rate, base = np.clip(rate, 1e-6, 1 - 1e-6), np.clip(base, 1e-6, 1 - 1e-6)
        odds = np.log(rate / (1 - rate)) - np.log(base / (1 - base))
        return np.bincount(self._owner, odds[self._codes], minlength=self._rows)
