"""The TFT ``preprocessing_fn``: from raw examples to ids and numbers, by the data contract."""

import os

# Set before TFT is imported, which otherwise makes Keras 2 the Keras of the whole process.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")

import tensorflow as tf  # noqa: E402

from mtlx.transform.analysis.analysis import Analysis  # noqa: E402
from mtlx.transform.analysis.finished_analysis import FinishedAnalysis  # noqa: E402
from mtlx.transform.analysis.tft_analysis import Inputs, TFTAnalysis  # noqa: E402
from mtlx.transform.columns.domain_values import domain_index, domain_text, gathered  # noqa: E402
from mtlx.transform.columns.missing_values import (  # noqa: E402
    as_numbers,
    as_texts,
    plain_numbers,
    plain_texts,
)
from mtlx.transform.columns.served_alike import rows_of, served_alike, spec_of  # noqa: E402
from mtlx.transform.contract import model_inputs  # noqa: E402
from mtlx.transform.contract.contract_property import contract_of  # noqa: E402
from mtlx.transform.contract.data_contract import DataContract  # noqa: E402
from mtlx.transform.contract.rows.weight import DRAWN_WEIGHT, ROW_WEIGHT  # noqa: E402
from mtlx.transform.fields import FIELDS  # noqa: E402
from mtlx.transform.fields.cross import cross, served_cross  # noqa: E402
from mtlx.transform.fields.raw import scalars, values_of, with_values  # noqa: E402


def preprocessing_fn(inputs: Inputs, custom_config: dict[str, str]) -> dict[str, tf.Tensor]:
    """What the stock Transform calls: `preprocess` with TFT's own analyzers.

    Args:
        inputs: see `preprocess`.
        custom_config: holds the data contract, see `mtlx.transform.contract.contract_property`.

    Returns:
        See `preprocess`.

    Raises:
        ValueError: the schema lacks features of the contract.
    """
    return preprocess(inputs, contract_of(custom_config))


def preprocess(
    inputs: Inputs, contract: DataContract, analysis_folder: str | None = None
) -> dict[str, tf.Tensor]:
    """Turns raw features into model inputs; traced by TFT, so the same graph serves.

    Args:
        inputs: raw features by name, sparse or dense; labels are absent in serving.
        contract: the data contract.
        analysis_folder: of an analysis that is done; None for TFT's own analyzers.

    Returns:
        By feature name: ids ``(B,)`` int64, numbers ``(B,)`` float32, sequences
        ``(B, max_length)`` int64, several values ``(B, max_values)`` int64 and their weights
        float32, vectors ``(B, size)`` float32; a number in several forms by the names of its
        fields; crosses ``(B,)`` int64, those of a feature that is known only when training twice,
        see `DataContract.served_cross`; ``domain_id`` ``(B,)`` int64; by label column the labels
        ``(B,)`` int64, of regressions float32; by their names the weights ``(B,)`` float32.

    Raises:
        ValueError: the schema lacks features of the contract.
    """
    absent = [name for name in contract.features if name not in inputs]
    if absent:
        raise ValueError(
            f"the schema lacks features {absent} of the data contract: they have no value in the "
            "rows that it was inferred from, or it is of another contract. Take them out of "
            "'features', or correct their 'column' or the schema"
        )
    finished = analysis_folder is not None
    fixed = _served_alike(inputs, contract)
    inputs = {name: _typed(x, name, contract, finished) for name, x in inputs.items()}
    if contract.domain is not None and contract.domain.other is not None:
        values = domain_text(inputs[contract.domain.feature])
        inputs[contract.domain.feature] = gathered(values, contract.domain)
    analysis: Analysis = (
        TFTAnalysis(contract, inputs)
        if analysis_folder is None
        else FinishedAnalysis(analysis_folder)
    )
    outputs: dict[str, tf.Tensor] = {}
    for name, feature in contract.features.items():
        outputs |= FIELDS[type(feature)](inputs, name, contract, analysis)
    for name in contract.crosses:
        outputs |= cross(inputs, name, contract)
        outputs |= served_cross({**inputs, **fixed}, name, contract)
    outputs[model_inputs.DOMAIN_ID] = _domain_id(inputs, contract)
    for task in contract.tasks.values():
        key = task.label_key
        if key in inputs:
            kind = tf.float32 if task.is_regression else tf.int64
            outputs[key] = _label(inputs[key], key, kind)
    return outputs | _weights(inputs, contract, outputs[model_inputs.DOMAIN_ID])


