"""The first stage of every model: features become fields of equal width."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from transform.model_inputs import OUT_OF_VOCABULARY_ID, PADDING_ID, ModelInputs


class EmbeddedFeatures(NamedTuple):
    """What the embedding gives.

    Attributes:
        fields: ``(B, C + N, k)``: the C categorical fields, then the N numeric ones.
        field_ids: ``(B, C)`` int64, ids of the categorical fields.
        sequences: name to ``(B, L, k)``.
        masks: name to ``(B, L)`` bool, true at real positions.
        target: ``(B, k)``, the target item's field, or None.
    """

    fields: keras.KerasTensor
    field_ids: keras.KerasTensor
    sequences: dict[str, keras.KerasTensor]
    masks: dict[str, keras.KerasTensor]
    target: keras.KerasTensor | None


class FieldEmbedding(keras.layers.Layer):
    """Embeds all features with one lookup in one table.

    The tables of the categorical fields lie behind each other in one ``(ids, k)`` weight, with
    an offset per field; a sequence reads the rows of the field whose vocabulary it shares. An id
    outside of its field's range counts as out of vocabulary: it must not read another field's
    row. A numeric field i is x·v_i + b_i. Row 0 of a field is padding's and is always masked.

    Embeddings start from N(0, 0.01), as in AITM's public code (Xi 2021).

    Args:
        inputs: the features.
        size: k.

    Attributes:
        look_up: takes the table and rows ``(...)``, gives ``(..., k)``; a training loop may put
            one in its place that suits its backend's optimiser.

    Raises:
        ValueError: the inputs have neither a categorical nor a numeric field.
    """

    def __init__(self, inputs: ModelInputs, size: int):
        super().__init__()
        if not inputs.categorical and not inputs.numeric:
            raise ValueError(
                "a model needs at least one categorical or numeric feature; the data contract "
                "gives none that is embedded (embed: true)"
            )
        self.inputs = inputs
        self.size = size
        cardinalities = [field.cardinality for field in inputs.categorical]
        ends = np.cumsum(cardinalities, dtype="int64")
        self.rows = sum(cardinalities)
        position = {field.name: index for index, field in enumerate(inputs.categorical)}
        columns: list[int] = list(range(len(cardinalities)))
        for sequence in inputs.sequences:
            columns += [position[sequence.of]] * sequence.max_length
        column_field = np.asarray(columns, "int64")
        self.cardinalities = np.asarray(cardinalities, "int64")[column_field]
        self.offsets = ends[column_field] - self.cardinalities
        self.target_position = position.get(inputs.target_item)
        self.look_up: Callable[[keras.Variable, keras.KerasTensor], keras.KerasTensor] = _take

    def build(self, input_shape: Mapping[str, tuple[int | None, ...]]) -> None:
        """Creates the joint table, and v and b of the numeric fields."""
        normal = keras.initializers.RandomNormal(stddev=0.01)
        if self.rows:
            self.table = self.add_weight(
                shape=(self.rows, self.size), initializer=normal, name="table", autocast=False
            )
        if self.inputs.numeric:
            shape = (len(self.inputs.numeric), self.size)
            self.slopes = self.add_weight(
                shape=shape, initializer=keras.initializers.RandomNormal(stddev=0.01), name="slopes"
            )
            self.intercepts = self.add_weight(shape=shape, initializer="zeros", name="intercepts")

    def call(self, features: Mapping[str, keras.KerasTensor]) -> EmbeddedFeatures:
        """Embeds one batch.

        Args:
            features: name to ids ``(B,)`` or ``(B, L)`` int64, or numbers ``(B,)`` float.
        """
        fields, sequences, masks, target = [], {}, {}, None
        count = len(self.inputs.categorical)
        field_ids = self._ids(features)  # (B, C + sum of L)
        if count:
            unknown = np.minimum(OUT_OF_VOCABULARY_ID, self.cardinalities - 1)
            inside = ops.logical_and(field_ids >= 0, field_ids < self.cardinalities)
            rows = ops.where(inside, field_ids, unknown) + self.offsets
            embedded = self.look_up(self.table, rows)  # (B, C + sum of L, k)
            # Of the rows, not of the table, of which a step needs a small part.
            embedded = ops.cast(embedded, self.compute_dtype)
            fields.append(embedded[:, :count])
            start = count
            for sequence in self.inputs.sequences:
                end = start + sequence.max_length
                sequences[sequence.name] = embedded[:, start:end]  # (B, L, k)
                masks[sequence.name] = field_ids[:, start:end] != PADDING_ID  # (B, L)
                start = end
            if self.target_position is not None:
                target = embedded[:, self.target_position]  # (B, k)
        if self.inputs.numeric:
            numbers = ops.stack([features[field.name] for field in self.inputs.numeric], axis=1)
            numbers = ops.cast(numbers, self.compute_dtype)[:, :, None]  # (B, N, 1)
            fields.append(numbers * self.slopes + self.intercepts)  # (B, N, k)
        return EmbeddedFeatures(
            ops.concatenate(fields, axis=1), field_ids[:, :count], sequences, masks, target
        )

    def _ids(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        columns = [ops.cast(features[f.name], "int64")[:, None] for f in self.inputs.categorical]
        columns += [ops.cast(features[f.name], "int64") for f in self.inputs.sequences]
        if columns:
            return ops.concatenate(columns, axis=1)
        rows = ops.shape(features[self.inputs.numeric[0].name])[0]
        return ops.zeros((rows, 0), dtype="int64")


def _take(table: keras.Variable, rows: keras.KerasTensor) -> keras.KerasTensor:
    return ops.take(table, rows, axis=0)
