"""The TFT ``preprocessing_fn``: from raw examples to ids and numbers, by the data contract."""

import os

# Set before TFT is imported, which otherwise makes Keras 2 the Keras of the whole process.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")

import tensorflow as tf  # noqa: E402
import tensorflow_transform as tft  # noqa: E402

from mtlx.transform.analysis.analysis import Analysis  # noqa: E402
from mtlx.transform.analysis.finished_analysis import FinishedAnalysis  # noqa: E402
from mtlx.transform.analysis.tft_analysis import Inputs, TFTAnalysis  # noqa: E402
from mtlx.transform.columns.domain_values import domain_index, domain_text, gathered  # noqa: E402
from mtlx.transform.columns.missing_values import (  # noqa: E402
    as_numbers,
    as_texts,
    is_missing,
    plain_texts,
)
from mtlx.transform.contract import model_inputs  # noqa: E402
from mtlx.transform.contract.contract_property import contract_of  # noqa: E402
from mtlx.transform.contract.data_contract import DataContract  # noqa: E402
from mtlx.transform.contract.features import (  # noqa: E402
    CategoricalFeature,
    NumericFeature,
    NumericTransform,
    SequenceFeature,
)
from mtlx.transform.contract.rows.weight import ROW_WEIGHT  # noqa: E402


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
        ``(B, max_length)`` int64; a number in several forms by the names of its fields;
        ``domain_id`` ``(B,)`` int64; by label column the labels ``(B,)`` int64, of regressions
        float32; by their names the weights ``(B,)`` float32.

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
        if isinstance(feature, CategoricalFeature):
            if feature.embed:
                values = _scalars(inputs[name], "")
                outputs[name] = _ids(values, name, contract, analysis)
        elif isinstance(feature, NumericFeature):
            outputs |= {
                field: _number(inputs[name], name, feature, transform, analysis)
                for field, transform in feature.fields(name).items()
            }
        elif feature.beside is None:
            outputs |= _sequence(inputs, name, contract, analysis)
    outputs[model_inputs.DOMAIN_ID] = _domain_id(inputs, contract)
    for task in contract.tasks.values():
        key = task.label_key
        if key in inputs:
            kind = tf.float32 if task.is_regression else tf.int64
            outputs[key] = _label(inputs[key], key, kind)
    return outputs | _weights(inputs, contract, outputs[model_inputs.DOMAIN_ID])


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
    return found


def _typed(
    x: tf.Tensor | tf.SparseTensor, name: str, contract: DataContract, finished: bool
) -> tf.Tensor | tf.SparseTensor:
    """A feature's type by the contract: readers other than ours go by how the values look.

    What stands for a missing value becomes an empty text, or NaN. Only texts that are looked up in
    a vocabulary which is `finished` stay as they are: `_ids` finds out.
    """
    feature = contract.features.get(name)
    if feature is None:
        return x
    if isinstance(feature, NumericFeature):
        values = as_numbers(_values(x), contract)
    elif finished and _vocabulary_of(name, contract).hash_buckets is None:
        values = plain_texts(_values(x))
    else:
        values = as_texts(_values(x), contract)
    return _with_values(x, values)


def _vocabulary_of(name: str, contract: DataContract) -> CategoricalFeature:
    """The categorical feature whose ids a feature's values get: itself, or that of its items."""
    feature = contract.features[name]
    item = feature.item if isinstance(feature, SequenceFeature) else name
    return contract.categorical(item)


