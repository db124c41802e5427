"""Hashes of columns that are the same in every process, vectorised."""

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def _mix(values: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64: every input bit changes every output bit."""
    with np.errstate(over="ignore"):
        values = values + _GOLDEN
        values = (values ^ (values >> np.uint64(30))) * _FIRST
        values = (values ^ (values >> np.uint64(27))) * _SECOND
        return values ^ (values >> np.uint64(31))


def uniform(values: np.ndarray, seed: int) -> np.ndarray:
    """Hashes values to [0, 1).

    Args:
        values: ``(n,)`` integers or texts (object array); equal values have equal hashes.
        seed: another seed gives another, independent hash.

    Returns:
        ``(n,)`` float64.
    """
    if values.dtype.kind in "iu":
        keys = values.astype(np.uint64)
    else:
        # Here, since every command imports this module and few hash anything: pandas is a third
        # of their start.
        import pandas as pd

        keys = pd.util.hash_array(values.astype(object))
    salt = _mix(np.array([seed % (1 << 64)], np.uint64))
    # 53 bits are what a float64 holds exactly.
    return (_mix(keys ^ salt) >> np.uint64(11)).astype(np.float64) / (1 << 53)
