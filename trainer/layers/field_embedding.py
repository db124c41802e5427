"""The first stage of every model: features become fields of equal width."""

import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, TypeAlias

import keras
import numpy as np
from keras import ops

from mtlx.trainer.layers.embedding.embedding_columns import EmbeddingColumns
from mtlx.trainer.layers.embedding.pooled_values import pooled_fields
from mtlx.trainer.layers.embedding.pretrained_rows import PretrainedRows
from mtlx.trainer.layers.embedding.tables import present_tables
from mtlx.trainer.layers.shared_rows import for_rows_of, shared_names
from mtlx.transform.contract.model_inputs import OUT_OF_VOCABULARY_ID, PADDING_ID, ModelInputs

#: Standard deviation of embeddings at the start.
EMBEDDING_START = 0.01

Sequences: TypeAlias = dict[str, keras.KerasTensor]


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
        tables_made_by: makes the table; that of the context in which the layer was made.
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
        self._cardinalities_of_fields = [field.cardinality for field in inputs.tables]
        self.rows = sum(self._cardinalities_of_fields)
        self.columns = EmbeddingColumns(inputs)
        position = {field.name: index for index, field in enumerate(inputs.tables)}
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
                name=f"pretrained_{index}",
            )
            for index, field in enumerate(inputs.tables)
            if field.pretrained is not None
        }
        self.numbered = False
        self.numbers: keras.Variable | None = None
        self.tables_made_by = present_tables()
        self.look_up: Callable[[keras.Variable, keras.KerasTensor], keras.KerasTensor]
        self.look_up = self.tables_made_by.look_up

    def build(self, input_shape: Mapping[str, tuple[int | None, ...]]) -> None:
        """Creates the joint table, and v and b of the numeric fields."""
        normal = keras.initializers.RandomNormal(stddev=EMBEDDING_START)
        if self.rows:
            add_weight = functools.partial(self.add_weight, name="table", autocast=False)
            shape = (self.rows, self.size)
            self.table = self.tables_made_by.make(add_weight, shape, normal)
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
        shared = shared_names({name: features[name] for name in self.inputs.keys})
        if shared:
            return self._of_request(features, shared)
        fields, named, sequences, masks = self._embedded(self.columns, features)
        joined = ops.concatenate(fields, axis=1)
        return EmbeddedFeatures(joined, named, sequences, masks, self._target(fields[0]))

    def rows_of(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        """The rows of the table ``(B, columns)`` int64 that a call on these features looks up."""
        return _in_range(self.columns, self.columns.ids(features)) + self.columns.offsets

    def _of_request(
        self, features: Mapping[str, keras.KerasTensor], shared: Collection[str]
    ) -> EmbeddedFeatures:
        """Embeds features of which some are shared: these once. Fields and target are of all rows,
        sequences and masks of one row where they are shared.
        """
        request, items = self.columns.sides(shared)
        rows = features[next(name for name in self.inputs.keys if name not in shared)]
        of_request, ids, sequences, masks = self._embedded(request, features)
        of_items, item_ids, item_sequences, item_masks = self._embedded(items, features)
        fields = [for_rows_of(part, rows) for part in of_request] + of_items
        names = [*request.field_names, *items.field_names]
        order = [names.index(name) for name in self.columns.field_names]
        joined = ops.take(ops.concatenate(fields, axis=1), np.asarray(order), axis=1)
        named = ops.concatenate([for_rows_of(ids, rows), for_rows_of(item_ids, rows)], axis=1)
        names = [one.name for side in (request, items) for one in side.inputs.categorical]
        order = [names.index(field.name) for field in self.inputs.categorical]
        return EmbeddedFeatures(
            joined,
            ops.take(named, np.asarray(order, "int32"), axis=1),
            {**sequences, **item_sequences},
            {**masks, **item_masks},
            self._target(joined),
        )

    def _embedded(
        self, columns: EmbeddingColumns, features: Mapping[str, keras.KerasTensor]
    ) -> tuple[list[keras.KerasTensor], keras.KerasTensor, Sequences, Sequences]:
        """Fields ``(B, some, k)``, which make all one after the other; ids of the categorical ones,
        sequences and masks.
        """
        inputs, count = columns.inputs, len(columns.inputs.categorical)
        fields: list[keras.KerasTensor] = []
        embedded: Any = None
        ids = columns.ids(features)  # (B, C + sum of L)
        named = ids[:, :count]
        if len(columns.fields):
            embedded, rows = self._looked_up(columns, ids)
            if self.numbers is not None and count:
                named = ops.take(self.numbers, rows[:, :count], axis=0)
        behaviours: list[keras.KerasTensor] = []
        if count or inputs.sequences:
            first, *behaviours = _split(embedded, inputs)
        if count:
            fields.append(first)
        if inputs.numeric:
            numbers = ops.stack([features[field.name] for field in inputs.numeric], axis=1)
            numbers = ops.cast(numbers, self.compute_dtype)[:, :, None]  # (B, N, 1)
            slopes = _rows(self.slopes, columns.numeric)
            fields.append(numbers * slopes + _rows(self.intercepts, columns.numeric))  # (B, N, k)
        if inputs.multiple:
            fields += pooled_fields(inputs.multiple, features, embedded, ids)
        for index, vector in zip(columns.vectors, inputs.vectors, strict=True):
            values = ops.cast(features[vector.name], self.compute_dtype)
            made = ops.matmul(values, self.projections[index]) + self.vector_intercepts[index]
            fields.append(made[:, None])  # (B, 1, k)
        return fields, named, *self._sequences(inputs, behaviours, ids)

    def _looked_up(
        self, columns: EmbeddingColumns, ids: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Embeddings ``(B, columns, k)`` of ids, and the rows of the table that they are of."""
        ids = _in_range(columns, ids)
        rows = ids + columns.offsets
        embedded = self.look_up(self.table, rows)
        # Of the rows, not of the table, of which a step needs a small part.
        embedded = ops.cast(embedded, self.compute_dtype)
        return self._with_pretrained(embedded, ids, columns), rows

    def _sequences(
        self, inputs: ModelInputs, embedded: list[keras.KerasTensor], ids: keras.KerasTensor
    ) -> tuple[Sequences, Sequences]:
        """Sequences ``(B, L, k)`` and masks ``(B, L)``, whose columns are behind the fields'."""
        sequences: Sequences = {}
        masks: Sequences = {}
        start, rest = len(inputs.categorical), iter(embedded)
        for sequence in inputs.sequences:
            parts = [next(rest) for _ in sequence.keys]
            sequences[sequence.name] = self._joined(parts, sequence.fields)
            masks[sequence.name] = ids[:, start : start + sequence.max_length] != PADDING_ID
            start += sequence.max_length * len(parts)
        return sequences, masks

    def _with_pretrained(
        self, embedded: keras.KerasTensor, ids: keras.KerasTensor, columns: EmbeddingColumns
    ) -> keras.KerasTensor:
        """Embeddings of which those of values with a vector are exchanged."""
        position = {field.name: index for index, field in enumerate(self.inputs.tables)}
        for name, pretrained in self.pretrained.items():
            # Not as an array, of which Keras would make a tensor.
            places = tuple(np.flatnonzero(columns.fields == position[name]).tolist())
            if places:
                embedded = pretrained(embedded, ids, columns=places)
        return embedded

    def _target(self, fields: keras.KerasTensor) -> keras.KerasTensor | None:
        """The target item as a behaviour ``(B, k)``, from fields that begin with all C."""
        if not self.target_fields:
            return None
        parts = [fields[:, position] for position in self.target_positions]
        return self._joined(parts, self.target_fields)

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


def _orthogonal_maps(shape: tuple[int, ...], dtype: str | None = None) -> keras.KerasTensor:
    """Maps ``(F, k, k)``, each orthogonal, and none like another."""
    # An initialiser that is called twice gives the same twice.
    each = [keras.initializers.Orthogonal() for _ in range(shape[0])]
    return ops.stack([orthogonal(shape[1:], dtype=dtype) for orthogonal in each])


def _split(embedded: keras.KerasTensor, inputs: ModelInputs) -> list[keras.KerasTensor]:
    """Of embeddings ``(B, columns, k)`` the categorical fields', then those of each sequence.

    At once: the gradient of a slice is as large as what it was taken from, and those of several are
    added up.
    """
    sizes = [len(inputs.categorical)]
    sizes += [one.max_length for one in inputs.sequences for _ in one.keys]
    ends = np.cumsum(sizes).tolist()
    if ends[-1] == embedded.shape[1]:
        ends.pop()
    return ops.split(embedded, ends, axis=1)[: len(sizes)] if ends else [embedded]


def _in_range(columns: EmbeddingColumns, ids: keras.KerasTensor) -> keras.KerasTensor:
    """Ids ``(B, columns)``; of those outside of their field's range its out-of-vocabulary one."""
    unknown = np.minimum(OUT_OF_VOCABULARY_ID, columns.cardinalities - 1)
    inside = ops.logical_and(ids >= 0, ids < columns.cardinalities)
    return ops.where(inside, ids, unknown)


def _rows(weights: keras.Variable, places: list[int]) -> keras.KerasTensor:
    """Rows of weights ``(N, k)``, which are mostly all."""
    if len(places) == weights.shape[0]:
        return weights
    return ops.take(weights, np.asarray(places), axis=0)
