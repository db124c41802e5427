"""Raw examples, batch by batch, as counts of values and as numbers: what an analysis adds up."""

import threading
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2

from mtlx.transform.analysis.analysis import (
    numeric_requests,
    vector_requests,
    vocabulary_requests,
)
from mtlx.transform.columns.domain_values import domain_text, gathered
from mtlx.transform.columns.missing_values import (
    as_numbers,
    as_texts,
    plain_numbers,
    plain_texts,
)
from mtlx.transform.contract.data_contract import DataContract

#: By feature: distinct values and their counts, or the numbers.
Batch = dict[str, tuple[np.ndarray, ...]]

#: Rows that are parsed and counted together.
_BATCH_ROWS = 16_384

#: The last function that was traced in this process, by what it is for: tracing takes a second.
_TRACED: dict[tuple[str, bytes], tf.types.experimental.ConcreteFunction] = {}
_TRACING = threading.Lock()

_TYPES = {schema_pb2.BYTES: tf.string, schema_pb2.INT: tf.int64, schema_pb2.FLOAT: tf.float32}


def read_counts(file: str, contract: DataContract, schema: bytes) -> Iterator[Batch]:
    """Reads one gzip TFRecord file; parsing and counting are TensorFlow's, in parallel.

    Args:
        file: path.
        contract: the data contract.
        schema: of the raw examples, serialised. What it lacks has no value in any example.

    Yields:
        For every feature with a vocabulary: values ``(n,)`` bytes and counts ``(n,)`` int64, of
        the field and of its sequences, in which a value may stand several times. For every feature
        with a summary: numbers ``(n,)`` float32. For every vector: vectors ``(n, size)`` float32,
        of the rows that have one.
    """
    count = _counter(contract, schema)
    records = tf.data.TFRecordDataset(file, "GZIP", buffer_size=1 << 20)
    for serialized in records.batch(_BATCH_ROWS).prefetch(2):
        counts = count(serialized)
        yield {
            name: tuple(column.numpy() for column in columns) for name, columns in counts.items()
        }


def _counter(contract: DataContract, schema: bytes) -> tf.types.experimental.ConcreteFunction:
    """Serialised examples to one `Batch`, as tensors; traced once per process."""
    key = (contract.to_json(), schema)
    with _TRACING:
        function = _TRACED.get(key)
        if function is None:
            function = _traced(contract, schema)
            _TRACED.clear()
            _TRACED[key] = function
    return function


def _traced(contract: DataContract, schema: bytes) -> tf.types.experimental.ConcreteFunction:
    vocabularies, numbers = vocabulary_requests(contract), numeric_requests(contract)
    wanted = {source for request in vocabularies.values() for source in request.sources}
    vectors = vector_requests(contract)
    wanted |= {*numbers, *vectors}
    spec = {
        feature.name: tf.io.VarLenFeature(_TYPES[feature.type])
        for feature in schema_pb2.Schema.FromString(schema).feature
        if feature.name in wanted
    }

    def count(serialized: tf.Tensor) -> dict[str, tuple[tf.Tensor, ...]]:
        parsed = tf.io.parse_example(serialized, spec) if spec else {}
        counts: dict[str, tuple[tf.Tensor, ...]] = {}
        for name, request in vocabularies.items():
            found = [
                _counted(source, parsed[source], contract)
                for source in request.sources
                if source in spec
            ]
            nothing = tf.constant([], tf.string), tf.constant([], tf.int64)
            values, numbers_of = zip(*(found or [nothing]), strict=True)
            counts[name] = tf.concat(values, axis=0), tf.concat(numbers_of, axis=0)
        weights = {name for _, name in contract.weighted}
        for name in numbers:
            values = parsed[name].values if name in spec else tf.constant([], tf.float32)
            # No weight is a marker of a missing value.
            number = plain_numbers(values) if name in weights else as_numbers(values, contract)
            counts[name] = (number,)
        for name, size in vectors.items():
            values = parsed[name].values if name in spec else tf.constant([], tf.float32)
            counts[name] = (tf.reshape(plain_numbers(values), [-1, size]),)
        return counts

    function = tf.function(count, autograph=False)
    return function.get_concrete_function(tf.TensorSpec([None], tf.string))


def _counted(name: str, x: tf.SparseTensor, contract: DataContract) -> tuple[tf.Tensor, tf.Tensor]:
    """Values ``(n,)`` as the vocabulary has them, the domain's as they are gathered, and how often
    each occurs ``(n,)``; a value may stand there several times.
    """
    domain = contract.domain
    if domain is not None and domain.other is not None and name == domain.feature:
        # A row without a value is of the other domain.
        texts = domain_text(x.with_values(as_texts(x.values, contract)))
        values, _, number = tf.unique_with_counts(gathered(texts, domain), tf.int64)
        return values, number
    distinct, _, number = tf.unique_with_counts(plain_texts(x.values), tf.int64)
    return as_texts(distinct, contract), number
