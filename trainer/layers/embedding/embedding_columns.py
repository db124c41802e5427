"""Which rows of a joint embedding table a batch's ids are."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import keras
import numpy as np
from keras import ops

from mtlx.transform.contract.model_inputs import ModelInputs


class EmbeddingColumns:
    """The ids of some features beside each other, a column for each place that holds one.

    The categorical fields come first, then all places of each sequence's fields, then those of the
    fields with several values.

    Args:
        inputs: the features.
        whole: all features that the table and its layer have weights for; None for the same.

    Attributes:
        inputs: the features.
        fields: ``(columns,)`` int64, place of each column's field among the tables of `whole`.
        cardinalities: ``(columns,)`` int64, ids of each column's field.
        offsets: ``(columns,)`` int64, row of the joint table at which each column's field begins.
        numeric: places of the numeric fields among those of `whole`.
        vectors: likewise of the vectors.
    """

    def __init__(self, inputs: ModelInputs, whole: ModelInputs | None = None):
        self.inputs, self._whole = inputs, whole or inputs
        tables = self._whole.tables
        position = {field.name: index for index, field in enumerate(tables)}
        columns = [position[field.name] for field in inputs.categorical]
        for sequence in inputs.sequences:
            for field in sequence.fields:
                columns += [position[field]] * sequence.max_length
        for several in inputs.multiple:
            columns += [position[several.name]] * several.max_values
        self.fields = np.asarray(columns, "int64")
        sizes = np.asarray([field.cardinality for field in tables], "int64")
        ends = np.cumsum(sizes, dtype="int64")
        self.cardinalities = sizes[self.fields]
        self.offsets = ends[self.fields] - self.cardinalities
        numeric = [field.name for field in self._whole.numeric]
        self.numeric = [numeric.index(field.name) for field in inputs.numeric]
        vectors = [vector.name for vector in self._whole.vectors]
        self.vectors = [vectors.index(vector.name) for vector in inputs.vectors]

    @property
    def field_names(self) -> list[str]:
        """Of the fields in the order in which the embedding gives them."""
        inputs = self.inputs
        parts = (inputs.categorical, inputs.numeric, inputs.multiple, inputs.vectors)
        return [field.name for part in parts for field in part]

    def sides(self, names: Collection[str]) -> tuple["EmbeddingColumns", "EmbeddingColumns"]:
        """The features of which all keys are among the names, and the others."""
        inputs = self.inputs

        def side(inside: bool) -> "EmbeddingColumns":
            def kept(keys: tuple[str, ...]) -> bool:
                return all(key in names for key in keys) is inside

            part = replace(
                inputs,
                categorical=tuple(one for one in inputs.categorical if kept((one.name,))),
                numeric=tuple(one for one in inputs.numeric if kept((one.name,))),
                sequences=tuple(one for one in inputs.sequences if kept(one.keys)),
                multiple=tuple(one for one in inputs.multiple if kept(one.keys)),
                vectors=tuple(one for one in inputs.vectors if kept((one.name,))),
            )
            return EmbeddingColumns(part, self._whole)

        return side(True), side(False)

    def ids(self, features: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        """Ids ``(B, columns)`` int64."""
        inputs = self.inputs
        columns = [ops.cast(features[one.name], "int64")[:, None] for one in inputs.categorical]
        keys = [key for one in inputs.sequences for key in one.keys]
        columns += [ops.cast(features[key], "int64") for key in keys]
        columns += [ops.cast(features[one.name], "int64") for one in inputs.multiple]
        if columns:
            return ops.concatenate(columns, axis=1)
        names = [field.name for field in inputs.numeric]
        names += [vector.name for vector in inputs.vectors]
        return ops.zeros((ops.shape(features[names[0]])[0], 0), dtype="int64")
