"""Features that are computed from the labels, though none of these by itself.

The product of two labels is 1 where both are, so that it tells each label of few rows only: its
AUC alone is low, and a model that has it beats all that do not have it. What gives such a column
away is that rows with the same labels all have the same value of it.
"""

import numpy as np

from mtlx.pipeline.log_check.collected_rows import CollectedRows
from mtlx.pipeline.log_check.findings.value_codes import code_of_values
from mtlx.transform.contract.features import CategoricalFeature, NumericFeature

#: Share of the rows with the same labels that have the same value.
_SAME = 0.999
#: Labels with fewer rows do not tell whether a value is always the same with them.
_FEWEST_ROWS = 20


def find_label_functions(rows: CollectedRows) -> list[str]:
    """Names of features with a value that follows from the row's labels, and is not constant."""
    labels = np.stack([rows.label(task) for task in rows.contract.tasks], axis=1)
    _, alike = np.unique(labels, axis=0, return_inverse=True)
    alike = alike.reshape(-1)
    return [
        name
        for name, column in rows.features.items()
        if _is_read(rows, name) and _follows(code_of_values(column), alike)
    ]


def _is_read(rows: CollectedRows, name: str) -> bool:
    """Whether the model reads one value of the feature, be it in a cross alone.

    A cross that follows from the labels has no value that does not, so that it is found by those.
    """
    feature = rows.contract.features[name]
    if isinstance(feature, CategoricalFeature):
        return rows.contract.is_asked_for(name)
    return isinstance(feature, NumericFeature)


def _follows(codes: np.ndarray, alike: np.ndarray) -> bool:
    """Whether the code is the same within groups of rows, and differs between some of them."""
    usual = set()
    for group in range(int(alike.max(initial=-1)) + 1):
        own = codes[alike == group]
        if len(own) < _FEWEST_ROWS:
            continue
        counts = np.bincount(own)
        if counts.max() < _SAME * len(own):
            return False
        usual.add(int(counts.argmax()))
    return len(usual) > 1
