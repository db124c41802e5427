"""A Parquet file with a vector for each value, read and checked."""

import io
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mtlx.transform.config.names import suggest

VALUE, VECTOR = "value", "vector"


@dataclass(frozen=True)
class VectorTable:
    """Vectors by value.

    Attributes:
        values: ``(n,)`` different texts.
        vectors: ``(n, size)`` float32, finite.
    """

    values: pa.Array
    vectors: np.ndarray

    @classmethod
    def read(cls, content: bytes, path: str, size: int, feature: str) -> "VectorTable":
        """Reads a file.

        Args:
            content: its bytes.
            path: for messages.
            size: that the vectors have by the experiment file.
            feature: whose values they are of.

        Raises:
            ValueError: no Parquet file, or another one: names setting, file, value and remedy.
        """
        key = f"features.{feature}.pretrained"
        try:
            table = pq.read_table(io.BytesIO(content))
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{key}.path: {path} cannot be read as Parquet: {error}") from error
        for column in (VALUE, VECTOR):
            if column not in table.column_names:
                raise ValueError(
                    f"{key}.path: {path} has no column {column!r}, "
                    f"{suggest(column, table.schema.names)}; it needs a text column {VALUE!r} and "
                    f"a list column {VECTOR!r}"
                )
        values = _texts(table[VALUE].combine_chunks(), path, key)
        return cls(values, _vectors(table[VECTOR].combine_chunks(), values, path, size, key))

    def of(self, vocabulary: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Vectors of a vocabulary's values.

        Args:
            vocabulary: in the order of its ids.

        Returns:
            ``(len(vocabulary), size)`` float32, zeros where there is none, and which ``(n,)`` bool
            have one.
        """
        asked = pa.array(vocabulary, pa.large_binary())
        found = pc.index_in(asked, value_set=self.values.cast(pa.large_binary()))
        known = found.is_valid().to_numpy(zero_copy_only=False)
        made = np.zeros((len(vocabulary), self.vectors.shape[1]), np.float32)
        made[known] = self.vectors[found.drop_null().to_numpy()]
        return made, known


def _texts(values: pa.Array, path: str, key: str) -> pa.Array:
    """The values as texts, each once."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if not (pa.types.is_integer(values.type) or _is_text(values.type)):
        raise ValueError(
            f"{key}.path: column {VALUE!r} of {path} is {values.type}: write the values as "
            "text, or as whole numbers"
        )
    texts = values.cast(pa.large_string())
    if texts.null_count:
        row = int(np.flatnonzero(texts.is_null().to_numpy(zero_copy_only=False))[0])
        raise ValueError(f"{key}.path: {path} has no value in row {row + 1}: take the row out")
    counts = pc.value_counts(texts)
    twice = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(twice):
        raise ValueError(
            f"{key}.path: {path} has {len(twice)} values with several vectors, such as "
            f"{twice[0]['values'].as_py()!r}: keep one of each"
        )
    return texts


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _vectors(column: pa.Array, values: pa.Array, path: str, size: int, key: str) -> np.ndarray:
    """The vectors ``(n, size)``."""
    if not (
        pa.types.is_list(column.type)
        or pa.types.is_large_list(column.type)
        or pa.types.is_fixed_size_list(column.type)
    ):
        raise ValueError(
            f"{key}.path: column {VECTOR!r} of {path} is {column.type}: write lists of numbers"
        )
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    if (lengths != size).any():
        row = int(np.flatnonzero(lengths != size)[0])
        raise ValueError(
            f"{key}.size is {size}, but the vector of {values[row].as_py()!r} in {path} has "
            f"{lengths[row]} numbers ({int((lengths != size).sum())} such values): correct "
            "size, or the file"
        )
    try:
        numbers = column.flatten().cast(pa.float32()).to_numpy(zero_copy_only=False)
    except pa.ArrowException as error:
        raise ValueError(f"{key}.path: column {VECTOR!r} of {path}: {error}") from error
    made = numbers.reshape(-1, size)
    broken = ~np.isfinite(made).all(axis=1)
    if broken.any():
        row = int(np.flatnonzero(broken)[0])
        raise ValueError(
            f"{key}.path: the vector of {values[row].as_py()!r} in {path} holds what is no finite "
            f"number ({int(broken.sum())} such values): take it out, or mend it"
        )
    return made
