"""Counts of values and numbers of raw examples, against Python's own counting."""

import collections

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2

from mtlx.components.one_pass_transform.batch_counts import read_counts
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {
            "item": {"kind": "categorical"},
            "city": {"kind": "categorical"},
            "price": {"kind": "numeric"},
            "seen": {"kind": "sequence", "of": "item", "max_length": 5},
        },
        "tasks": {"click": {"label": "click"}},
        "target_item": "item",
        "domain": {"feature": "city", "values": ["a", "b"], "other": "b"},
        "missing": ["?"],
    }
)


def _schema(**types):
    schema = schema_pb2.Schema()
    for name, kind in types.items():
        schema.feature.add(name=name, type=kind)
    return schema.SerializeToString()


SCHEMA = _schema(
    item=schema_pb2.BYTES, city=schema_pb2.BYTES, price=schema_pb2.FLOAT, seen=schema_pb2.BYTES
)


@pytest.fixture
def counts(tmp_path):
    """Sums what is read of rows, by feature."""

    def function(rows, schema=SCHEMA):
        path = str(tmp_path / "data.gz")
        with tf.io.TFRecordWriter(path, "GZIP") as writer:
            for row in rows:
                features = {
                    name: tf.train.Feature(float_list=tf.train.FloatList(value=values))
                    if name == "price"
                    else tf.train.Feature(
                        bytes_list=tf.train.BytesList(value=[value.encode() for value in values])
                    )
                    for name, values in row.items()
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
        texts, numbers = collections.defaultdict(collections.Counter), []
        for batch in read_counts(path, CONTRACT, schema):
            for name, columns in batch.items():
                if len(columns) == 2:
                    for value, number in zip(*columns, strict=True):
                        texts[name][value.decode()] += int(number)
                else:
                    assert name == "price"
                    numbers.append(columns[0])
        return dict(texts), np.concatenate(numbers).tolist() if numbers else []

    return function


def test_a_field_and_its_sequence_share_their_values(counts):
    rows = [{"item": ["x"], "seen": ["x", "y", "x"]}, {"item": ["男"], "seen": []}, {}]
    texts, _ = counts(rows)
    assert texts["item"] == {"x": 3, "y": 1, "男": 1}


def test_missing_values_are_the_empty_text_and_numbers_come_as_they_are(counts):
    rows = [{"item": ["?"], "price": [1.5]}, {"item": [" ? "]}, {"item": ["q"], "price": [-2.0]}]
    texts, numbers = counts(rows)
    assert texts["item"] == {"": 2, "q": 1} and numbers == [1.5, -2.0]


def test_what_the_schema_lacks_has_no_value(counts):
    """Nobody has a value of it, so the schema that was found has no such feature."""
    texts, numbers = counts(
        [{"item": ["x"], "price": [3.0]}], _schema(item=schema_pb2.BYTES)
    )  # fmt: skip
    assert texts["item"] == {"x": 1} and numbers == []