def _values(x: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    return x.values if isinstance(x, tf.SparseTensor) else x


def _with_values(x: tf.Tensor | tf.SparseTensor, values: tf.Tensor) -> tf.Tensor | tf.SparseTensor:
    """The same places with other values."""
    return x.with_values(values) if isinstance(x, tf.SparseTensor) else values


def _scalars(x: tf.Tensor | tf.SparseTensor, missing: str | float | tf.Tensor) -> tf.Tensor:
    """One value per row, ``(B,)``, `missing` where there is none."""
    if isinstance(x, tf.SparseTensor):
        one_column = tf.SparseTensor(x.indices, x.values, [x.dense_shape[0], 1])
        return tf.sparse.to_dense(one_column, default_value=missing)[:, 0]
    return tf.reshape(x, [-1])


def _label(x: tf.Tensor | tf.SparseTensor, name: str, kind: tf.DType) -> tf.Tensor:
    """Labels, or weights, ``(B,)``. Readers other than ours let rows without one through, which are
    no zeros.
    """
    labels = _scalars(x, tf.constant(0, kind))
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


def _ids(values: tf.Tensor, name: str, contract: DataContract, analysis: Analysis) -> tf.Tensor:
    """Ids of strings of any shape, of a feature or of the items of a sequence."""
    feature = contract.categorical(name)
    if feature.hash_buckets is not None:
        ids = tf.strings.to_hash_bucket_fast(values, feature.hash_buckets)
        ids += model_inputs.FIRST_VALUE_ID
        missing = tf.constant(model_inputs.MISSING_ID, tf.int64)
        return tf.where(tf.equal(values, ""), missing, ids)
    # Both the vocabulary's place -1 and OUT_OF_VOCABULARY_ID are one below the first value.
    ids = analysis.lookup(name, values) + model_inputs.FIRST_VALUE_ID
    # No vocabulary holds what stands for a missing value: so only the few values that one does not
    # hold are asked. To ask all was a fifth of what a served row with sequences costs.
    unknown = tf.where(tf.equal(ids, model_inputs.OUT_OF_VOCABULARY_ID))
    texts = tf.gather_nd(values, unknown)
    missing = tf.boolean_mask(unknown, is_missing(texts, contract))
    updates = tf.fill([tf.shape(missing)[0]], tf.constant(model_inputs.MISSING_ID, tf.int64))
    return tf.tensor_scatter_nd_update(ids, missing, updates)


def _number(
    x: tf.Tensor | tf.SparseTensor,
    name: str,
    feature: NumericFeature,
    transform: NumericTransform,
    analysis: Analysis,
) -> tf.Tensor:
    """A number after one of its transforms, 0 where it is missing; or its quantile bucket's id.

    What is not finite counts as missing, as it does for the analysis. What lies outside the
    training split's range becomes the nearest end of it, unless the feature says otherwise.
    """
    value = tf.cast(_scalars(x, float("nan")), tf.float32)
    # Infinity included: it would make every output of the row NaN.
    missing = tf.logical_not(tf.math.is_finite(value))
    if transform == "quantile_buckets":
        boundaries = tf.sort(analysis.summary(name).boundaries)[tf.newaxis]
        bucket = tft.apply_buckets(tf.where(missing, 0.0, value), boundaries)
        return tf.where(
            missing,
            tf.constant(model_inputs.MISSING_ID, tf.int64),
            bucket + model_inputs.FIRST_VALUE_ID,
        )
    if feature.clip == "training_range":
        summary = analysis.summary(name)
        value = tf.clip_by_value(value, summary.minimum, summary.maximum)
    if transform == "zscore":
        summary = analysis.summary(name)
        value = tf.math.divide_no_nan(value - summary.mean, summary.deviation)
    elif transform == "min_max":
        summary = analysis.summary(name)
        spread = summary.maximum - summary.minimum
        value = tf.clip_by_value(tf.math.divide_no_nan(value - summary.minimum, spread), 0.0, 1.0)
    elif transform == "log":
        value = tf.sign(value) * tf.math.log1p(tf.abs(value))
    return tf.where(missing, 0.0, value)


def _sequence(
    inputs: Inputs, name: str, contract: DataContract, analysis: Analysis
) -> dict[str, tf.Tensor]:
    """Ids ``(B, max_length)``: the most recent behaviours, oldest first, padded right.

    A sequence with several values per behaviour gives as many outputs, aligned; a value that is
    missing among others of its behaviour has the id of a missing value.
    """
    parts, outputs, ids = contract.parts(name), {}, []
    for part in parts:
        item = contract.sequence(part).item
        ids.append(
            _with_values(inputs[part], _ids(_values(inputs[part]), item, contract, analysis))
        )
    items = [_items(ids[0])] if len(parts) == 1 else _aligned_items(ids)
    for part, ragged in zip(parts, items, strict=True):
        length = contract.sequence(part).max_length
        padded = ragged[:, -length:].to_tensor(
            default_value=model_inputs.PADDING_ID, shape=[None, length]
        )
        outputs[part] = tf.ensure_shape(padded, [None, length])
    return outputs


def _items(ids: tf.Tensor | tf.SparseTensor) -> tf.RaggedTensor:
    """The items of a sequence; those without a value tell nothing, but would take places."""
    kept = tf.not_equal(_values(ids), model_inputs.MISSING_ID)
    if isinstance(ids, tf.SparseTensor):
        rows, count = tf.boolean_mask(ids.indices[:, 0], kept), ids.dense_shape[0]
    else:
        rows, count = tf.where(kept)[:, 0], tf.shape(ids, tf.int64)[0]
    # A sparse tensor's rows are in order; to check it made a third of the traced graph.
    return tf.RaggedTensor.from_value_rowids(
        tf.boolean_mask(_values(ids), kept), rows, nrows=count, validate=False
    )


def _aligned_items(parts: list[tf.Tensor | tf.SparseTensor]) -> list[tf.RaggedTensor]:
    """The values of behaviours, beside each other; a behaviour without any is left out."""
    nothing = tf.constant(model_inputs.MISSING_ID, tf.int64)
    dense = [
        tf.sparse.to_dense(ids, default_value=nothing) if isinstance(ids, tf.SparseTensor) else ids
        for ids in parts
    ]
    width = tf.reduce_max(tf.stack([tf.shape(values)[1] for values in dense]))
    dense = [
        tf.pad(values, [[0, 0], [0, width - tf.shape(values)[1]]], constant_values=nothing)
        for values in dense
    ]
    there = tf.reduce_any(tf.not_equal(tf.stack(dense), nothing), axis=0)  # (B, L)
    places = tf.where(there)
    return [
        tf.RaggedTensor.from_value_rowids(
            tf.gather_nd(values, places),
            places[:, 0],
            nrows=tf.shape(values, tf.int64)[0],
            validate=False,
        )
        for values in dense
    ]


def _domain_id(inputs: Inputs, contract: DataContract) -> tf.Tensor:
    """Index of the row's domain, or of what `Domain.unknown` says of a value without one."""
    if contract.domain is None:
        some = inputs[next(iter(contract.features))]
        rows = some.dense_shape[0] if isinstance(some, tf.SparseTensor) else tf.shape(some)[0]
        return tf.zeros([rows], tf.int64)
    return domain_index(domain_text(inputs[contract.domain.feature]), contract.domain)
