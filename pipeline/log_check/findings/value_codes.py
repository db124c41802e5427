"""Numbers that stand for the values of a feature or a cross, one per row."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa


def code_of_values(values: pa.Array) -> np.ndarray:
    """A code per value ``(n,)``, from 0 on; the highest one for a missing value."""
    encoded = values.dictionary_encode()
    codes: np.ndarray = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy()
    return codes


def code_of_values_together(columns: Sequence[pa.Array]) -> np.ndarray:
    """A code per combination of values ``(n,)``, from 1 on; 0 where one of them is missing, which
    is one value of a cross.
    """
    together = np.zeros(len(columns[0]), np.int64)
    missing = np.zeros(len(columns[0]), bool)
    for values in columns:
        codes = code_of_values(values)
        missing |= values.is_null().to_numpy(zero_copy_only=False)
        pairs = together * (int(codes.max(initial=0)) + 1) + codes
        # Counted anew after each, so that no product of many counts can overflow.
        together = np.unique(pairs, return_inverse=True)[1].reshape(-1)
    return np.where(missing, 0, together + 1)
