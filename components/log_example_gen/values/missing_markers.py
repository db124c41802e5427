"""Missing values in Arrow columns, by the data contract's markers."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mtlx.transform.contract.data_contract import DataContract


class MissingMarkers:
    """Finds the texts and numbers that stand for missing values.

    `mtlx.transform.columns.missing_values` does the same in the served model.

    Args:
        contract: the data contract.
    """

    def __init__(self, contract: DataContract) -> None:
        self._texts = pa.array(contract.missing, pa.string())
        self._numbers = np.array(contract.missing_numbers, np.float32)

    def among_texts(self, text: pa.Array) -> np.ndarray:
        """``(n,)`` bool: nulls, and texts that are a marker but for blanks at their ends."""
        bare = pc.ascii_trim_whitespace(text)
        found = pc.is_in(bare, value_set=self._texts, skip_nulls=True)
        return found.to_numpy(zero_copy_only=False) | _nulls(text)

    def without_texts(self, text: pa.Array) -> pa.Array:
        """The texts with nulls where they are missing."""
        missing = self.among_texts(text)
        if missing.sum() == text.null_count:
            return text
        return pc.if_else(pa.array(missing), pa.scalar(None, text.type), text)

    def among_numbers(self, number: np.ndarray) -> np.ndarray:
        """``(n,)`` bool: NaN, and numbers that a marker stands for, as float32 has them."""
        missing = np.isnan(number)
        if self._numbers.size:
            with np.errstate(over="ignore"):
                missing |= np.isin(number.astype(np.float32), self._numbers)
        return missing


def _nulls(values: pa.Array) -> np.ndarray:
    if values.null_count == 0:
        return np.zeros(len(values), bool)
    return values.is_null().to_numpy(zero_copy_only=False)
