"""The first stage of every model: features become fields of equal width."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from mtlx.trainer.layers.pooled_values import pooled_values
from mtlx.trainer.layers.pretrained_rows import PretrainedRows
from mtlx.transform.contract.model_inputs import OUT_OF_VOCABULARY_ID, PADDING_ID, ModelInputs

#: Standard deviation of embeddings at the start.
EMBEDDING_START = 0.01


#: Whether tables get their values from somewhere else.
_TABLES_ARE_GIVEN = contextvars.ContextVar("tables_are_given", default=False)


@contextlib.contextmanager
def tables_given() -> Iterator[None]:
    """Models built within it have tables of zeros, for whoever gives them all their weights.

    To draw a table takes three times its memory: numbers, their multiples, and the sum with 0.
    """
    before = _TABLES_ARE_GIVEN.set(True)
    try:
        yield
    finally:
        _TABLES_ARE_GIVEN.reset(before)


class EmbeddedFeatures(NamedTuple):
    """What the embedding gives.

    Attributes:
        fields: ``(B, C + N + M + V, k)``: the C categorical fields, then the N numeric ones, the M
            with several values and the V with vectors.
        field_ids: ``(B, C)`` int64, ids of the categorical fields; their values' numbers instead
            where the embedding is `numbered`.
        sequences: name to ``(B, L, k)``.
        masks: name to ``(B, L)`` bool, true at real positions.
        target: ``(B, k)``, the target item as a behaviour would be, or None. Where behaviours are
            of one field, it is the target item's field.
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
    row. A numeric field i is x·v_i + b_i. Row 0 of a field is padding's and is always masked. A
    field of several values is their embeddings, pooled (`pooled_values`); a vector x is
    x W_i + b_i. A value that comes with a pretrained vector has that, projected, in the place of
    its row (`PretrainedRows`), wherever the value stands.

    A behaviour of several fields (item and category) is their embeddings joined and mapped to
    width k, Σ_f W_f e_f. DIN, DIEN and BST concatenate them too, and leave the behaviour as wide;
    here all behaviours have width k. Each field has one W_f, wherever it is a behaviour or a part
    of one; the target, which behaviours are compared with, is made in the same way of the target
    item's field and the fields that stand beside it in some sequence. Each W_f starts orthogonal,
    which keeps lengths and angles among a field's values, and the fields apart from each other: a
    plain sum learns slower.

    Embeddings start from N(0, 0.01), as in AITM's public code (Xi 2021).

    Shown to learn: labels that hang on whether a behaviour's category is the target's, with 20,000
    items too rare to be learnt. DIN over item and category gets nine tenths of the way from chance
    to the best possible AUC (0.78) or farther; over items alone it stays at 0.50, and with the
    target made of its item alone at 0.60 to 0.63 (test_behaviours_of_several_fields.py, two seeds).
    Labels that hang on the weights of several values: AUC 0.909 of the possible 0.918, 0.767
    without the weights; on a direction of a vector 0.907 of 0.914, 0.493 without it; on pretrained
    vectors of rare items 0.852 of 0.880, 0.779 without them (test_planted_features.py).

    Args:
        inputs: the features.
        size: k.
        tables: of how many tables the joint one consists, side by side: its rows, and all that this
            layer gives, are then as wide as these together. Maps of behaviours are common to them.

    Attributes:
        numbered: set before the first call, gives numbers of the values in the place of
            `field_ids`, for parts that tell values apart by them. An id is a value's place in
            today's vocabulary; its number, which starts as the id, is a weight that goes with the
            value into the training of another day.
        numbers: the weight with them, ``(ids,)`` int64, which nothing trains; None where they are
            not asked for.
        look_up: takes the table and rows ``(...)``, gives ``(..., k)``; a training loop may put
            one in its place that suits its backend's optimiser.

    Raises:
        ValueError: the inputs have no field.
    """

    def __init__(self, inputs: ModelInputs, size: int, tables: int = 1):
        super().__init__()
        if not (*inputs.fields, *inputs.multiple, *inputs.vectors):
            raise ValueError(
                "a model needs at least one categorical or numeric feature; the data contract "
                "gives none that is embedded (embed: true)"
            )
        self.inputs = inputs
        self.size, self.tables = size * tables, tables
        cardinalities = [field.cardinality for field in inputs.tables]
        self._cardinalities_of_fields = cardinalities
        ends = np.cumsum(cardinalities, dtype="int64")
        self.rows = sum(cardinalities)
        position = {field.name: index for index, field in enumerate(inputs.tables)}
        columns: list[int] = list(range(len(inputs.categorical)))
        for sequence in inputs.sequences:
            for field in sequence.fields:
                columns += [position[field]] * sequence.max_length
        for several in inputs.multiple:
            columns += [position[several.name]] * several.max_values
        column_field = np.asarray(columns, "int64")
        self.cardinalities = np.asarray(cardinalities, "int64")[column_field]
        self.offsets = ends[column_field] - self.cardinalities
        joined = [sequence.fields for sequence in inputs.sequences if sequence.parts]
        self.mapped = tuple(dict.fromkeys(field for fields in joined for field in fields))
        target = [inputs.target_item] if inputs.target_item in position else []
        beside = [field for fields in joined if inputs.target_item in fields for field in fields]
        self.target_fields = tuple(dict.fromkeys([*target, *beside]))
        self.target_positions = [position[field] for field in self.target_fields]
        self.pretrained = {
            field.name: PretrainedRows(
                field.cardinality,
                field.pretrained,
                self.size,
                np.flatnonzero(column_field == index),
                name=f"pretrained_{index}",
            )
            for index, field in enumerate(inputs.tables)
            if field.pretrained is not None
        }
        self.numbered = False
        self.numbers: keras.Variable | None = None
        self.look_up: Callable[[keras.Variable, keras.KerasTensor], keras.KerasTensor] = _take

    def build(self, input_shape: Mapping[str, tuple[int | None, ...]]) -> None:
        """Creates the joint table, and v and b of the numeric fields."""
        normal = keras.initializers.RandomNormal(stddev=EMBEDDING_START)
        if self.rows:
            self.table = self.add_weight(
                shape=(self.rows, self.size),
                initializer="zeros" if _TABLES_ARE_GIVEN.get() else normal,
                name="table",
                autocast=False,
            )
        if self.numbered and self.rows:
            ids = np.concatenate([np.arange(n) for n in self._cardinalities_of_fields])
            self.numbers = self.add_weight(
                shape=(self.rows,),
                initializer=lambda *_, **__: ops.convert_to_tensor(ids, "int64"),
                dtype="int64",
                trainable=False,
                autocast=False,
                name="numbers",
            )
        if self.mapped:
            width = self.size // self.tables
            square = (len(self.mapped), width, width)
            self.maps = self.add_weight(shape=square, initializer=_orthogonal_maps, name="maps")
        if self.inputs.numeric:
            shape = (len(self.inputs.numeric), self.size)
            self.slopes = self.add_weight(
                shape=shape,
                initializer=keras.initializers.RandomNormal(stddev=EMBEDDING_START),
                name="slopes",
            )
            self.intercepts = self.add_weight(shape=shape, initializer="zeros", name="intercepts")
        for pretrained in self.pretrained.values():
            pretrained.build()
        self.projections = [
            self.add_weight(
                shape=(vector.size, self.size),
                # So that a vector with numbers of size 1 gives what an embedding starts from.
                initializer=keras.initializers.RandomNormal(
                    stddev=EMBEDDING_START / np.sqrt(vector.size)
                ),
                name=f"projection_{index}",
            )
            for index, vector in enumerate(self.inputs.vectors)
        ]
        if self.inputs.vectors:
            shape = (len(self.inputs.vectors), self.size)
            self.vector_intercepts = self.add_weight(
                shape=shape, initializer="zeros", name="vector_intercepts"
            )

    def call(self, features: Mapping[str, keras.KerasTensor]) -> EmbeddedFeatures:
        """Embeds one batch.

        Args:
            features: name to ids ``(B,)`` or ``(B, L)`` int64, numbers ``(B,)`` float, weights
                ``(B, L)`` float, or vectors ``(B, size)`` float.
        """
        fields, sequences, masks, target = [], {}, {}, None
        count = len(self.inputs.categorical)
        field_ids = self._ids(features)  # (B, C + sum of L)
        embedded = None
        if self.rows:
            unknown = np.minimum(OUT_OF_VOCABULARY_ID, self.cardinalities - 1)
            inside = ops.logical_and(field_ids >= 0, field_ids < self.cardinalities)
            rows = ops.where(inside, field_ids, unknown) + self.offsets
            embedded = self.look_up(self.table, rows)  # (B, C + sum of L, k)
            # Of the rows, not of the table, of which a step needs a small part.
            embedded = ops.cast(embedded, self.compute_dtype)
            for pretrained in self.pretrained.values():
                embedded = pretrained(embedded, ops.where(inside, field_ids, unknown))
            if count:
                fields.append(embedded[:, :count])
            start = count
            for sequence in self.inputs.sequences:
                ends = [start + sequence.max_length * (n + 1) for n in range(len(sequence.keys))]
                parts = [embedded[:, end - sequence.max_length : end] for end in ends]
                sequences[sequence.name] = self._joined(parts, sequence.fields)  # (B, L, k)
                masks[sequence.name] = field_ids[:, start : ends[0]] != PADDING_ID  # (B, L)
                start = ends[-1]
            if self.target_fields:
                parts = [embedded[:, position] for position in self.target_positions]
                target = self._joined(parts, self.target_fields)  # (B, k)
        named = field_ids[:, :count]
        if self.numbers is not None and count:
            named = ops.take(self.numbers, rows[:, :count], axis=0)
        if self.inputs.numeric:
            numbers = ops.stack([features[field.name] for field in self.inputs.numeric], axis=1)
            numbers = ops.cast(numbers, self.compute_dtype)[:, :, None]  # (B, N, 1)
            fields.append(numbers * self.slopes + self.intercepts)  # (B, N, k)
        if self.inputs.multiple:
            fields += self._pooled(features, embedded, field_ids)
        for index, vector in enumerate(self.inputs.vectors):
            values = ops.cast(features[vector.name], self.compute_dtype)
            made = ops.matmul(values, self.projections[index]) + self.vector_intercepts[index]
            fields.append(made[:, None])  # (B, 1, k)
        return EmbeddedFeatures(ops.concatenate(fields, axis=1), named, sequences, masks, target)

    def _pooled(
        self,
        features: Mapping[str, keras.KerasTensor],
        embedded: keras.KerasTensor,
        ids: keras.KerasTensor,
    ) -> list[keras.KerasTensor]:
        """The fields of several values, ``(B, 1, k)`` each; theirs are the last columns."""
        fields: list[keras.KerasTensor] = []
        start = len(self.cardinalities)
        for field in reversed(self.inputs.multiple):
            start -= field.max_values
            end = start + field.max_values
            weights = ops.cast(ids[:, start:end] != PADDING_ID, self.compute_dtype)
            if field.weights is not None:
                weights = weights * ops.cast(features[field.weights], self.compute_dtype)
            pooled = pooled_values(embedded[:, start:end], weights, field.pooling)
            fields.insert(0, pooled[:, None])
        return fields

    def _joined(self, parts: list[keras.KerasTensor], fields: tuple[str, ...]) -> keras.KerasTensor:
        """Behaviours ``(..., k)`` from the embeddings ``(..., k)`` of their fields."""
        if len(fields) == 1 and fields[0] not in self.mapped:
            return parts[0]
        rows = np.asarray([self.mapped.index(field) for field in fields])
        width = self.size // self.tables
        maps = ops.reshape(ops.take(self.maps, rows, axis=0), (-1, width))
        if self.tables == 1:
            return ops.matmul(ops.concatenate(parts, axis=-1), maps)
        own = (-1, *parts[0].shape[1:-1], self.tables, width)
        apart = [ops.reshape(part, own) for part in parts]  # (..., tables, k)
        joined = ops.matmul(ops.concatenate(apart, axis=-1), maps)
        return ops.reshape(joined, (-1, *parts[0].shape[1:]))

    def _ids(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        columns = [ops.cast(features[f.name], "int64")[:, None] for f in self.inputs.categorical]
        columns += [
            ops.cast(features[key], "int64") for f in self.inputs.sequences for key in f.keys
        ]
        columns += [ops.cast(features[f.name], "int64") for f in self.inputs.multiple]
        if columns:
            return ops.concatenate(columns, axis=1)
        names = [field.name for field in self.inputs.numeric]
        names += [vector.name for vector in self.inputs.vectors]
        rows = ops.shape(features[names[0]])[0]
        return ops.zeros((rows, 0), dtype="int64")


def _orthogonal_maps(shape: tuple[int, ...], dtype: str | None = None) -> keras.KerasTensor:
    """Maps ``(F, k, k)``, each orthogonal, and none like another."""
    # An initialiser that is called twice gives the same twice.
    each = [keras.initializers.Orthogonal() for _ in range(shape[0])]
    return ops.stack([orthogonal(shape[1:], dtype=dtype) for orthogonal in each])


def _take(table: keras.Variable, rows: keras.KerasTensor) -> keras.KerasTensor:
    return ops.take(table, rows, axis=0)
