"""The SavedModel: transform graph and model in one, from raw examples to probabilities."""

import keras
import tensorflow as tf
import tensorflow_transform as tft

from trainer.serving_contract import write_serving_contract
from transform.data_contract import (
    CategoricalFeature,
    DataContract,
    NumericFeature,
    SequenceFeature,
)

#: Signature for serialised `tf.Example`s; what is evaluated and served.
EXAMPLES_SIGNATURE = "serving_default"
#: Signature for raw tensors, for callers without `tf.Example`.
COLUMNS_SIGNATURE = "serving_columns"


class ServedModel(tf.Module):
    """A trained model behind the transform graph.

    Args:
        model: takes transformed features, gives ``probabilities`` ``(B, T)``.
        transformed: the transform that it was trained on.
        contract: the data contract.
    """

    def __init__(
        self, model: keras.Model, transformed: tft.TFTransformOutput, contract: DataContract
    ) -> None:
        super().__init__()
        self._contract = contract
        # As a part of this module a Keras model would be traced once more by itself, with
        # float32 for every input, ids included. Only its weights must be saved.
        self._model = lambda features: model(features, training=False)
        self._weights = [variable.value for variable in model.variables]
        layer = transformed.transform_features_layer()
        # So would this layer, which is a Keras 2 model, through AutoGraph, for most of the export's
        # time. Only the graph that it has loaded, with its lookup tables, must be saved.
        self._transform = lambda raw: layer(raw)
        self._transform_graph = layer._saved_model_loader_tracked_dict
        # Neither the labels, nor columns of the log that the contract does not name.
        self._raw_spec = {
            name: spec
            for name, spec in transformed.raw_feature_spec().items()
            if name in contract.features
        }

    def save(self, folder: str) -> None:
        """Writes the SavedModel with both signatures, and its contract beside it."""
        # No control flow depends on tensors here, and AutoGraph would take most of the time.
        examples = tf.function(
            self._from_examples,
            autograph=False,
            input_signature=[tf.TensorSpec([None], tf.string, name="examples")],
        )
        columns = tf.function(self._from_columns, autograph=False)
        tf.saved_model.save(
            self,
            folder,
            signatures={
                EXAMPLES_SIGNATURE: examples,
                COLUMNS_SIGNATURE: columns.get_concrete_function(self._column_specs()),
            },
        )
        write_serving_contract(folder, self._contract)

    def _from_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._predict(tf.io.parse_example(examples, self._raw_spec))

    def _from_columns(self, columns: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Raw tensors have the form that parsing would have given."""
        parsed = {}
        for name, spec in self._raw_spec.items():
            values = columns[name]
            if values.shape.rank == 1:
                values = values[:, tf.newaxis]
            if isinstance(spec, tf.io.FixedLenFeature):
                parsed[name] = tf.reshape(values, [-1, *spec.shape])
            else:
                text = values.dtype == tf.string
                present = values != "" if text else tf.math.is_finite(values)
                indices = tf.where(present)
                given = tf.gather_nd(values, indices)
                if given.dtype != spec.dtype:
                    # The logs' reader has made integers of what the contract calls otherwise.
                    convert = tf.strings.to_number if text else tf.cast
                    given = convert(given, spec.dtype)
                parsed[name] = tf.SparseTensor(indices, given, tf.shape(values, tf.int64))
        return self._predict(parsed)

    def _column_specs(self) -> dict[str, tf.TensorSpec]:
        """Strings ``(B,)``, numbers ``(B,)`` float32 (NaN if missing), sequences ``(B, L)``."""
        specs = {}
        for name, feature in self._contract.features.items():
            if isinstance(feature, CategoricalFeature):
                specs[name] = tf.TensorSpec([None], tf.string, name=name)
            elif isinstance(feature, NumericFeature):
                specs[name] = tf.TensorSpec([None], tf.float32, name=name)
            elif isinstance(feature, SequenceFeature):
                specs[name] = tf.TensorSpec([None, None], tf.string, name=name)
        return specs

    def _predict(self, raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        outputs = self._model(self._transform(raw))
        probabilities = tf.cast(outputs["probabilities"], tf.float32)
        return {name: probabilities[:, index] for index, name in enumerate(self._contract.tasks)}
