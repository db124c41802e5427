"""The SavedModel: transform graph and model in one, from raw examples to probabilities."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from mtlx.trainer.model.scorer import Scorer
from mtlx.trainer.serving.list_checks import sound_weights, whole_vectors
from mtlx.trainer.serving.request_checks import (
    aligned_sequences,
    equal_lengths,
    listed_domains,
    single_values,
    whole_examples,
)
from mtlx.trainer.serving.request_sides import RequestSides
from mtlx.trainer.serving.served_counts import ServedCounts
from mtlx.trainer.serving.serving_contract import write_serving_contract
from mtlx.trainer.serving.signatures import (
    COLUMNS_SIGNATURE,
    COUNTS_SIGNATURE,
    EXAMPLES_SIGNATURE,
    REQUEST_SIGNATURE,
)
from mtlx.trainer.serving.training_ranges import (
    Raw,
    Transform,
    largest_weights,
    training_ranges,
)
from mtlx.trainer.serving.transform_graph import TransformGraph
from mtlx.transform.columns.missing_values import is_missing
from mtlx.transform.columns.served_alike import rows_of, served_alike, typed
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import VectorFeature


class ServedModel(tf.Module):
    """A trained model behind the transform graph.

    Args:
        model: takes transformed features, gives ``probabilities`` ``(B, T)``.
        transformed: the transform that it was trained on.
        contract: the data contract. What it knows only when training is neither asked for nor
            read: every row has the value that `serve_as` says, or none.
    """

    def __init__(
        self, model: Scorer, transformed: tft.TFTransformOutput, contract: DataContract
    ) -> None:
        super().__init__()
        self._contract = contract.served
        # As a part of this module a Keras model would be traced once more by itself, with
        # float32 for every input, ids included. Only its weights must be saved.
        self._model: Callable[[Mapping[str, tf.Tensor]], Mapping[str, tf.Tensor]] = (
            lambda features: model(features, training=False)
        )
        self._weights = [variable.value for variable in model.variables]
        graph = TransformGraph(transformed)
        # So would TFT's layer, a Keras 2 model, through AutoGraph, for most of the export's time.
        # Only the graph that it has loaded, with its lookup tables, must be saved.
        self._transform_graph = graph
        self._transform: Transform = lambda raw: graph({**raw, **self._not_asked_for(raw)})
        self._whole_transform: Transform = lambda raw: graph.layer(
            {**raw, **self._not_asked_for(raw)}
        )
        self._transform_resources = graph.resources
        # Neither the labels, nor columns of the log that the contract does not name.
        specs = transformed.raw_feature_spec()
        self._raw_spec = {n: spec for n, spec in specs.items() if n in self._contract.features}
        self._whole, self._specs = contract, specs
        self._aligned = [*self._contract.behaviours, *self._contract.weighted]
        self._vectors = {
            name: feature.size
            for name, feature in self._contract.features.items()
            if isinstance(feature, VectorFeature)
        }

    def save(self, folder: str) -> None:
        """Writes the SavedModel with its signatures, and its contract beside it."""
        # No control flow of Python depends on tensors here, and AutoGraph would take most of the
        # time. Both signatures call one function, so that transform and model are traced, written
        # and loaded once; a concrete one, since others are traced anew while they are saved.
        types = self._raw_types()
        predict = tf.function(self._predict, autograph=False).get_concrete_function(types)
        examples = tf.function(
            lambda examples: predict(self._parsed_examples(examples)),
            autograph=False,
            input_signature=[tf.TensorSpec([None], tf.string, name="examples")],
        )
        # Two signatures read the same columns.
        specs = self._column_specs()
        parsed = tf.function(self._parsed_columns, autograph=False).get_concrete_function(specs)
        columns = tf.function(lambda columns: predict(parsed(columns)), autograph=False)
        whole = self._whole_transform
        ranges = training_ranges(self._contract, whole, self._alone)
        largest = largest_weights(self._contract, whole, self._alone)
        counts = ServedCounts(self._contract, whole, ranges, largest)
        counting = tf.function(lambda columns: counts(parsed(columns)), autograph=False)
        signatures = {
            EXAMPLES_SIGNATURE: examples,
            COLUMNS_SIGNATURE: columns.get_concrete_function(specs),
            COUNTS_SIGNATURE: counting.get_concrete_function(specs),
        }
        if self._contract.request_features:
            request = tf.function(self._predict_request, autograph=False)
            signatures[REQUEST_SIGNATURE] = request.get_concrete_function(specs)
        tf.saved_model.save(self, folder, signatures=signatures)
        write_serving_contract(folder, self._contract)

    def features(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """What the model reads of serialised raw examples ``(B,)``: its inputs by name."""
        return dict(self._transformed(self._parsed_examples(examples)))

    def _parsed_examples(self, examples: tf.Tensor) -> Raw:
        parsed = tf.io.parse_example(whole_examples(examples), self._parsing_spec())
        parsed = aligned_sequences(parsed, self._aligned)
        return self._checked_lists(parsed)

    def _checked_lists(self, parsed: dict[str, tf.Tensor | tf.SparseTensor]) -> Raw:
        """Refuses weights and vectors that no row of the log could have had."""
        parsed = sound_weights(parsed, [of for of in self._contract.weighted if of[0] in parsed])
        sizes = {name: size for name, size in self._vectors.items() if name in parsed}
        return whole_vectors(parsed, sizes, {n for n in sizes if _is_dense(self._raw_spec[n])})

    def _parsing_spec(self) -> dict[str, tf.io.FixedLenFeature | tf.io.VarLenFeature]:
        """What a schema takes for always present may still be missing in a request."""
        missing = {tf.string: "", tf.float32: float("nan")}
        return {
            name: tf.io.VarLenFeature(spec.dtype)
            if name in self._vectors  # A wrong length is told by `whole_vectors`.
            else tf.io.FixedLenFeature(
                spec.shape, spec.dtype, np.full(spec.shape, missing[spec.dtype]).tolist()
            )
            if isinstance(spec, tf.io.FixedLenFeature) and spec.dtype in missing
            else spec
            for name, spec in self._raw_spec.items()
        }

    def _parsed_columns(self, columns: dict[str, tf.Tensor]) -> Raw:
        """Raw tensors, of some features, in the form that parsing examples would have given."""
        aligned = [names for names in self._aligned if names[0] in columns]
        columns = aligned_sequences(equal_lengths(columns), aligned)
        parsed: dict[str, tf.Tensor | tf.SparseTensor] = {}
        every_row: tf.SparseTensor | None = None
        for name, values in columns.items():
            spec = self._raw_spec[name]
            if self._may_hold_missing(name, values):
                # The graph knows what is missing: to leave it out were seven operations a feature.
                every_row = _one_a_row(values) if every_row is None else every_row
                parsed[name] = every_row.with_values(values)
                continue
            if values.shape.rank == 1:
                values = values[:, tf.newaxis]
            if _is_dense(spec) and name not in self._vectors:
                parsed[name] = tf.reshape(typed(values, spec.dtype), [-1, *spec.shape])
            else:
                text = values.dtype == tf.string
                present = ~is_missing(values, self._contract) if text else tf.math.is_finite(values)
                indices = tf.where(present)
                given = typed(tf.gather_nd(values, indices), spec.dtype)
                parsed[name] = tf.SparseTensor(indices, given, tf.shape(values, tf.int64))
        return self._checked_lists(parsed)

    def _may_hold_missing(self, name: str, values: tf.Tensor) -> bool:
        """Whether a column can be given as it is; a domain is matched as it is written."""
        spec, domain = self._raw_spec[name], self._contract.domain
        plain = self._contract.features[name].takes_one and values.dtype == spec.dtype
        return plain and not _is_dense(spec) and (domain is None or domain.feature != name)

    def _raw_types(self) -> dict[str, tf.TypeSpec]:
        """Of `Raw`, for any number of rows."""
        return {
            name: tf.TensorSpec([None, *spec.shape], spec.dtype)
            if _is_dense(spec)
            else tf.SparseTensorSpec([None, None], spec.dtype)
            for name, spec in self._raw_spec.items()
        }

    def _column_specs(self) -> dict[str, tf.TensorSpec]:
        """Strings ``(B,)``, numbers ``(B,)`` float32 (NaN if missing), lists ``(B, L)``."""
        types = {"text": tf.string, "number": tf.float32}
        return {
            name: tf.TensorSpec(
                [None] if feature.takes_one else [None, None], types[feature.holds], name=name
            )
            for name, feature in self._contract.features.items()
        }

    def _alone(self, values: Mapping[str, np.ndarray]) -> Raw:
        """Inputs of the transform graph with the values of some features, and nothing else."""
        rows = len(next(iter(values.values())))
        specs = self._column_specs()
        columns = {
            name: tf.zeros([rows] + [0] * (spec.shape.rank - 1), spec.dtype)
            for name, spec in specs.items()
        }
        given = {name: tf.constant(column, specs[name].dtype) for name, column in values.items()}
        return self._parsed_columns({**columns, **given})

    def _not_asked_for(self, raw: Raw) -> Raw:
        """What is known only when training."""
        return served_alike(self._whole, self._specs, rows_of(next(iter(raw.values()))))

    def _checked(self, raw: Raw) -> Raw:
        """Refuses unlisted domains, and several values where one belongs."""
        domain = self._contract.domain
        if domain is not None and domain.feature in raw:
            raw = listed_domains(raw, domain)
        features = self._contract.features.items()
        single = [name for name, feature in features if feature.takes_one and name in raw]
        return single_values(raw, single)

    def _transformed(self, raw: Raw) -> Mapping[str, tf.Tensor]:
        return self._transform(self._checked(raw))

    def _predict(self, raw: Raw) -> dict[str, tf.Tensor]:
        outputs = self._model(self._transformed(raw))
        probabilities = tf.cast(outputs["probabilities"], tf.float32)
        return {name: probabilities[:, index] for index, name in enumerate(self._contract.tasks)}

    def _predict_request(self, columns: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """A probability ``(n,)`` per task for n items, of what is said of the request once."""
        sides = RequestSides(
            self._whole,
            self._specs,
            lambda some: self._checked(self._parsed_columns(some)),
            self._transform_graph,
        )
        probabilities = self._model(sides(columns))["probabilities"]
        items = next(values for name, values in columns.items() if name not in sides.names)
        # One row where the model reads nothing of an item.
        shape = [tf.shape(items)[0], len(self._contract.tasks)]
        probabilities = tf.broadcast_to(tf.cast(probabilities, tf.float32), shape)
        return {name: probabilities[:, index] for index, name in enumerate(self._contract.tasks)}


def _one_a_row(values: tf.Tensor) -> tf.SparseTensor:
    """Values ``(B,)`` as those of rows ``(B, 1)``, all of them."""
    rows = tf.shape(values, tf.int64)[0]
    indices = tf.stack([tf.range(rows), tf.zeros([rows], tf.int64)], axis=1)
    return tf.SparseTensor(indices, values, tf.stack([rows, 1]))


def _is_dense(spec: tf.io.FixedLenFeature | tf.io.VarLenFeature) -> bool:
    return isinstance(spec, tf.io.FixedLenFeature)
