"""Texts and numbers that stand for missing values in the columns of a log."""

import numpy as np
import pyarrow as pa

from mtlx.components.log_example_gen.values.missing_markers import MissingMarkers
from mtlx.transform.contract.data_contract import DataContract


def _markers(*missing):
    return MissingMarkers(
        DataContract.read(
            {
                "features": {"x": {"kind": "numeric"}},
                "tasks": {"t": {"label": "y"}},
                "missing": list(missing),
            }
        )
    )


def test_missing_texts_become_nulls_and_the_others_stay():
    markers = _markers("n/a")
    text = pa.array(["a", " n/a ", None, "", "N/A", "\t"])
    assert markers.among_texts(text).tolist() == [False, True, True, True, False, True]
    assert markers.without_texts(text).to_pylist() == ["a", None, None, None, "N/A", None]
    whole = pa.array(["a", None])
    assert markers.without_texts(whole) is whole


def test_markers_that_are_numbers_stand_for_the_numbers_as_float32():
    markers = _markers("-1", "0.1", "NULL", "1e99")
    numbers = np.array([-1.0, 0.1, np.float32(0.1), np.nan, 1.0, 1e99, np.inf])
    assert markers.among_numbers(numbers).tolist() == [True, True, True, True, False, False, False]


def test_without_a_marker_only_nan_is_missing():
    assert _markers().among_numbers(np.array([0.0, np.nan, -1.0])).tolist() == [False, True, False]
