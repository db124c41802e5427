"""The transformed features that a model is given: which it reads, and rows to build it on."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from mtlx.trainer.layers.shared_rows import for_rows_of
from mtlx.transform.contract.model_inputs import DOMAIN_ID, ModelInputs

Features = Mapping[str, keras.KerasTensor]


def used_features(record: ModelInputs, features: Features) -> dict[str, keras.KerasTensor]:
    """The fields and sequences of a record among all features.

    Raises:
        ValueError: one is missing, or "domain_id" where there are several domains.
    """
    missing = [name for name in record.keys if name not in features]
    if len(record.domains) > 1 and DOMAIN_ID not in features:
        missing.append(DOMAIN_ID)
    if missing:
        raise ValueError(
            f"features {missing} are missing from the model's input; it has {sorted(features)}"
        )
    return {name: features[name] for name in record.keys}


def domains_of(features: Features, rows: keras.KerasTensor) -> keras.KerasTensor:
    """The rows' domains ``(B,)`` int64; zeros where the features hold none."""
    if DOMAIN_ID in features:
        return for_rows_of(ops.cast(features[DOMAIN_ID], "int64"), rows)
    return ops.zeros(ops.shape(rows)[:1], dtype="int64")


def two_empty_rows(record: ModelInputs) -> dict[str, np.ndarray]:
    """Features of two rows, of zeros, on which a model's weights come to exist."""
    rows: dict[str, np.ndarray] = {DOMAIN_ID: np.zeros(2, "int64")}
    rows.update({field.name: np.zeros(2, "int64") for field in record.categorical})
    rows.update({field.name: np.zeros(2, "float32") for field in record.numeric})
    for field in record.sequences:
        rows |= {key: np.zeros((2, field.max_length), "int64") for key in field.keys}
    for several in record.multiple:
        rows[several.name] = np.zeros((2, several.max_values), "int64")
        if several.weights is not None:
            rows[several.weights] = np.zeros((2, several.max_values), "float32")
    rows.update({vector.name: np.zeros((2, vector.size), "float32") for vector in record.vectors})
    return rows