def _served_alike(inputs: Inputs, contract: DataContract) -> Inputs:
    """Raw features that a served model is not given, as it takes them."""
    if not contract.training_only:
        return {}
    specs = {name: spec_of(inputs[name]) for name in contract.training_only}
    fixed = served_alike(contract, specs, rows_of(inputs[next(iter(contract.features))]))
    return {name: _typed(x, name, contract, False) for name, x in fixed.items()}


def _weights(inputs: Inputs, contract: DataContract, rows: tf.Tensor) -> dict[str, tf.Tensor]:
    """Weights ``(B,)`` that are there; 1 for all rows where the training alone gives them others.

    Args:
        inputs: raw features.
        contract: the data contract.
        rows: anything ``(B,)``.
    """
    there = [name for name in contract.weight_columns if name in inputs]
    found = {name: _label(inputs[name], name, tf.float32) for name in there}
    if contract.weighs_rows and ROW_WEIGHT not in contract.weight_columns:
        found[ROW_WEIGHT] = tf.ones_like(rows, tf.float32)
    if contract.sampling is not None and contract.sampling.corrects_logit:
        found[DRAWN_WEIGHT] = tf.ones_like(rows, tf.float32)
    return found


def _typed(
    x: tf.Tensor | tf.SparseTensor, name: str, contract: DataContract, finished: bool
) -> tf.Tensor | tf.SparseTensor:
    """A feature's type by the contract: readers other than ours go by how the values look.

    What stands for a missing value becomes an empty text, or NaN. Only texts that are looked up in
    a vocabulary which is `finished` stay as they are: `ids_of` finds out.
    """
    feature = contract.features.get(name)
    if feature is None:
        return x
    of = feature.vocabulary_of(name)
    if of is None and feature.takes_one:
        values = as_numbers(values_of(x), contract)
    elif of is None:
        values = plain_numbers(values_of(x))  # No number of a vector is a marker.
    elif finished and contract.ids(of).hash_buckets is None:
        values = plain_texts(values_of(x))
    else:
        values = as_texts(values_of(x), contract)
    return with_values(x, values)


def _label(x: tf.Tensor | tf.SparseTensor, name: str, kind: tf.DType) -> tf.Tensor:
    """Labels, or weights, ``(B,)``. Readers other than ours let rows without one through, which are
    no zeros.
    """
    labels = scalars(x, tf.constant(0, kind))
    if not isinstance(x, tf.SparseTensor):
        return labels
    there = tf.debugging.assert_equal(
        tf.size(x.values, tf.int64),
        x.dense_shape[0],
        # TensorFlow would write quotes with backslashes.
        f"rows without a value of label {name}: give it to them, or read them with "
        "components.example_gen: log and data.missing_label: quarantine",
    )
    with tf.control_dependencies([there] if there is not None else []):
        return tf.identity(labels)


def _domain_id(inputs: Inputs, contract: DataContract) -> tf.Tensor:
    """Index of the row's domain, or of what `Domain.unknown` says of a value without one."""
    if contract.domain is None:
        some = inputs[next(iter(contract.features))]
        rows = some.dense_shape[0] if isinstance(some, tf.SparseTensor) else tf.shape(some)[0]
        return tf.zeros([rows], tf.int64)
    return domain_index(domain_text(inputs[contract.domain.feature]), contract.domain)
